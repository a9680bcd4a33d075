#include "policy/provenance.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace nacre::policy {
namespace {

constexpr size_t kProvenanceTextBytesMax = 4U << 20;
constexpr size_t kValueBytesMax = 64U << 10;
constexpr size_t kHostBytesMax = 255;
constexpr size_t kWordsMax = 64;       // of a value that is looked up word by word
constexpr size_t kCopiedWordsMin = 3;  // fewer are said by chance

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Bytes of UTF-8 sequences count as letters: a name is not cut in the middle.
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80U;
}

// What joins words to one address: "a.b", "x@y", "n-1".
bool IsJoint(char c) {
  return c == '.' || c == '_' || c == '-' || c == '+' || c == '@' || c == '/';
}

enum class Edges { kWord = 0, kWhole };

// Whether the value at [begin, end) is not a piece of a longer word or, with kWhole, address.
bool Stands(std::string_view text, size_t begin, size_t end, Edges edges) {
  if (begin > 0 && IsWord(text[begin])) {
    const char before = text[begin - 1];
    if (IsWord(before) ||
        (edges == Edges::kWhole && IsJoint(before) && begin > 1 && IsWord(text[begin - 2]))) {
      return false;
    }
  }
  if (end < text.size() && IsWord(text[end - 1])) {
    const char after = text[end];
    if (IsWord(after) || (edges == Edges::kWhole && IsJoint(after) && end + 1 < text.size() &&
                          IsWord(text[end + 1]))) {
      return false;
    }
  }
  return true;
}

bool Occurs(std::string_view text, std::string_view value, Edges edges) {
  for (size_t at = text.find(value); at != std::string_view::npos; at = text.find(value, at + 1)) {
    if (Stands(text, at, at + value.size(), edges)) {
      return true;
    }
  }
  return false;
}

std::string WithThousands(long long number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3 && IsDigit(digits[at - 4]); at -= 3) {
    digits.insert(at - 3, 1, ',');
  }
  return digits;
}

// The value, and when it is a number the other ways in which it is written.
std::vector<std::string> Spellings(const std::string& value) {
  std::vector<std::string> spellings = {value};
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(number) ||
      std::fabs(number) >= 1e15) {
    return spellings;
  }
  const auto add = [&](const char* format) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, number);
    spellings.emplace_back(text.data());
  };
  add("%.15g");
  add("%.1f");
  add("%.2f");
  if (number == std::floor(number)) {
    spellings.push_back(WithThousands(static_cast<long long>(number)));
  }
  std::sort(spellings.begin() + 1, spellings.end());
  spellings.erase(std::unique(spellings.begin() + 1, spellings.end()), spellings.end());
  return spellings;
}

bool IsBareName(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return IsDigit(c) || c == '.' || c == '@' || c == '/' || c == ':' || c == '_';
  });
}

// How long "https://" at the beginning is, in all forms that a browser takes for it: "//", "https:", "https:/", and
// with more slashes. 0 where there is none.
size_t SchemeLength(std::string_view place) {
  static constexpr std::array<std::string_view, 5> kWithoutSlashes = {"http", "https", "ftp", "ws",
                                                                      "wss"};
  const size_t name =
      std::min(place.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-"), place.size());
  const size_t slashes = name < place.size() && name > 0 && place[name] == ':' ? name + 1 : 0;
  const size_t end = std::min(place.find_first_not_of('/', slashes), place.size());
  const bool needs_no_slash =
      slashes > 0 && std::find(kWithoutSlashes.begin(), kWithoutSlashes.end(),
                               place.substr(0, name)) != kWithoutSlashes.end();
  return needs_no_slash || end - slashes >= 2 ? end : 0;
}

std::string_view WithoutScheme(std::string_view place) {
  place.remove_prefix(SchemeLength(place));
  while (!place.empty() && place.back() == '/') {
    place.remove_suffix(1);
  }
  return place;
}

// A browser takes the one for the other.
std::string WithSlashes(std::string text) {
  std::replace(text.begin(), text.end(), '\\', '/');
  return text;
}

template <typename IsBreak>
std::vector<std::string> Split(std::string_view text, IsBreak is_break) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !is_break(text[i])) {
      continue;
    }
    if (const std::string_view part = text.substr(begin, i - begin);
        std::any_of(part.begin(), part.end(), IsWord)) {
      parts.emplace_back(part);
    }
    begin = i + 1;
  }
  return parts;
}

// What a dotted word ends with when it is a file's name and no host. Everything else that ends with
// two letters or more is taken for a host: there are too many top domains to list, and new ones come.
bool IsFileEnding(std::string_view label) {
  static constexpr std::array<std::string_view, 56> kKnown = {
      "txt",  "md",  "pdf",  "doc",  "docx", "xls", "xlsx", "ppt", "pptx", "csv",  "tsv", "json",
      "yaml", "yml", "xml",  "html", "htm",  "css", "png",  "jpg", "jpeg", "gif",  "svg", "ico",
      "zip",  "gz",  "tar",  "tgz",  "xz",   "py",  "js",   "ts",  "tsx",  "cc",   "cpp", "hpp",
      "rs",   "go",  "java", "sh",   "rb",   "php", "sql",  "log", "cfg",  "conf", "ini", "toml",
      "lock", "exe", "bat",  "bak",  "mp3",  "mp4", "wav",  "odt"};
  return std::find(kKnown.begin(), kKnown.end(), label) != kKnown.end();
}

bool IsIpv4(std::string_view host) {
  return std::count(host.begin(), host.end(), '.') == 3 &&
         std::all_of(host.begin(), host.end(), [](char c) { return IsDigit(c) || c == '.'; });
}

// Of a host without port. `leads_on`: a path or a query follows, so it is no file's name.
bool IsHost(std::string_view host, bool leads_on) {
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  if (leads_on && IsIpv4(host)) {
    return true;
  }
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {
    return false;
  }
  const std::string_view last = host.substr(dot + 1);
  return last.starts_with("xn--") ||
         (last.size() >= 2 && (leads_on || !IsFileEnding(last)) &&
          std::none_of(last.begin(), last.end(), [](char c) { return !IsWord(c) || IsDigit(c); }));
}

bool IsHostPart(char c) {
  return IsWord(c) || c == '.' || c == '-' || c == '_' || c == '@' || c == '%';
}

// Whether "//place" is one: "//a.b", "//1.2.3.4", "//2130706433", "//[fe80::1]", but no "//comment".
bool IsAfterSlashes(std::string_view place) {
  const std::string_view host = place.substr(0, place.find_first_of("/?#"));
  return host.find_first_of(".:%") != std::string_view::npos || (!host.empty() && IsDigit(host[0]));
}

// Whether the text, which has no scheme, begins with a host and, after it, what can follow one.
bool BeginsWithHost(std::string_view text) {
  const std::string_view seen = text.substr(0, kHostBytesMax + 1);
  size_t end = 0;
  while (end < seen.size() && IsHostPart(seen[end])) {
    ++end;
  }
  const std::string_view host = seen.substr(0, end);
  if (end < seen.size() && seen[end] == ':') {
    end = std::min(text.find_first_not_of("0123456789", end + 1), text.size());
  }
  const bool leads_on = end < text.size() && (text[end] == '/' || text[end] == '?');
  const bool ends = end == text.size() || text[end] == '#' || text[end] == ':';
  return (leads_on || ends) && host.find('@') == std::string_view::npos && IsHost(host, leads_on);
}

// What of a word from `begin` on is a place, or "".
std::string_view PlaceAt(std::string_view word, size_t begin) {
  const std::string_view text = word.substr(begin);
  const std::string_view place = WithoutScheme(text);
  const bool relative = text[0] == '/' && (begin == 0 || word[begin - 1] != ':');
  const bool is_place = SchemeLength(text) == 0 ? BeginsWithHost(text)
                        : relative              ? IsAfterSlashes(place)
                                                : !place.empty();
  return is_place ? place.substr(0, kValueBytesMax + 1) : std::string_view();
}

// Adds the places in what stands between spaces, quotes and brackets: they begin where it does, or behind a sign
// that is in no host ("src=//a.b", "see:a.b/c").
void AddPlacesOf(std::string_view word, std::vector<std::string>& places) {
  while (!word.empty() && std::string_view(".,;:!?*").find(word.back()) != std::string_view::npos) {
    word.remove_suffix(1);
  }
  for (size_t begin = 0; begin < word.size() && places.size() <= kPlacesMax; ++begin) {
    if (begin > 0 && (IsHostPart(word[begin - 1]) || word[begin - 1] == '/')) {
      continue;
    }
    const std::string_view place = PlaceAt(word, begin);
    if (!place.empty() && std::find(places.begin(), places.end(), place) == places.end()) {
      places.emplace_back(place);
    }
  }
}

// Without the brackets of IPv6 addresses ("https://[fe80::1]/"), which elsewhere end a word.
std::string WithoutAddressBrackets(std::string_view text) {
  std::string without;
  without.reserve(text.size());
  bool inside = false;
  for (const char c : text) {
    const bool opens = c == '[' && (without.ends_with('/') || without.ends_with('\\'));
    const bool closes = c == ']' && inside;
    inside = opens || (inside && !closes && !IsSpace(c));
    if (!opens && !closes) {
      without += c;
    }
  }
  return without;
}

// The attributes of a page that are addresses with tabs or line breaks in them, without: a browser drops them.
std::vector<std::string> BrokenAddressesIn(std::string_view text) {
  std::vector<std::string> addresses;
  for (const char quote : {'"', '\''}) {
    for (std::string& part : Split(text, [&](char c) { return c == quote; })) {
      if (std::erase_if(part, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }) == 0) {
        continue;
      }
      std::string address = WithSlashes(NormalText(part));
      address.resize(std::min(address.find_first_of(" <>\"'"), address.size()));
      if (SchemeLength(address) > 0) {
        addresses.push_back(std::move(address));
      }
    }
  }
  return addresses;
}

Origin Worst(Origin a, Origin b) {
  return std::min(a, b);
}

}  // namespace

std::string NormalText(std::string_view text) {
  std::string normal;
  normal.reserve(text.size());
  for (const char c : text) {
    if (!IsSpace(c)) {
      normal += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!normal.empty() && normal.back() != ' ') {
      normal += ' ';
    }
  }
  if (!normal.empty() && normal.back() == ' ') {
    normal.pop_back();
  }
  return normal;
}

std::vector<std::string> PlacesIn(std::string_view text) {
  std::vector<std::string> places;
  const auto is_break = [](char c) {
    return c == ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '(' || c == ')' ||
           c == '[' || c == ']' || c == '{' || c == '}' || c == ',' || c == '`' || c == '|';
  };
  const std::string whole = WithoutAddressBrackets(text);
  for (const std::string& word : Split(WithSlashes(NormalText(whole)), is_break)) {
    AddPlacesOf(word, places);
  }
  for (const std::string& address : BrokenAddressesIn(whole)) {
    AddPlacesOf(address, places);
  }
  return places;
}

void Provenance::Add(Voice voice, std::string_view text) {
  std::string& texts = texts_[static_cast<size_t>(voice)];
  if (overflowed_ || texts.size() + text.size() > kProvenanceTextBytesMax) {
    overflowed_ = true;
    return;
  }
  texts += NormalText(text);
  texts += '\n';  // no value holds one: none is found across two texts
}

Provenance::Found Provenance::Find(const std::string& value) const {
  const std::vector<std::string> spellings = Spellings(value);
  const auto in = [&](Voice voice, Edges edges) {
    return std::any_of(spellings.begin(), spellings.end(), [&](const std::string& spelling) {
      return Occurs(texts_[static_cast<size_t>(voice)], spelling, edges);
    });
  };
  // Strangers are heard at any edge, so that "x.evil.com" in their text speaks of "evil.com" too; to
  // be vouched for, a value must stand there whole.
  return {.stranger = in(Voice::kStranger, Edges::kWord),
          .trusted = in(Voice::kTrusted, Edges::kWhole),
          .user = in(Voice::kUser, Edges::kWhole)};
}

bool Provenance::Holds(const std::string& normal) const {
  return std::any_of(std::begin(texts_), std::end(texts_), [&](const std::string& texts) {
    return !normal.empty() && Occurs(texts, normal, Edges::kWord);
  });
}

Origin Provenance::Whole(const std::string& value, Names names) const {
  const Found found = Find(value);
  if (found.stranger) {
    const bool bare = IsBareName(value);
    const bool by_user = bare && found.user;
    const bool by_source =
        bare && found.trusted && names == Names::kByAnyone && value.find(' ') == std::string::npos;
    if (!by_user && !by_source) {
      return Origin::kStranger;
    }
  }
  return found.user ? Origin::kUser : found.trusted ? Origin::kTrusted : Origin::kDerived;
}

Origin Provenance::OriginOf(std::string_view value, Names names) const {
  if (overflowed_ || value.size() > kValueBytesMax) {
    return Origin::kStranger;
  }
  const std::string normal = NormalText(value);
  if (normal.empty()) {
    return Origin::kUser;
  }
  if (normal.find("://") != std::string::npos) {
    return OriginsOfPlace(value).front();
  }
  const Origin whole = Whole(normal, names);
  if (whole != Origin::kDerived) {
    return whole;
  }
  const auto words = Split(normal, [](char c) {
    return c == ' ' || c == ',' || c == ';' || c == '<' || c == '>' || c == '(' || c == ')' ||
           c == '[' || c == ']' || c == '"' || c == '\'';
  });
  // A wildcard between words names more than they do.
  const bool wildcard = normal.find_first_of("*?") != std::string::npos;
  if (words.size() < 2 || words.size() > kWordsMax || wildcard) {
    return Origin::kDerived;
  }
  Origin worst = Origin::kUser;
  for (const std::string& word : words) {
    const Origin origin = Whole(word, names);
    if (origin == Origin::kDerived) {
      return Origin::kDerived;
    }
    worst = Worst(worst, origin);
  }
  return worst;
}

std::vector<Origin> Provenance::OriginsOfPlace(std::string_view place) const {
  if (overflowed_ || place.size() > kValueBytesMax) {
    return {Origin::kStranger};
  }
  const std::string written = WithSlashes(NormalText(place));
  if (written.empty()) {
    return {Origin::kUser};
  }
  const std::string normal(WithoutScheme(written));
  const Origin whole = normal.empty() ? Origin::kDerived : Whole(normal, Names::kByUserOnly);
  if (whole != Origin::kDerived) {
    return {whole};
  }
  // A place that nobody wrote like this: its host decides whose it is.
  const size_t host_end = std::min(normal.find_first_of("/?#"), normal.size());
  const Origin host =
      host_end == 0 ? Origin::kDerived : Whole(normal.substr(0, host_end), Names::kByUserOnly);
  if (host == Origin::kDerived || host_end == normal.size()) {
    return {host};
  }
  if (host == Origin::kStranger) {
    return {Origin::kStranger, Origin::kDerived};
  }
  return {OriginOfRest(std::string_view(normal).substr(host_end), host)};
}

// Of a place below a host that the user or a trusted source named: as good as that only when every word of
// the rest is theirs, too, because it can carry data out.
Origin Provenance::OriginOfRest(std::string_view rest, Origin host) const {
  Origin worst = host;
  const auto words = Split(rest, [](char c) {
    return c == '/' || c == '?' || c == '#' || c == '&' || c == '=' || c == '+' || c == '%';
  });
  for (const std::string& word : words) {
    const Origin origin = Whole(word, Names::kByUserOnly);
    if (origin == Origin::kDerived || words.size() > kWordsMax) {
      return Origin::kDerived;
    }
    worst = Worst(worst, origin);
  }
  return worst;
}

Origin Provenance::OriginOfText(std::string_view text) const {
  if (overflowed_ || text.size() > kValueBytesMax) {
    return Origin::kStranger;
  }
  const std::string normal = NormalText(text);
  if (Split(normal, [](char c) { return c == ' '; }).size() < kCopiedWordsMin) {
    return Origin::kDerived;
  }
  const Found found = Find(normal);
  return found.stranger && !found.user ? Origin::kStranger : Origin::kDerived;
}

}  // namespace nacre::policy
