#include "policy/path_glob.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

namespace nacre::policy {
namespace {

// The oracle: the definition, written as a recursion over characters and "**" segments.
// Exponential, and only for short inputs of plain letters.
bool SlowSegment(const std::string& pattern, const std::string& text) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == '*') {
    return SlowSegment(pattern.substr(1), text) ||
           (!text.empty() && SlowSegment(pattern, text.substr(1)));
  }
  if (text.empty()) {
    return false;
  }
  if (pattern[0] == '[') {
    const size_t end = pattern.find(']', 2);
    const std::string set = pattern.substr(1, end - 1);
    const bool negated = set[0] == '!';
    bool found = false;
    for (size_t i = negated ? 1 : 0; i < set.size(); ++i) {
      const bool range = i + 2 < set.size() && set[i + 1] == '-';
      found = found || (set[i] <= text[0] && text[0] <= (range ? set[i + 2] : set[i]));
      i += range ? 2 : 0;
    }
    return found != negated && SlowSegment(pattern.substr(end + 1), text.substr(1));
  }
  return (pattern[0] == '?' || pattern[0] == text[0]) &&
         SlowSegment(pattern.substr(1), text.substr(1));
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::string rest = text;
  while (!text.empty()) {
    const size_t slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string::npos) {
      break;
    }
    rest = rest.substr(slash + 1);
  }
  return parts;
}

bool SlowPath(std::vector<std::string> pattern, std::vector<std::string> path) {
  if (pattern.empty()) {
    return path.empty();
  }
  const std::string first = pattern.front();
  const std::vector<std::string> later(pattern.begin() + 1, pattern.end());
  if (first == "**" && SlowPath(later, path)) {
    return true;
  }
  if (path.empty()) {
    return false;
  }
  const std::vector<std::string> below(path.begin() + 1, path.end());
  return first == "**" ? SlowPath(pattern, below)
                       : SlowSegment(first, path.front()) && SlowPath(later, below);
}

// The same by walking down, along with globs that match elsewhere.
bool WalkMatches(const std::string& pattern, const std::string& path) {
  const GlobWalk walk({"no/such", "**/nothing", pattern});
  GlobWalk::State at = walk.Start();
  GlobWalk::State next;
  bool matched = false;
  for (const std::string& name : Split(path)) {
    matched = walk.Matches(at, name);
    walk.Enter(at, name, next);
    std::swap(at, next);
  }
  return matched;
}

TEST_CASE("a glob means what the reference says") {
  struct Row {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const Row row = GENERATE(values<Row>({
      {"*.pem", "key.pem", true},
      {"*.pem", ".pem", true},  // a leading dot is nothing special
      {"*.pem", "a/key.pem", false},
      {"**/*.pem", "key.pem", true},
      {"**/*.pem", "a/b/key.pem", true},
      {"**/*.pem", "a/b/key.pem.txt", false},
      {"policy/**", "policy", true},  // the folder itself
      {"policy/**", "policy/a/b", true},
      {"policy/**", "policy2/a", false},
      {"policy/**", "a/policy/b", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/x/y/c", false},
      {"**", "", true},
      {"**", "a/b", true},
      {"*", "", false},
      {"*", "a", true},
      {"*", "a/b", false},
      {"a*", "a", true},
      {"?", "a", true},
      {"?", "", false},
      {"?", "/", false},
      {"?", "\xC3\xA9", true},  // one character of two bytes
      {"??", "\xC3\xA9", false},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[!a-c]x", "dx", true},
      {"[!a-c]x", "/x", false},
      {"[]]", "]", true},
      {"[a-]", "-", true},
      {"[\xC3\xA0-\xC3\xAF]", "\xC3\xA9", true},
      {"/workspace/**", "/workspace/a", true},
      {"/workspace/**", "workspace/a", false},
      {"A", "a", false},
      {"**/id_rsa*", ".ssh/id_rsa.pub", true},
      {"*.pem", "\xE2.pem", true},  // not UTF-8, and still hidden
      {"*.pem", "\xF0\x9F.pem", true},
      {"[", "[", false},  // malformed matches nothing
      {"a**", "ab", false},
  }));
  INFO(row.pattern << " against " << row.path);
  CHECK(GlobMatches(row.pattern, row.path) == row.matches);
  if (*row.path != '\0') {
    CHECK(WalkMatches(row.pattern, row.path) == row.matches);
  }
}

TEST_CASE("a glob that is no glob says why") {
  CHECK_FALSE(GlobProblem("**/.env").has_value());
  CHECK(GlobProblem("") == "empty glob");
  CHECK(GlobProblem("a**/b") == "\"**\" must stand alone between slashes");
  CHECK(GlobProblem("a//b") == "empty segment in glob");
  CHECK(GlobProblem("a/") == "empty segment in glob");
  CHECK(GlobProblem("a/../b") == "\".\" and \"..\" never match: paths are compared without them");
  CHECK(GlobProblem("{a,b}") == "\"{\" has no meaning in a glob");
  CHECK(GlobProblem("a\\*") == "\"\\\" has no meaning in a glob");
  CHECK(GlobProblem("[ab") == "\"[\" without \"]\"");
  CHECK(GlobProblem("[z-a]") == "empty range in [z-a]");
  CHECK(GlobProblem(std::string(513, 'a')) == "glob longer than 512 bytes");
}

TEST_CASE("the matcher agrees with the obvious one on random globs and paths") {
  const std::vector<std::string> pieces = {"a", "b", "*", "?", "[a]", "[!a]", "[a-b]"};
  std::mt19937 random(20'261'123);  // NOLINT(cert-msc51-cpp): the same cases every time
  const auto pick = [&](size_t count) { return random() % count; };
  int matched = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string pattern;
    for (size_t segment = 0, segments = 1 + pick(4); segment < segments; ++segment) {
      pattern += segment > 0 ? "/" : "";
      if (pick(3) == 0) {
        pattern += "**";
        continue;
      }
      std::string text;
      for (size_t i = 0, length = 1 + pick(4); i < length; ++i) {
        const std::string& piece = pieces[pick(pieces.size())];
        text += piece == "*" && !text.empty() && text.back() == '*' ? "a" : piece;
      }
      pattern += text;
    }
    std::string path;
    for (size_t segment = 0, segments = pick(5); segment < segments; ++segment) {
      path += segment > 0 ? "/" : "";
      for (size_t i = 0, length = 1 + pick(4); i < length; ++i) {
        path += "abc"[pick(3)];
      }
    }
    const bool expected = SlowPath(Split(pattern), Split(path));
    matched += expected ? 1 : 0;
    INFO(pattern << " against " << path);
    REQUIRE_FALSE(GlobProblem(pattern).has_value());
    REQUIRE(GlobMatches(pattern, path) == expected);
    if (!path.empty()) {
      REQUIRE(WalkMatches(pattern, path) == expected);
    }
  }
  CHECK(matched > 5'000);  // the cases are not all of one kind
}

TEST_CASE("a walk knows below which folders nothing can match") {
  const GlobWalk walk({"policy/*.yaml", "src/**/x"});
  GlobWalk::State policy;
  walk.Enter(walk.Start(), "policy", policy);
  CHECK(policy.size() == 1);
  CHECK(walk.Matches(policy, "a.yaml"));
  GlobWalk::State below;
  walk.Enter(policy, "a.yaml", below);
  CHECK(below.empty());
  walk.Enter(walk.Start(), "other", below);
  CHECK(below.empty());
  walk.Enter(walk.Start(), "src", below);
  CHECK_FALSE(below.empty());
}

TEST_CASE("a glob made to explode takes no time") {
  std::string stars;
  std::string segments;
  for (int i = 0; i < 100; ++i) {
    stars += "*a";
    segments += "**/a/";
  }
  const std::string letters(20'000, 'a');
  std::string path = "a";
  for (int i = 0; i < 4'000; ++i) {
    path += "/a";
  }
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(GlobMatches(stars + "b", letters));
  CHECK_FALSE(GlobMatches(segments + "b", path));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

}  // namespace
}  // namespace nacre::policy
