#include "policy/result_fields.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace nacre::policy {
namespace {

constexpr size_t kResultFieldBytesMax = 1U << 20;
constexpr size_t kResultFieldsMax = 65'536;
constexpr int kResultDepthMax = 16;

using Fields = std::vector<ResultField>;

bool AddField(Fields& fields, const std::vector<std::string>& keys, std::string text) {
  if (fields.size() >= kResultFieldsMax) {
    return false;
  }
  fields.push_back({keys, std::move(text)});
  return true;
}

bool AddJson(const Json& value, std::vector<std::string>& keys, Fields& fields) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      keys.push_back(key);
      const bool added = AddJson(member, keys, fields);
      keys.pop_back();
      if (!added) {
        return false;
      }
    }
    return !value.empty() || AddField(fields, keys, "");
  }
  if (value.is_array()) {
    return std::all_of(value.begin(), value.end(),
                       [&](const Json& item) { return AddJson(item, keys, fields); });
  }
  return AddField(fields, keys, value.is_string() ? value.get<std::string>() : DumpJson(value));
}

// Reads line by line. A value's column is where its first character stands: what belongs to a map at
// column N stands at N, what belongs to one of its values deeper.
class YamlReader {
 public:
  explicit YamlReader(std::string_view text) {
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      lines_.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  std::optional<Fields> Read() {
    SkipBlank();
    if (AtEnd() || !Block(0, 0)) {
      return std::nullopt;
    }
    SkipBlank();
    return AtEnd() ? std::optional<Fields>(std::move(fields_)) : std::nullopt;
  }

 private:
  bool AtEnd() const { return line_ >= lines_.size(); }
  std::string_view Rest() const { return lines_[line_].substr(column_); }

  static size_t Indent(std::string_view line) {
    return std::min(line.find_first_not_of(' '), line.size());
  }

  static bool IsBlank(std::string_view line) {
    return line.find_first_not_of(' ') == std::string_view::npos;
  }

  // To the first character of the next line that has any; stays where it is when this line has more.
  void SkipBlank() {
    while (!AtEnd() && IsBlank(Rest())) {
      ++line_;
      column_ = 0;
    }
    if (!AtEnd() && column_ == 0) {
      column_ = Indent(lines_[line_]);
    }
  }

  void NextLine() {
    ++line_;
    column_ = 0;
    SkipBlank();
  }

  // The value that begins here, at a column of at least `least`.
  bool Block(size_t least, int depth) {
    if (depth > kResultDepthMax || AtEnd() || column_ < least) {
      return false;
    }
    const size_t column = column_;
    if (IsDash()) {
      return List(column, depth);
    }
    std::string key;
    size_t after = 0;
    if (Key(key, after)) {
      return Map(column, depth);
    }
    return Scalar(least);
  }

  bool IsDash() const {
    const std::string_view rest = Rest();
    return !rest.empty() && rest[0] == '-' && (rest.size() == 1 || rest[1] == ' ');
  }

  bool List(size_t column, int depth) {
    while (!AtEnd() && column_ == column && IsDash()) {
      const size_t item_line = line_;
      ++column_;
      while (column_ < lines_[line_].size() && lines_[line_][column_] == ' ') {
        ++column_;
      }
      if (column_ >= lines_[line_].size()) {
        NextLine();
        if (AtEnd() || column_ <= column) {  // "-" alone: nothing
          if (!AddField(fields_, keys_, "")) {
            return false;
          }
          continue;
        }
      }
      if (!Block(column + 1, depth + 1) || line_ == item_line) {
        return false;
      }
    }
    return AtEnd() || column_ <= column;
  }

  bool Map(size_t column, int depth) {
    while (!AtEnd() && column_ == column && !IsDash()) {
      std::string key;
      size_t after = 0;
      if (!Key(key, after)) {
        return false;
      }
      keys_.push_back(std::move(key));
      const bool read = MapValue(column, after, depth);
      keys_.pop_back();
      if (!read) {
        return false;
      }
    }
    return AtEnd() || column_ <= column;
  }

  // What stands behind "key:", which ends at `after`.
  bool MapValue(size_t column, size_t after, int depth) {
    column_ = after;
    while (column_ < lines_[line_].size() && lines_[line_][column_] == ' ') {
      ++column_;
    }
    if (column_ < lines_[line_].size()) {
      return Scalar(column + 1);
    }
    NextLine();
    // A list may stand at the column of its key.
    if (!AtEnd() && (column_ > column || (column_ == column && IsDash()))) {
      return Block(column, depth + 1);
    }
    return AddField(fields_, keys_, "");
  }

  // Whether a key and its colon stand here; `after` is the column behind the colon.
  bool Key(std::string& key, size_t& after) const {
    const std::string_view line = lines_[line_];
    size_t end = column_;
    if (line[column_] == '\'' || line[column_] == '"') {
      end = QuotedKey(key);
      if (end == std::string_view::npos) {
        return false;
      }
    } else {
      if (std::string_view("[]{}&*!|>%@`#?,").find(line[column_]) != std::string_view::npos) {
        return false;
      }
      while (end < line.size() &&
             !(line[end] == ':' && (end + 1 == line.size() || line[end + 1] == ' '))) {
        ++end;
      }
      key = std::string(line.substr(column_, end - column_));
    }
    if (end >= line.size() || line[end] != ':' || (end + 1 < line.size() && line[end + 1] != ' ')) {
      return false;
    }
    after = end + 1;
    return true;
  }

  // The column behind the closing quote of a key on this line, or npos.
  size_t QuotedKey(std::string& key) const {
    const std::string_view line = lines_[line_];
    const char quote = line[column_];
    for (size_t at = column_ + 1; at < line.size(); ++at) {
      if (quote == '"' && line[at] == '\\') {
        return std::string_view::npos;  // no encoder needs it in a key that one would vouch for
      }
      if (line[at] != quote) {
        key += line[at];
      } else if (quote == '\'' && at + 1 < line.size() && line[at + 1] == quote) {
        key += line[at++];
      } else {
        return at + 1;
      }
    }
    return std::string_view::npos;
  }

  // A scalar, or [] and {} on one line. Ends on the next line that has something.
  bool Scalar(size_t least) {
    const char first = Rest()[0];
    if (first == '\'' || first == '"') {
      return Quoted(first, least);
    }
    if (first == '|' || first == '>') {
      return BlockScalar(least);
    }
    if (first == '[' || first == '{') {
      return Flow();
    }
    if (std::string_view("&*!%@`#]},?").find(first) != std::string_view::npos) {
      return false;
    }
    std::string text(Rest());
    if (HidesMore(text)) {
      return false;
    }
    NextLine();
    // A plain scalar goes on where lines are deeper than what it belongs to.
    while (!AtEnd() && column_ >= least && least > 0) {
      const std::string_view line = Rest();
      if (HidesMore(line)) {
        return false;
      }
      text += ' ';
      text += line;
      NextLine();
    }
    return AddField(fields_, keys_, std::move(text));
  }

  // No encoder writes a plain scalar with these.
  static bool HidesMore(std::string_view text) {
    return text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos ||
           (!text.empty() && text.back() == ':');
  }

  // A line of a quoted scalar that is not deeper than what it belongs to would be refused by YAML.
  bool Quoted(char quote, size_t least) {
    std::string text;
    ++column_;
    while (true) {
      const std::string_view line = lines_[line_];
      while (column_ < line.size()) {
        const char c = line[column_++];
        if (quote == '"' && c == '\\') {
          if (column_ == line.size()) {
            break;  // the line goes on without a break
          }
          if (!Escape(text)) {
            return false;
          }
        } else if (c != quote) {
          text += c;
        } else if (quote == '\'' && column_ < line.size() && line[column_] == quote) {
          text += quote;
          ++column_;
        } else {
          if (!IsBlank(Rest())) {
            return false;
          }
          NextLine();
          return AddField(fields_, keys_, std::move(text));
        }
      }
      text += '\n';
      do {
        ++line_;
      } while (!AtEnd() && IsBlank(lines_[line_]));
      if (AtEnd()) {
        return false;
      }
      column_ = Indent(lines_[line_]);
      if (column_ < least) {
        return false;
      }
    }
  }

  bool Escape(std::string& text) {
    const std::string_view line = lines_[line_];
    const char c = line[column_++];
    size_t digits = 0;
    switch (c) {
      case 'n':
        text += '\n';
        return true;
      case 't':
        text += '\t';
        return true;
      case 'r':
        text += '\r';
        return true;
      case '"':
      case '\\':
      case '/':
      case ' ':
        text += c;
        return true;
      case 'e':
      case '0':
      case 'a':
      case 'b':
      case 'f':
      case 'v':
      case 'N':
      case '_':
      case 'L':
      case 'P':
        text += ' ';
        return true;
      case 'x':
        digits = 2;
        break;
      case 'u':
        digits = 4;
        break;
      case 'U':
        digits = 8;
        break;
      default:
        return false;
    }
    uint32_t code = 0;
    for (size_t i = 0; i < digits; ++i, ++column_) {
      const char digit = column_ < line.size() ? line[column_] : '?';
      const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                        : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                        : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                       : -1;
      if (value < 0) {
        return false;
      }
      code = code * 16 + static_cast<uint32_t>(value);
    }
    AppendUtf8(code, text);
    return true;
  }

  static void AppendUtf8(uint32_t code, std::string& text) {
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      code = 0xFFFD;
    }
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xC0U | (code >> 6U));
      text += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
      text += static_cast<char>(0xE0U | (code >> 12U));
      text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
      text += static_cast<char>(0xF0U | (code >> 18U));
      text += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
      text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
      text += static_cast<char>(0x80U | (code & 0x3FU));
    }
  }

  // "|", "|-", ">+" and the like; what follows deeper is the text.
  bool BlockScalar(size_t least) {
    const std::string_view head = Rest();
    if (head.size() > 2 || (head.size() == 2 && head[1] != '-' && head[1] != '+')) {
      return false;
    }
    std::string text;
    ++line_;
    while (!AtEnd() &&
           (IsBlank(lines_[line_]) || Indent(lines_[line_]) >= std::max<size_t>(least, 1))) {
      text += lines_[line_].substr(Indent(lines_[line_]));
      text += '\n';
      ++line_;
    }
    column_ = 0;
    SkipBlank();
    return AddField(fields_, keys_, std::move(text));
  }

  // Only what fits one line and JSON can read, with either quote.
  bool Flow();

  std::vector<std::string_view> lines_;
  size_t line_ = 0;
  size_t column_ = 0;
  std::vector<std::string> keys_;
  Fields fields_;
};

// 'a' to "a", None to null and so on, for what Python shows of a map. What is no such text comes out
// as something that is no JSON.
std::string WithDoubleQuotes(std::string_view text) {
  std::string json;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c != '\'' && c != '"') {
      const auto word = [&](std::string_view python, std::string_view replacement) {
        if (text.substr(at, python.size()) == python) {
          json += replacement;
          at += python.size();
          return true;
        }
        return false;
      };
      if (!word("None", "null") && !word("True", "true") && !word("False", "false")) {
        json += c;
        ++at;
      }
      continue;
    }
    json += '"';
    for (++at; at < text.size() && text[at] != c; ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) {
        ++at;
        if (text[at] != '\'') {
          json += '\\';
        }
        json += text[at];
      } else if (text[at] == '"') {
        json += "\\\"";
      } else {
        json += text[at];
      }
    }
    json += '"';
    ++at;
  }
  return json;
}

bool AddJsonText(std::string_view text, std::vector<std::string>& keys, Fields& fields) {
  const JsonLimits limits = {.bytes_max = kResultFieldBytesMax, .depth_max = kResultDepthMax};
  Result<Json> parsed = ParseJson(text, limits);
  if (!parsed.ok()) {
    parsed = ParseJson(WithDoubleQuotes(text), limits);
  }
  return parsed.ok() && AddJson(parsed.value(), keys, fields);
}

bool YamlReader::Flow() {
  const std::string text(Rest());
  NextLine();
  return AddJsonText(text, keys_, fields_);
}

}  // namespace

std::optional<std::vector<ResultField>> ReadResultFields(ResultFormat format,
                                                         std::string_view text) {
  if (text.size() > kResultFieldBytesMax) {
    return std::nullopt;
  }
  if (format == ResultFormat::kText) {
    return Fields{{{}, std::string(text)}};
  }
  if (format == ResultFormat::kJson) {
    Fields fields;
    std::vector<std::string> keys;
    return AddJsonText(text, keys, fields) ? std::optional<Fields>(std::move(fields))
                                           : std::nullopt;
  }
  return YamlReader(text).Read();
}

}  // namespace nacre::policy
