// The one meaning of a glob in nacre: in the policy's hide, protect and glob, and wherever the
// runtime expands them to files.
//
//   *       any run of characters within a segment, also none; a leading dot is nothing special
//   **      any run of whole segments, also none; stands alone between slashes
//   ?       one character (of UTF-8) within a segment
//   [a-z]   one character of the set; [!a-z] one that is not
//
// So "*.pem" is a .pem file at the top, "**/*.pem" one anywhere, and "policy/**" the folder policy
// with everything below it. There are no escapes and no {a,b}: what looks like one is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::policy {

// A pattern, read once. Pattern and path are divided at "/" and compared segment by segment, so an
// absolute pattern matches only absolute paths. Matching allocates nothing, and its time is at most
// the product of both lengths. Immutable, so thread-safe.
class Glob final {
 public:
  // nullopt for a malformed pattern: see GlobProblem.
  static std::optional<Glob> Compile(std::string_view pattern);

  bool Matches(std::string_view path) const { return Walk(path, Reach::kWhole); }
  // Also true when the pattern matches a folder that the path is in: what is below a hidden folder
  // is hidden, whatever its name.
  bool MatchesAtOrAbove(std::string_view path) const { return Walk(path, Reach::kAbove); }

  const std::string& text() const { return text_; }
  // The segments before the first that is no plain name, joined by "/": "src/lib" of
  // "src/lib/*.c". Whatever matches lies in or below that folder.
  std::string Folder() const;

 private:
  enum class Kind { kAnyRun = 0, kLiteral, kPrefix, kSuffix, kPattern };
  struct Segment {
    Kind kind = Kind::kPattern;
    std::string text;  // kPrefix and kSuffix: without the star

    bool Matches(std::string_view name) const;
  };
  enum class Reach { kWhole = 0, kAbove };

  Glob() = default;
  static Segment Classify(std::string_view segment);
  bool Walk(std::string_view path, Reach reach) const;

  std::string text_;
  std::vector<Segment> segments_;
};

// The same for a pattern that is used once; a malformed one matches nothing.
bool GlobMatches(std::string_view pattern, std::string_view path);

// What is wrong with the pattern, as one clause, or nullopt.
std::optional<std::string> GlobProblem(std::string_view pattern);

// Many globs, matched while walking down a tree: each step costs what can still match, and a folder
// below which nothing can match need not be entered.
//
//   if (globs.Matches(globs.Start(), "src")) { ... }       // "src" is matched
//   globs.Enter(globs.Start(), "src", below);
//   if (!below.empty()) { ... }                            // something in src may be
//
// Says of each path what GlobMatches() says. Thread-safe.
class GlobWalk final {
 public:
  // Which places of which globs a path has come to; empty: no path below is matched. Sorted.
  using State = std::vector<uint32_t>;

  explicit GlobWalk(const std::vector<std::string>& patterns);

  const State& Start() const { return start_; }
  // Whether what is called `name` in the folder `at` is matched.
  bool Matches(const State& at, std::string_view name) const;
  // From the folder `at` into the one that is called `name` in it. `below` is overwritten.
  void Enter(const State& at, std::string_view name, State& below) const;

 private:
  enum class Kind : uint8_t { kLiteral = 0, kSuffix, kPattern, kAnyRun, kEnd };
  static Kind KindOf(std::string_view segment);
  struct Segment {
    Kind kind = Kind::kEnd;
    bool last = false;  // a path that ends with it is matched
    std::string text;
  };
  static bool Takes(const Segment& segment, std::string_view name);
  void Add(uint32_t place, State& to) const;

  std::vector<Segment> segments_;  // of all globs, each with a kEnd
  State start_;
};

}  // namespace nacre::policy
