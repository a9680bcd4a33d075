#include "runtime/audit/redaction.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/digest.h"
#include "base/random.h"

namespace nacre::audit {
namespace {

constexpr size_t kIdDigits = 16;

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
// Of a name: api_key, api-key, aws.secret
bool IsNameByte(char c) {
  return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.';
}
bool IsTokenByte(char c) {
  return IsNameByte(c) || c == '+' || c == '/' || c == '=' || c == '~' || c == '%';
}
bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// "Api-Key" is "apikey".
std::string Normalised(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (IsLetterOrDigit(c)) {
      plain += Lower(c);
    }
  }
  return plain;
}

bool IsSecretName(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWithin = {"password",  "passwd",     "passphrase",
                                                       "apikey",    "accesskey",  "privatekey",
                                                       "secretkey", "credential", "authorization"};
  constexpr std::array<std::string_view, 7> kAtTheEnd = {"secret",  "secrets", "token",   "cookie",
                                                         "cookies", "pwd",     "passcode"};
  const std::string plain = Normalised(name);
  return std::any_of(
             kWithin.begin(), kWithin.end(),
             [&](std::string_view word) { return plain.find(word) != std::string::npos; }) ||
         std::any_of(kAtTheEnd.begin(), kAtTheEnd.end(),
                     [&](std::string_view word) { return plain.ends_with(word); });
}

// Its value goes to the end of the line: "Authorization: Basic abc==".
bool IsHeaderName(std::string_view name) {
  const std::string plain = Normalised(name);
  return plain.ends_with("authorization") || plain.ends_with("cookie");
}

// What tokens of well-known services begin with, and nacre's own keys.
constexpr std::array<std::string_view, 28> kTokenBeginnings = {"ghp_",         "gho_",
                                                               "ghu_",         "ghs_",
                                                               "ghr_",         "github_pat_",
                                                               "glpat-",       "sk-",
                                                               "sk_live_",     "rk_live_",
                                                               "xoxa-",        "xoxb-",
                                                               "xoxp-",        "xoxr-",
                                                               "xoxs-",        "AKIA",
                                                               "ASIA",         "AIza",
                                                               "ya29.",        "eyJ",
                                                               "npm_",         "pypi-",
                                                               "hf_",          "SG.",
                                                               "dop_v1_",      "AGE-SECRET-KEY-",
                                                               "PRIVATE+KEY+", "whsec_"};
constexpr size_t kTokenBytesMin = 16;  // of one, with its beginning
constexpr std::string_view kPrivateKeyBegin = "-----BEGIN ";

std::string IdOf(std::string_view secret) {
  static const std::string key = [] {
    std::string bytes(32, '\0');
    SystemRandom().Fill(std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
    return bytes;
  }();
  return ToHex(Sha256(key, secret)).substr(0, kIdDigits);
}

void AppendMark(std::string_view kind, std::string_view secret, Redacted* out) {
  ++out->marks;
  out->content += "[redacted " + std::string(kind) + ", " + std::to_string(secret.size()) +
                  " bytes, " + IdOf(secret) + "]";
}

class TextRedactor final {
 public:
  explicit TextRedactor(std::string_view text) : text_(text) {}

  Redacted Run() {
    while (at_ < text_.size()) {
      if (!PrivateKey() && !UserInfo() && !(AtBeginningOfWord() && Word())) {
        out_.content += text_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  std::string_view Rest() const { return text_.substr(at_); }
  // The n of a line's end that is written as \n is no part of a word.
  bool AfterBackslash(size_t at) const {
    return at > 0 && text_[at - 1] == '\\' &&
           std::string_view("nrt").find(text_[at]) != std::string_view::npos;
  }
  bool AtBeginningOfWord() const {
    return at_ == 0 || !IsNameByte(text_[at_ - 1]) || AfterBackslash(at_ - 1);
  }
  // The end of the run of bytes from `begin` on for which `is` holds.
  template <typename Is>
  size_t EndOf(size_t begin, Is is) const {
    while (begin < text_.size() && is(text_[begin])) {
      ++begin;
    }
    return begin;
  }
  void Copy(size_t end) {
    out_.content += text_.substr(at_, end - at_);
    at_ = end;
  }
  void Mark(std::string_view kind, size_t end) {
    AppendMark(kind, text_.substr(at_, end - at_), &out_);
    at_ = end;
  }

  // From "-----BEGIN ... PRIVATE KEY" to the end of its last line; without one, all that follows.
  bool PrivateKey() {
    constexpr std::string_view kPrivate = "PRIVATE KEY";
    constexpr size_t kKindBytesMax = 40;
    if (!Rest().starts_with(kPrivateKeyBegin) ||
        Rest().substr(0, kPrivateKeyBegin.size() + kKindBytesMax).find(kPrivate) ==
            std::string_view::npos) {
      return false;
    }
    const size_t last = text_.find("-----END ", at_);
    const size_t dashes = last == std::string_view::npos ? last : text_.find("-----", last + 9);
    Mark("private-key", dashes == std::string_view::npos ? text_.size() : dashes + 5);
    return true;
  }

  // The password in "https://name:password@host/".
  bool UserInfo() {
    if (!Rest().starts_with("://")) {
      return false;
    }
    const size_t end = EndOf(at_ + 3, [](char c) {
      return IsTokenByte(c) ? c != '/'
                            : std::string_view(":@!$&'()*,;").find(c) != std::string_view::npos;
    });
    const std::string_view authority = text_.substr(at_, end - at_);
    const size_t host = authority.rfind('@');
    const size_t colon = authority.find(':', 3);
    if (host == std::string_view::npos || colon == std::string_view::npos || colon + 1 >= host) {
      return false;
    }
    const size_t begin = at_;
    Copy(begin + colon + 1);
    Mark("authorization", begin + host);
    return true;
  }

  // What begins at the beginning of a word: a token, "Bearer TOKEN", a telling name with its value; else it is copied.
  bool Word() {
    if (AfterBackslash(at_)) {
      return false;
    }
    size_t end = EndOf(at_, IsNameByte);
    // One byte more: what follows the dashes is a blank.
    const size_t private_key = text_.substr(at_, end - at_ + 1).find(kPrivateKeyBegin);
    if (private_key != std::string_view::npos && private_key > 0) {
      end = at_ + private_key;
    }
    if (end == at_) {
      return false;
    }
    if (Token()) {
      return true;
    }
    const std::string_view word = text_.substr(at_, end - at_);
    const std::string plain = word.size() <= 6 ? Normalised(word) : std::string();
    if (plain == "bearer" || plain == "basic") {
      const size_t begin = EndOf(end, IsBlank);
      const size_t token_end = EndOf(begin, IsTokenByte);
      if (begin > end && token_end - begin >= 8) {
        Copy(begin);
        Mark("authorization", token_end);
        return true;
      }
    }
    if (IsSecretName(word)) {
      return Value(word, end);
    }
    // "backup-ghp_..."
    for (const size_t whole = end; at_ < whole;) {
      Copy(at_ + 1);
      if (at_ < whole && !IsLetterOrDigit(text_[at_ - 1]) && Token()) {
        break;
      }
    }
    return true;
  }

  bool Token() {
    const bool known = std::any_of(kTokenBeginnings.begin(), kTokenBeginnings.end(),
                                   [&](std::string_view each) { return Rest().starts_with(each); });
    const size_t end = known ? EndOf(at_, IsTokenByte) : at_;
    if (end - at_ < kTokenBytesMin) {
      return false;
    }
    Mark("token", end);
    return true;
  }

  // The name from at_ to `name_end` is copied, and its value becomes a mark: name=value, "name": "value", --name value.
  bool Value(std::string_view name, size_t name_end) {
    const bool option = name.starts_with("--");
    const bool header = IsHeaderName(name);
    size_t begin =
        EndOf(name_end, [](char c) { return c == '"' || c == '\'' || c == '\\' || c == ']'; });
    begin = EndOf(begin, IsBlank);
    const size_t sign = EndOf(begin, [](char c) { return c == ':' || c == '=' || c == '>'; });
    const bool assigned = sign > begin;
    begin = assigned ? EndOf(sign, IsBlank) : begin;
    // A quoted value may stand on the next line.
    const size_t next = EndOf(begin, [](char c) { return IsBlank(c) || c == '\n' || c == '\r'; });
    if (assigned && next < text_.size() && (text_[next] == '"' || text_[next] == '\'')) {
      begin = next;
    }
    if (!assigned && !(option && begin > name_end && begin < text_.size() && text_[begin] != '-')) {
      Copy(name_end);
      return true;
    }
    // A quote may itself be quoted: \"value\".
    const size_t quote = EndOf(begin, [](char c) { return c == '\\'; });
    if (quote < text_.size() && (text_[quote] == '"' || text_[quote] == '\'')) {
      const size_t end = EndOfQuoted(quote + 1, text_[quote], quote > begin);
      Copy(quote + 1);
      if (end > at_) {
        Mark("named", end);
      }
      return true;
    }
    const size_t end = EndOf(begin, [&](char c) {
      return c != '\n' && c != '\r' &&
             (header || std::string_view(" \t,;&)}]\"'").find(c) == std::string_view::npos);
    });
    Copy(begin);
    // A list or a map says itself what is in it.
    const bool opens = end == begin + 1 && (text_[begin] == '{' || text_[begin] == '[');
    if (end > at_ && !opens) {
      Mark("named", end);
    }
    return true;
  }

  size_t EndOfQuoted(size_t begin, char quote, bool quoted) const {
    for (size_t i = begin; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        return i;
      }
      if (text_[i] == '\\') {
        if (quoted && i + 1 < text_.size() && text_[i + 1] == quote) {
          return i;
        }
        ++i;
      }
    }
    return text_.size();
  }

  const std::string_view text_;
  size_t at_ = 0;
  Redacted out_;
};

class ArgumentRedactor final {
 public:
  explicit ArgumentRedactor(bool confidential) : confidential_(confidential) {}

  Redacted Run(const Json& arguments) {
    // What ParseToolCall has let through is not deeper than JsonLimits.
    out_.content = DumpJson(Value(arguments, confidential_ ? "confidential" : "", 0));
    return std::move(out_);
  }

 private:
  // `kind`: of all in it; empty: what its form and its names say.
  Json Value(const Json& value, const std::string& kind, int depth) {
    if (value.is_object()) {
      Json object = Json::object();
      for (const auto& [name, member] : value.items()) {
        const std::string of_member = kind.empty() && IsSecretName(name) ? "named" : kind;
        const std::string of_name = confidential_ ? kind : std::string();
        object[depth == 0 ? name : Text(name, of_name)] = Value(member, of_member, depth + 1);
      }
      return object;
    }
    if (value.is_array()) {
      return Array(value, kind, depth);
    }
    if (value.is_string()) {
      return Text(value.get_ref<const std::string&>(), kind);
    }
    return kind.empty() || value.is_null() ? value : Json(Text(DumpJson(value), kind));
  }

  // It may be a command: ["--token", "x"], ["--password=all of it"].
  Json Array(const Json& value, const std::string& kind, int depth) {
    Json array = Json::array();
    bool named = false;  // by the element before
    for (const Json& element : value) {
      const std::string text = element.is_string() ? element.get<std::string>() : std::string();
      const size_t name = EndOfTellingName(text);
      if (kind.empty() && !named && name < text.size() && text[name] == '=') {
        array.push_back(text.substr(0, name + 1) + Text(text.substr(name + 1), "named"));
      } else {
        array.push_back(Value(element, kind.empty() && named ? "named" : kind, depth + 1));
      }
      named = !text.empty() && ((name == text.size() && text.front() == '-') ||
                                (name + 1 == text.size() && text.back() == ':'));
    }
    return array;
  }

  // Of a name at the beginning after which a secret comes; npos when there is none.
  static size_t EndOfTellingName(std::string_view text) {
    const auto end = std::find_if_not(text.begin(), text.end(), IsNameByte);
    const auto length = static_cast<size_t>(end - text.begin());
    return IsSecretName(text.substr(0, length)) ? length : std::string_view::npos;
  }

  std::string Text(const std::string& text, const std::string& kind) {
    Redacted one;
    if (kind.empty()) {
      one = RedactText(text, false);
    } else if (!text.empty()) {
      AppendMark(kind, text, &one);
    }
    out_.marks += one.marks;
    return std::move(one.content);
  }

  const bool confidential_;
  Redacted out_;
};

}  // namespace

Redacted RedactText(std::string_view text, bool confidential) {
  if (!confidential) {
    return TextRedactor(text).Run();
  }
  Redacted out;
  if (!text.empty()) {
    AppendMark("confidential", text, &out);
  }
  return out;
}

Redacted RedactArguments(const Json& arguments, bool confidential) {
  return ArgumentRedactor(confidential).Run(arguments);
}

}  // namespace nacre::audit
