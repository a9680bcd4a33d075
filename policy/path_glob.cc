#include "policy/path_glob.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace nacre::policy {
namespace {

constexpr size_t kPatternBytesMax = 512;
constexpr size_t kNone = std::string_view::npos;

// Names of files need not be UTF-8: a first byte takes only continuation bytes with it, so that a
// stray one cannot swallow what a pattern looks for.
size_t CharacterLength(std::string_view text, size_t from) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[from + i]); };
  const size_t wanted = byte(0) < 0xC0 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  size_t length = 1;
  while (length < wanted && from + length < text.size() && (byte(length) & 0xC0U) == 0x80U) {
    ++length;
  }
  return length;
}

// The bytes of one character. Comparing them compares code points: UTF-8 keeps their order.
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

struct SetItem {
  std::string_view low;
  std::string_view high;  // the same for a single character
};

// The set's ranges in order: calls visit(SetItem) until it answers true, and says whether it did.
template <typename Visit>
bool AnyItem(std::string_view pattern, size_t from, size_t end, const Visit& visit) {
  while (from < end) {
    SetItem item;
    item.low = item.high = CharacterAt(pattern, from);
    from += item.low.size();
    if (from + 1 < end && pattern[from] == '-') {
      item.high = CharacterAt(pattern, from + 1);
      from += 1 + item.high.size();
    }
    if (visit(item)) {
      return true;
    }
  }
  return false;
}

bool IsNegatedSet(std::string_view pattern, size_t from) {
  return pattern[from + 1] == '!';
}

bool SetHolds(std::string_view pattern, size_t from, size_t end, std::string_view character) {
  const bool negated = IsNegatedSet(pattern, from);
  const bool found = AnyItem(pattern, from + (negated ? 2 : 1), end, [&](const SetItem& item) {
    return item.low <= character && character <= item.high;
  });
  return found != negated;
}

bool HasEmptyRange(std::string_view pattern, size_t from, size_t end) {
  return AnyItem(pattern, from + (IsNegatedSet(pattern, from) ? 2 : 1), end,
                 [](const SetItem& item) { return item.high < item.low; });
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
  size_t star = kNone;   // where the pattern goes on after the last star,
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

// "*.pem" is compared as its end; not where the end could begin within a character.
GlobWalk::Kind GlobWalk::KindOf(std::string_view segment) {
  constexpr const char* kSpecial = "*?[";
  if (segment == "**") {
    return Kind::kAnyRun;
  }
  if (segment.find_first_of(kSpecial) == kNone) {
    return Kind::kLiteral;
  }
  const bool is_suffix = segment.size() > 1 && segment[0] == '*' &&
                         segment.find_first_of(kSpecial, 1) == kNone &&
                         static_cast<unsigned char>(segment[1]) < 0x80;
  return is_suffix ? Kind::kSuffix : Kind::kPattern;
}

GlobWalk::GlobWalk(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (GlobProblem(pattern).has_value()) {
      continue;  // matches nothing
    }
    const size_t first = segments_.size();
    for (const std::string_view segment : Segments(pattern)) {
      segments_.push_back({KindOf(segment), false, std::string(segment)});
    }
    for (size_t i = segments_.size(); i-- > first;) {
      segments_[i].last = true;
      if (segments_[i].kind != Kind::kAnyRun) {
        break;  // "**" takes no segment too
      }
    }
    segments_.push_back({});
    Add(static_cast<uint32_t>(first), start_);
  }
}

// A place, and those that are reached from it by "**" taking no segment. An end leads nowhere.
void GlobWalk::Add(uint32_t place, State& to) const {
  for (; segments_[place].kind != Kind::kEnd; ++place) {
    const auto at = std::lower_bound(to.begin(), to.end(), place);
    if (at == to.end() || *at != place) {
      to.insert(at, place);
    }
    if (segments_[place].kind != Kind::kAnyRun) {
      break;
    }
  }
}

bool GlobWalk::Takes(const Segment& segment, std::string_view name) {
  switch (segment.kind) {
    case Kind::kLiteral:
      return segment.text == name;
    case Kind::kSuffix:
      return name.ends_with(std::string_view(segment.text).substr(1));
    case Kind::kPattern:
      return SegmentMatches(segment.text, name);
    case Kind::kAnyRun:
      return true;
    case Kind::kEnd:
      return false;
  }
  return false;
}

bool GlobWalk::Matches(const State& at, std::string_view name) const {
  return std::any_of(at.begin(), at.end(), [&](uint32_t place) {
    return segments_[place].last && Takes(segments_[place], name);
  });
}

void GlobWalk::Enter(const State& at, std::string_view name, State& below) const {
  below.clear();
  for (const uint32_t place : at) {
    if (Takes(segments_[place], name)) {
      Add(segments_[place].kind == Kind::kAnyRun ? place : place + 1, below);
    }
  }
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
        const size_t end = SetEnd(segment, c);
        if (end == kNone) {
          return "\"[\" without \"]\"";
        }
        if (HasEmptyRange(segment, c, end)) {
          return "empty range in " + std::string(segment.substr(c, end + 1 - c));
        }
        c = end;
      }
    }
  }
  return std::nullopt;
}

}  // namespace nacre::policy
