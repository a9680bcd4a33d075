#include "policy/path_glob.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nacre::policy {
namespace {

constexpr size_t kPatternBytesMax = 512;
constexpr size_t kNone = std::string_view::npos;

size_t CharacterLength(std::string_view text, size_t from) {
  const auto first = static_cast<unsigned char>(text[from]);
  const size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(length, text.size() - from);
}

// The character as a number that orders as its code point does: UTF-8 keeps that order.
std::string_view CharacterAt(std::string_view text, size_t from) {
  return text.substr(from, CharacterLength(text, from));
}

// Where the set that opens at `from` ends (its "]"), or kNone. A "]" that comes first is a member.
size_t SetEnd(std::string_view pattern, size_t from) {
  size_t i = from + 1;
  if (i < pattern.size() && pattern[i] == '!') {
    ++i;
  }
  return pattern.find(']', i + 1);
}

bool SetHolds(std::string_view pattern, size_t from, size_t end, std::string_view character) {
  size_t i = from + 1;
  const bool negated = pattern[i] == '!';
  if (negated) {
    ++i;
  }
  bool found = false;
  while (i < end) {
    const std::string_view low = CharacterAt(pattern, i);
    i += low.size();
    std::string_view high = low;
    if (i + 1 < end && pattern[i] == '-') {
      high = CharacterAt(pattern, i + 1);
      i += 1 + high.size();
    }
    found = found || (low <= character && character <= high);
  }
  return found != negated;
}

// The pattern's length consumed by matching one character of the text, or 0 when it does not match.
size_t MatchOne(std::string_view pattern, size_t p, std::string_view character) {
  if (pattern[p] == '?') {
    return 1;
  }
  if (pattern[p] == '[') {
    const size_t end = SetEnd(pattern, p);
    return end != kNone && SetHolds(pattern, p, end, character) ? end + 1 - p : 0;
  }
  const std::string_view literal = CharacterAt(pattern, p);
  return literal == character ? literal.size() : 0;
}

// One segment. Going back only to the last star is enough: what an earlier star could take instead,
// the last one can take too.
bool SegmentMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = kNone;  // where the pattern goes on after the last star,
  size_t star_text = 0;  // and where the text went on with it
  while (t < text.size()) {
    const std::string_view character = CharacterAt(text, t);
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
      continue;
    }
    const size_t consumed = p < pattern.size() ? MatchOne(pattern, p, character) : 0;
    if (consumed > 0) {
      p += consumed;
      t += character.size();
    } else if (star != kNone) {
      p = star;
      star_text += CharacterLength(text, star_text);
      t = star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

std::vector<std::string_view> Segments(std::string_view text) {
  std::vector<std::string_view> segments;
  if (text.empty()) {
    return segments;  // the folder that paths are relative to
  }
  for (size_t from = 0; from <= text.size();) {
    const size_t slash = std::min(text.find('/', from), text.size());
    segments.push_back(text.substr(from, slash - from));
    from = slash + 1;
  }
  return segments;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view path) {
  if (GlobProblem(pattern).has_value()) {
    return false;
  }
  const std::vector<std::string_view> wanted = Segments(pattern);
  const std::vector<std::string_view> given = Segments(path);
  // The same walk as within a segment, with "**" for the star.
  size_t w = 0;
  size_t g = 0;
  size_t star = kNone;
  size_t star_given = 0;
  while (g < given.size()) {
    if (w < wanted.size() && wanted[w] == "**") {
      star = ++w;
      star_given = g;
    } else if (w < wanted.size() && SegmentMatches(wanted[w], given[g])) {
      ++w;
      ++g;
    } else if (star != kNone) {
      w = star;
      g = ++star_given;
    } else {
      return false;
    }
  }
  while (w < wanted.size() && wanted[w] == "**") {
    ++w;
  }
  return w == wanted.size();
}

std::optional<std::string> GlobProblem(std::string_view pattern) {
  if (pattern.empty()) {
    return "empty glob";
  }
  if (pattern.size() > kPatternBytesMax) {
    return "glob longer than " + std::to_string(kPatternBytesMax) + " bytes";
  }
  const std::vector<std::string_view> segments = Segments(pattern);
  for (size_t i = 0; i < segments.size(); ++i) {
    const std::string_view segment = segments[i];
    if (segment.empty() && i > 0) {
      return "empty segment in glob";
    }
    if (segment == "." || segment == "..") {
      return "\".\" and \"..\" never match: paths are compared without them";
    }
    if (segment != "**" && segment.find("**") != kNone) {
      return "\"**\" must stand alone between slashes";
    }
    for (size_t c = 0; c < segment.size(); ++c) {
      if (segment[c] == '\\' || segment[c] == '{' || segment[c] == '}') {
        return std::string("\"") + segment[c] + "\" has no meaning in a glob";
      }
      if (segment[c] == '[') {
        c = SetEnd(segment, c);
        if (c == kNone) {
          return "\"[\" without \"]\"";
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace nacre::policy
