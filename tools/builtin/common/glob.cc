#include "tools/builtin/common/glob.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace nacre::tools::builtin {
namespace {

// The bytes of the character at the front of `text`, which is not empty; 1 when it is not UTF-8.
size_t CharacterSize(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const size_t size = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : lead >= 0xC0U ? 2 : 1;
  return size <= text.size() ? size : 1;
}

std::string_view TakeCharacter(std::string_view* text) {
  const std::string_view character = text->substr(0, CharacterSize(*text));
  text->remove_prefix(character.size());
  return character;
}

// What follows '[': whether `character` is in the set. False in *closed when no ']' ends it.
bool InSet(std::string_view* pattern, std::string_view character, bool* closed) {
  std::string_view rest = *pattern;
  const bool negated = !rest.empty() && rest.front() == '!';
  if (negated) {
    rest.remove_prefix(1);
  }
  bool found = false;
  for (bool first = true; !rest.empty() && (first || rest.front() != ']'); first = false) {
    const std::string_view low = TakeCharacter(&rest);
    std::string_view high = low;
    if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      rest.remove_prefix(1);
      high = TakeCharacter(&rest);
    }
    // Byte order of UTF-8 is the order of the characters.
    found = found || (low <= character && character <= high);
  }
  *closed = !rest.empty();
  if (*closed) {
    rest.remove_prefix(1);
    *pattern = rest;
  }
  return found != negated;
}

// Whether the front of the pattern, which is no '*', matches the front of the name; takes both.
bool TakeOne(std::string_view* pattern, std::string_view* name) {
  if (pattern->empty() || name->empty()) {
    return false;
  }
  const std::string_view wanted = TakeCharacter(pattern);
  const std::string_view character = TakeCharacter(name);
  if (wanted == "?") {
    return true;
  }
  if (wanted == "[") {
    bool closed = false;
    const bool found = InSet(pattern, character, &closed);
    if (closed) {
      return found;
    }
  }
  return wanted == character;
}

// Without alternatives.
bool MatchesOne(std::string_view pattern, std::string_view name) {
  // Only the last star needs to be tried again: an earlier one could only give the same choices.
  std::string_view pattern_after_star;
  std::string_view name_at_star;
  bool starred = false;
  while (true) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      pattern_after_star = pattern;
      name_at_star = name;
      starred = true;
      continue;
    }
    if (pattern.empty() && name.empty()) {
      return true;
    }
    if (TakeOne(&pattern, &name)) {
      continue;
    }
    if (!starred || name_at_star.empty()) {
      return false;
    }
    TakeCharacter(&name_at_star);
    pattern = pattern_after_star;
    name = name_at_star;
  }
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view name) {
  const size_t open = pattern.find('{');
  const size_t close = open == pattern.npos ? open : pattern.find('}', open);
  if (close == pattern.npos || pattern.substr(open, close - open).find(',') == pattern.npos) {
    return MatchesOne(pattern, name);
  }
  for (size_t begin = open + 1; begin <= close;) {
    const size_t end = std::min(pattern.find(',', begin), close);
    std::string one(pattern.substr(0, open));
    one += pattern.substr(begin, end - begin);
    one += pattern.substr(close + 1);
    if (MatchesOne(one, name)) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

}  // namespace nacre::tools::builtin
