#include "runtime/audit/record_terms.h"

#include <algorithm>
#include <array>

namespace nacre::audit {
namespace {

constexpr char Lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool InWord(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' ||
         static_cast<unsigned char>(letter) >= 0x80;
}

// FNV-1a, 64 bits, finished with a multiplication because only the upper bits are kept.
class Hash {
 public:
  void Add(char letter) {
    state_ ^= static_cast<unsigned char>(Lower(letter));
    state_ *= 0x100000001b3U;
  }
  Term Finish() const {
    const Term term = (state_ ^ state_ >> 32) * 0x9e3779b97f4a7c15U >> 24;
    return term == 0 ? 1 : term;
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325U;
};

// A string may itself be JSON, as a call's arguments are: then what follows "\\n" in it is a word. How many
// letters of the word text[begin..end) could be of such an escape.
std::vector<size_t> EscapesBefore(std::string_view text, size_t begin, size_t end) {
  constexpr size_t kLetter = 1;   // \n
  constexpr size_t kControl = 5;  // \u001b
  std::vector<size_t> lengths;
  if (begin > 0 && text[begin - 1] == '\\') {
    for (const size_t length : {kLetter, kControl}) {
      if (end - begin > length) {
        lengths.push_back(length);
      }
    }
  }
  return lengths;
}

void AddTermsOfText(std::string_view text, std::vector<Term>* terms) {
  if (text.size() <= kTermBytesMax) {
    terms->push_back(TermOf(text));
  }
  for (size_t i = 0; i < text.size();) {
    if (!InWord(text[i])) {
      ++i;
      continue;
    }
    Hash word;
    const size_t begin = i;
    for (; i < text.size() && InWord(text[i]); ++i) {
      word.Add(text[i]);
    }
    if (i - begin < text.size() || text.size() > kTermBytesMax) {
      terms->push_back(word.Finish());
    }
    for (const size_t escape : EscapesBefore(text, begin, i)) {
      terms->push_back(TermOf(text.substr(begin + escape, i - begin - escape)));
    }
  }
}

// The string that begins after the quote at text[*at]; *at becomes the place after its end. `decoded` is used
// when it has escapes. False for an escape that EncodeRecord does not write.
bool TakeString(std::string_view text, size_t* at, std::string* decoded, std::string_view* string) {
  const size_t begin = *at;
  size_t end = begin;
  while (end < text.size() && text[end] != '"' && text[end] != '\\') {
    ++end;
  }
  if (end < text.size() && text[end] == '"') {
    *string = text.substr(begin, end - begin);
    *at = end + 1;
    return true;
  }
  decoded->assign(text.substr(begin, end - begin));
  for (; end < text.size() && text[end] != '"'; ++end) {
    if (text[end] != '\\') {
      decoded->push_back(text[end]);
      continue;
    }
    if (++end == text.size()) {
      return false;
    }
    switch (text[end]) {
      case '"':
      case '\\':
        decoded->push_back(text[end]);
        break;
      case 'u':  // a control character, which is part of no word
        if (text.substr(end, 4) != "u000" && text.substr(end, 4) != "u001") {
          return false;
        }
        decoded->push_back('\0');
        end += 4;
        break;
      default:
        decoded->push_back('\0');
    }
  }
  *string = *decoded;
  *at = end + 1;
  return end < text.size();
}

}  // namespace

Term TermOf(std::string_view text) {
  Hash hash;
  for (const char letter : text) {
    // As AddTerms() sees it: which control character it is makes no difference either.
    hash.Add(static_cast<unsigned char>(letter) < ' ' ? '\0' : letter);
  }
  return hash.Finish();
}

std::vector<std::string> WordsIn(std::string_view text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t begin = i;
    while (i < text.size() && InWord(text[i])) {
      ++i;
    }
    if (i == begin) {
      continue;
    }
    std::vector<size_t> skipped = EscapesBefore(text, begin, i);
    skipped.push_back(0);
    for (const size_t letters : skipped) {
      std::string word(text.substr(begin + letters, i - begin - letters));
      std::transform(word.begin(), word.end(), word.begin(), Lower);
      words.push_back(std::move(word));
    }
  }
  return words;
}

std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  for (size_t i = 0; i < text.size();) {
    if (!InWord(text[i])) {
      ++i;
      continue;
    }
    std::string word;
    for (; i < text.size() && InWord(text[i]); ++i) {
      word += Lower(text[i]);
    }
    words.push_back(std::move(word));
  }
  return words;
}

Term SealedTerm() {
  return TermOf("\x01sealed content");
}

bool AddTerms(std::string_view record, std::vector<Term>* terms) {
  constexpr std::array<std::string_view, 4> kSkipped = {"id", "previous", "time", "trace"};
  std::string decoded;
  std::string_view key;
  int depth = 0;
  for (size_t at = 0; at < record.size();) {
    const char letter = record[at++];
    depth += letter == '{' || letter == '[' ? 1 : letter == '}' || letter == ']' ? -1 : 0;
    if (letter != '"') {
      continue;
    }
    std::string_view string;
    if (!TakeString(record, &at, &decoded, &string)) {
      return false;
    }
    if (at < record.size() && record[at] == ':') {
      if (string.data() == decoded.data()) {
        return false;  // a key of ours has no escapes
      }
      key = string;
      continue;
    }
    if (key == "ciphertext") {
      terms->push_back(SealedTerm());
      continue;
    }
    if (depth != 1 || std::find(kSkipped.begin(), kSkipped.end(), key) == kSkipped.end()) {
      AddTermsOfText(string, terms);
    }
  }
  return true;
}

}  // namespace nacre::audit
