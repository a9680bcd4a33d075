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

bool Glob::Segment::Matches(std::string_view name) const {
  switch (kind) {
    case Kind::kAnyRun:
      return false;
    case Kind::kLiteral:
      return name == text;
    case Kind::kPrefix:
      return name.substr(0, text.size()) == text;
    case Kind::kSuffix:
      return name.size() >= text.size() && name.substr(name.size() - text.size()) == text;
    case Kind::kPattern:
      return SegmentMatches(text, name);
  }
  return false;
}

// The short cuts are for ASCII alone: there a match of bytes cannot begin or end within a character.
Glob::Segment Glob::Classify(std::string_view segment) {
  if (segment == "**") {
    return {Kind::kAnyRun, {}};
  }
  const bool literal = segment.find_first_of("*?[") == kNone;
  const bool ascii = std::all_of(segment.begin(), segment.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const bool one_star =
      segment.find_first_of("?[") == kNone && !literal && segment.find('*') == segment.rfind('*');
  if (literal) {
    return {Kind::kLiteral, std::string(segment)};
  }
  if (ascii && one_star && segment.back() == '*') {
    return {Kind::kPrefix, std::string(segment.substr(0, segment.size() - 1))};
  }
  if (ascii && one_star && segment.front() == '*') {
    return {Kind::kSuffix, std::string(segment.substr(1))};
  }
  return {Kind::kPattern, std::string(segment)};
}

std::optional<Glob> Glob::Compile(std::string_view pattern) {
  if (GlobProblem(pattern).has_value()) {
    return std::nullopt;
  }
  Glob glob;
  glob.text_ = std::string(pattern);
  for (const std::string_view segment : Segments(pattern)) {
    glob.segments_.push_back(Classify(segment));
  }
  return glob;
}

std::string Glob::Folder() const {
  std::string folder;
  for (size_t i = 0; i < segments_.size() && segments_[i].kind == Kind::kLiteral; ++i) {
    folder += (i > 0 ? "/" : "") + segments_[i].text;
  }
  return folder;
}

// The same walk as within a segment, with "**" for the star.
bool Glob::Walk(std::string_view path, Reach reach) const {
  const size_t end = path.empty() ? 0 : path.size() + 1;  // one behind the last segment's slash
  const auto next = [&](size_t from) { return std::min(path.find('/', from), path.size()) + 1; };
  size_t w = 0;
  size_t at = 0;  // where the next segment of the path begins
  size_t star = kNone;
  size_t star_at = 0;
  while (at < end) {
    if (reach == Reach::kAbove && w == segments_.size()) {
      return true;
    }
    const size_t after = next(at);
    if (w < segments_.size() && segments_[w].kind == Kind::kAnyRun) {
      star = ++w;
      star_at = at;
    } else if (w < segments_.size() && segments_[w].Matches(path.substr(at, after - 1 - at))) {
      ++w;
      at = after;
    } else if (star != kNone) {
      w = star;
      at = star_at = next(star_at);
    } else {
      return false;
    }
  }
  while (w < segments_.size() && segments_[w].kind == Kind::kAnyRun) {
    ++w;
  }
  return w == segments_.size();
}

bool GlobMatches(std::string_view pattern, std::string_view path) {
  const std::optional<Glob> glob = Glob::Compile(pattern);
  return glob.has_value() && glob->Matches(path);
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
        return "\"" + std::string(1, segment[c]) + "\" has no meaning in a glob";
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
