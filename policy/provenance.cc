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
constexpr size_t kPlacesMax = 64;
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

std::string_view WithoutScheme(std::string_view place) {
  const size_t scheme = place.find("://");
  if (scheme != std::string_view::npos) {
    place.remove_prefix(scheme + 3);
  }
  while (!place.empty() && place.back() == '/') {
    place.remove_suffix(1);
  }
  return place;
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

bool IsHost(std::string_view host) {
  if (const size_t port = host.find(':'); port != std::string_view::npos) {
    host = host.substr(0, port);
  }
  const size_t dot = host.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {
    return false;
  }
  const std::string_view last = host.substr(dot + 1);
  return last.size() >= 2 && !IsFileEnding(last) &&
         std::none_of(last.begin(), last.end(), [](char c) { return !IsWord(c) || IsDigit(c); });
}

// Of what stands between spaces, quotes and brackets: the place it is, or "".
std::string PlaceOf(std::string_view word) {
  while (!word.empty() &&
         (word.back() == '.' || word.back() == ',' || word.back() == ';' || word.back() == ':' ||
          word.back() == '!' || word.back() == '?' || word.back() == '*')) {
    word.remove_suffix(1);
  }
  const bool scheme = word.find("://") != std::string_view::npos;
  const std::string_view place = WithoutScheme(word);
  const std::string_view host = place.substr(0, place.find_first_of("/?#"));
  if (host.empty() || host.find('@') != std::string_view::npos) {
    return scheme && !host.empty() ? std::string(place) : std::string();
  }
  return scheme || IsHost(host) ? std::string(place) : std::string();
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
  for (const std::string& word : Split(NormalText(text), is_break)) {
    std::string place = PlaceOf(word);
    if (!place.empty() && places.size() < kPlacesMax) {
      places.push_back(std::move(place));
    }
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
  const std::string written = NormalText(place);
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
