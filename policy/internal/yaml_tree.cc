#include "policy/internal/yaml_tree.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace nacre::policy {
namespace {

constexpr size_t kDepthMax = 32;
constexpr size_t kNone = std::string_view::npos;

constexpr const char* kNoAliases =
    "YAML anchors and aliases are not accepted; write the value out, and quote a glob that begins "
    "with *";
constexpr const char* kNoTags = "YAML tags are not accepted";
constexpr const char* kOneDocument = "a policy file holds one document";
constexpr const char* kOneLine =
    "a text without quotes ends with its line; put it in quotes, or write > and the text below";

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

// The length of "[0]", "[*]" or "[?]" at `from`, or 0.
size_t StepLength(std::string_view text, size_t from) {
  if (from >= text.size() || text[from] != '[') {
    return 0;
  }
  size_t end = from + 1;
  if (end < text.size() && (text[end] == '*' || text[end] == '?')) {
    ++end;
  } else {
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) {
      ++end;
    }
  }
  return end > from + 1 && end < text.size() && text[end] == ']' ? end + 1 - from : 0;
}

// The length of the well-formed UTF-8 character at `from` (RFC 3629, so no surrogates and no
// overlong forms), or 0.
size_t CharacterLength(std::string_view text, size_t from) {
  const auto byte = [&](size_t i) -> unsigned {
    return from + i < text.size() ? static_cast<unsigned char>(text[from + i]) : 0U;
  };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F);
    return !bad && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool bad = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return !bad && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7F;
}

void AppendUtf8(uint32_t code_point, std::string& text) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | code_point >> 6U);
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | code_point >> 12U);
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | code_point >> 18U);
    put(0x80U | (code_point >> 12U & 0x3FU));
    put(0x80U | (code_point >> 6U & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

// Thrown within this file only.
struct Refused {
  YamlProblem problem;
};

// One pass over the text, by recursive descent. Columns count bytes, from 0 inside.
class Reader final {
 public:
  Reader(std::string_view text, size_t nodes_max) : text_(text), nodes_max_(nodes_max) {}

  YamlNode Document() {
    SkipToContent();
    if (AtMarker("---")) {
      at_ += 3;
      SkipToContent();
    }
    YamlNode root;
    if (!AtEnd() && !AtMarker("---") && !AtMarker("...")) {
      root = Node(-1, 0);
    }
    SkipToContent();
    if (!AtEnd()) {
      const bool marker = AtMarker("---") || AtMarker("...");
      Refuse(marker ? kOneDocument : "not valid YAML: this belongs to nothing above it");
    }
    return root;
  }

 private:
  // --- Where we are ---

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  int Column() const { return static_cast<int>(at_ - line_start_); }
  // A blank, a line's end or the text's end follows `ahead` characters from here.
  bool Separated(size_t ahead) const {
    const char c = Peek(ahead);
    return at_ + ahead >= text_.size() || IsBlank(c) || c == '\n' || c == '\r';
  }
  bool AtMarker(const char* marker) const {
    return Column() == 0 && text_.substr(at_, 3) == marker && Separated(3);
  }
  bool AtDash() const { return Peek() == '-' && Separated(1); }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Refused{{line_, Column() + 1, what}};
  }
  [[noreturn]] static void RefuseAt(const YamlNode& node, const std::string& what) {
    throw Refused{{node.line, node.column, what}};
  }

  YamlNode New(YamlNode::Kind kind) {
    if (++nodes_ > nodes_max_) {
      Refuse("more than " + std::to_string(nodes_max_) + " values");
    }
    YamlNode node;
    node.kind = kind;
    node.line = line_;
    node.column = Column() + 1;
    return node;
  }
  // A value that is not there stands where its key does.
  YamlNode NewNull(const YamlNode& key) {
    YamlNode node = New(YamlNode::Kind::kNull);
    node.line = key.line;
    node.column = key.column;
    return node;
  }

  // --- Blanks and lines ---

  void NextLine() {
    at_ += Peek() == '\r' ? 2 : 1;
    line_start_ = at_;
    ++line_;
  }
  bool AtLineEnd() const { return AtEnd() || Peek() == '\n' || Peek() == '\r'; }

  // Blanks and a comment of this line.
  void SkipRest() {
    const size_t from = at_;
    while (IsBlank(Peek())) {
      ++at_;
    }
    if (Peek() == '#' && (at_ > from || Column() == 0)) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      if (at_ > 0 && text_[at_ - 1] == '\r' && !AtEnd()) {
        --at_;
      }
    }
  }

  // To the next thing that is neither blank nor a comment, on this or a later line.
  void SkipToContent() {
    bool first_of_line = at_ == line_start_;
    SkipRest();
    while (!AtEnd() && AtLineEnd()) {
      NextLine();
      SkipRest();
      first_of_line = true;
    }
    if (first_of_line && !AtEnd() &&
        text_.substr(line_start_, at_ - line_start_).find('\t') != kNone) {
      Refuse("not valid YAML: a tab cannot indent; use spaces");
    }
  }

  // --- Blocks ---

  // What begins at this very place. `indent`: of what holds it; its parts stand deeper.
  YamlNode Node(int indent, size_t depth) {
    CheckDepth(depth);
    if (AtDash()) {
      return Sequence(Column(), depth);
    }
    const int column = Column();
    switch (Peek()) {
      case '[':
      case '{':
        return WholeLine(Flow(depth));
      case '|':
      case '>':
        return BlockText(indent);
      default:
        break;
    }
    YamlNode scalar = Scalar(/*in_flow=*/false);
    if (AtColon()) {
      return Map(std::move(scalar), column, depth);
    }
    return WholeLine(std::move(scalar));
  }

  void CheckDepth(size_t depth) const {
    if (depth >= kDepthMax) {
      Refuse("nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
  }

  bool AtColon() const { return Peek() == ':' && Separated(1); }

  // Nothing but a comment may follow on the line.
  YamlNode WholeLine(YamlNode node) {
    SkipRest();
    if (!AtLineEnd()) {
      Refuse(AtColon() ? "not valid YAML: only a word or a quoted text can be a key"
                       : "not valid YAML: the line should end here");
    }
    return node;
  }

  YamlNode Sequence(int column, size_t depth) {
    YamlNode list = New(YamlNode::Kind::kSequence);
    while (!AtEnd() && Column() == column && AtDash()) {
      YamlNode dash;
      dash.line = line_;
      dash.column = Column() + 1;
      ++at_;
      SkipToContent();
      const bool there = !AtEnd() && Column() > column && !AtMarker("---");
      list.items.push_back(there ? Node(column, depth + 1) : NewNull(dash));
      SkipToContent();
    }
    CheckDedent(column);
    return list;
  }

  YamlNode Map(YamlNode key, int column, size_t depth) {
    YamlNode map = New(YamlNode::Kind::kMap);
    map.line = key.line;
    map.column = key.column;
    for (;;) {
      ++at_;  // the colon
      const int line = line_;
      SkipToContent();
      map.keys.push_back(std::move(key));
      const bool same_line = line_ == line;
      const bool list_here = !same_line && Column() == column && AtDash();
      if (same_line && !AtEnd() && AtDash()) {
        Refuse("not valid YAML: a list begins on a line of its own");
      }
      if (AtEnd() || AtMarker("---") || AtMarker("...") ||
          (!same_line && Column() <= column && !list_here)) {
        map.items.push_back(NewNull(map.keys.back()));
      } else {
        map.items.push_back(same_line ? Value(column, depth + 1) : Node(column, depth + 1));
      }
      SkipToContent();
      CheckDedent(column);
      if (AtEnd() || Column() < column || AtMarker("---") || AtMarker("...")) {
        return map;
      }
      if (AtDash()) {
        Refuse("not valid YAML: expected a key, found an entry of a list");
      }
      if (Peek() == '[' || Peek() == '{') {
        Refuse("expected a key");
      }
      key = Scalar(/*in_flow=*/false);
      if (!AtColon()) {
        RefuseAt(key, "not valid YAML: expected \"key: value\"" +
                          std::string(map.items.back().kind == YamlNode::Kind::kScalar
                                          ? "; " + std::string(kOneLine)
                                          : ""));
      }
    }
  }

  // A value on the line of its key.
  YamlNode Value(int indent, size_t depth) {
    CheckDepth(depth);
    if (Peek() == '[' || Peek() == '{') {
      return WholeLine(Flow(depth));
    }
    if (Peek() == '|' || Peek() == '>') {
      return BlockText(indent);
    }
    YamlNode scalar = Scalar(/*in_flow=*/false);
    if (AtColon()) {
      Refuse("not valid YAML: a second \": \" in one line; put the text in quotes");
    }
    return WholeLine(std::move(scalar));
  }

  // What follows must be at this column or further out.
  void CheckDedent(int column) const {
    if (!AtEnd() && Column() > column) {
      Refuse(std::string("not valid YAML: indented deeper than what it belongs to; ") + kOneLine);
    }
  }

  // --- [lists] and {maps} ---

  YamlNode Flow(size_t depth) {
    CheckDepth(depth);
    const bool is_map = Peek() == '{';
    const char close = is_map ? '}' : ']';
    YamlNode node = New(is_map ? YamlNode::Kind::kMap : YamlNode::Kind::kSequence);
    ++at_;
    for (;;) {
      SkipToContent();
      if (Peek() == close) {
        ++at_;
        return node;
      }
      if (AtEnd()) {
        RefuseAt(node,
                 std::string("not valid YAML: \"") + (is_map ? "{" : "[") + "\" is not closed");
      }
      if (is_map) {
        ReadPair(node, depth);
      } else {
        node.items.push_back(FlowValue(depth + 1));
      }
      SkipToContent();
      if (Peek() == ',') {
        ++at_;
      } else if (Peek() != close) {
        if (AtEnd()) {
          continue;  // to the message above
        }
        Refuse(std::string("not valid YAML: expected \",\" or \"") + close + "\"");
      }
    }
  }

  void ReadPair(YamlNode& map, size_t depth) {
    if (Peek() == '[' || Peek() == '{') {
      Refuse("expected a key");
    }
    YamlNode key = Scalar(/*in_flow=*/true);
    SkipToContent();
    if (Peek() != ':') {
      RefuseAt(key, "not valid YAML: expected \"key: value\"");
    }
    ++at_;
    SkipToContent();
    map.keys.push_back(std::move(key));
    const bool none = Peek() == ',' || Peek() == '}' || AtEnd();
    map.items.push_back(none ? NewNull(map.keys.back()) : FlowValue(depth + 1));
  }

  YamlNode FlowValue(size_t depth) {
    if (Peek() == '[' || Peek() == '{') {
      return Flow(depth);
    }
    CheckDepth(depth);
    YamlNode scalar = Scalar(/*in_flow=*/true);
    if (Peek() == ':') {
      Refuse("not valid YAML: a pair needs { } around it");
    }
    return scalar;
  }

  // --- Scalars ---

  YamlNode Scalar(bool in_flow) {
    switch (Peek()) {
      case '"':
        return DoubleQuoted();
      case '\'':
        return SingleQuoted();
      case '&':
      case '*':
        Refuse(kNoAliases);
      case '!':
        Refuse(kNoTags);
      case '%':
      case '@':
      case '`':
      case ',':
      case ']':
      case '}':
      case '#':
      case '|':
      case '>':
        Refuse(std::string("not valid YAML: a text cannot begin with \"") + Peek() +
               "\"; put it in quotes");
      default:
        break;
    }
    if ((Peek() == '?' || Peek() == ':' || Peek() == '-') &&
        (Separated(1) || (in_flow && Peek() != '-' && IsFlowSign(Peek(1))))) {
      Refuse(Peek() == '-' && in_flow ? "not valid YAML: a text cannot be \"-\"; put it in quotes"
                                      : "expected a key");
    }
    return Plain(in_flow);
  }

  static bool IsFlowSign(char c) {
    return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
  }

  YamlNode Plain(bool in_flow) {
    YamlNode node = New(YamlNode::Kind::kScalar);
    const size_t from = at_;
    size_t end = at_;  // behind the last character that is not blank
    while (!AtLineEnd()) {
      const char c = Peek();
      if (c == '#' && at_ > from && IsBlank(text_[at_ - 1])) {
        break;
      }
      if (c == ':' && (Separated(1) || (in_flow && IsFlowSign(Peek(1))))) {
        break;
      }
      if (in_flow && IsFlowSign(c)) {
        // An argument path: argv[0].
        const bool after_name =
            at_ > from && (IsNameCharacter(text_[at_ - 1]) || text_[at_ - 1] == ']');
        const size_t step = after_name ? StepLength(text_, at_) : 0;
        if (step == 0) {
          break;
        }
        at_ += step;
        end = at_;
        continue;
      }
      ++at_;
      if (!IsBlank(c)) {
        end = at_;
      }
    }
    at_ = end;
    node.text = text_.substr(from, end - from);
    return node;
  }

  // Within quotes, a line's end is a blank, and an empty line is a line's end.
  // The first `fixed` bytes stay as they are.
  void FoldLine(std::string& text, size_t fixed) {
    while (text.size() > fixed && IsBlank(text.back())) {
      text.pop_back();
    }
    int lines = 0;
    while (!AtEnd() && (AtLineEnd() || IsBlank(Peek()))) {
      if (IsBlank(Peek())) {
        ++at_;
        continue;
      }
      NextLine();
      ++lines;
      if (AtMarker("---") || AtMarker("...")) {
        Refuse("not valid YAML: a quoted text is not closed");
      }
    }
    text += lines > 1 ? std::string(static_cast<size_t>(lines) - 1, '\n') : " ";
  }

  YamlNode SingleQuoted() {
    YamlNode node = New(YamlNode::Kind::kScalar);
    node.quoted = true;
    ++at_;
    for (;;) {
      if (AtEnd()) {
        RefuseAt(node, "not valid YAML: this quote is not closed");
      }
      if (AtLineEnd()) {
        FoldLine(node.text, 0);
      } else if (Peek() != '\'') {
        node.text += text_[at_++];
      } else if (Peek(1) == '\'') {
        node.text += '\'';
        at_ += 2;
      } else {
        ++at_;
        return node;
      }
    }
  }

  YamlNode DoubleQuoted() {
    YamlNode node = New(YamlNode::Kind::kScalar);
    node.quoted = true;
    ++at_;
    size_t escaped = 0;  // the text up to here was written with escapes: its blanks stay
    for (;;) {
      if (AtEnd()) {
        RefuseAt(node, "not valid YAML: this quote is not closed");
      }
      if (AtLineEnd()) {
        FoldLine(node.text, escaped);
      } else if (Peek() == '"') {
        ++at_;
        return node;
      } else if (Peek() == '\\') {
        Escape(node.text);
        escaped = node.text.size();
      } else {
        node.text += text_[at_++];
      }
    }
  }

  void Escape(std::string& text) {
    static constexpr std::string_view kNames = "0abtnvfre \"/\\N_LP";
    static constexpr uint32_t kValues[] = {0,   7,   8,   9,    10,   11,   12,     13,    27,
                                           ' ', '"', '/', '\\', 0x85, 0xA0, 0x2028, 0x2029};
    const char c = Peek(1);
    uint32_t code_point = 0;
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
      const size_t known = c == '\t' ? kNames.find('t') : c == '\0' ? kNone : kNames.find(c);
      if (known == kNone) {
        Refuse("not valid YAML: unknown escape in a quoted text");
      }
      code_point = kValues[known];
    }
    for (size_t i = 0; i < digits; ++i) {
      const char digit = Peek(2 + i);
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) {
        Refuse("not valid YAML: an escape lacks digits");
      }
      code_point = code_point * 16 +
                   static_cast<uint32_t>(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
      Refuse("not valid YAML: an escape is no character");
    }
    if (code_point < 0x20 ? code_point != '\n' && code_point != '\t' && code_point != '\r'
                          : code_point == 0x7F) {
      Refuse("control characters are not accepted");
    }
    AppendUtf8(code_point, text);
    at_ += 2 + digits;
  }

  // "|" and ">", with "-" or "+" and the indentation.
  YamlNode BlockText(int indent) {
    YamlNode node = New(YamlNode::Kind::kScalar);
    node.quoted = true;
    const bool folded = Peek() == '>';
    ++at_;
    char chomp = ' ';
    int deeper = 0;
    for (; !Separated(0); ++at_) {
      const char c = Peek();
      if ((c == '-' || c == '+') && chomp == ' ') {
        chomp = c;
      } else if (c >= '1' && c <= '9' && deeper == 0) {
        deeper = c - '0';
      } else {
        Refuse("not valid YAML: expected the text on the lines below");
      }
    }
    SkipRest();
    if (!AtLineEnd()) {
      Refuse("not valid YAML: expected the text on the lines below");
    }
    int margin = deeper > 0 ? std::max(indent, 0) + deeper : -1;
    size_t breaks = 0;  // line ends since the last line with content
    bool first = true;
    bool further = false;  // that line was indented further than the first
    while (!AtEnd()) {
      NextLine();
      const size_t content = std::min(text_.find_first_not_of(' ', at_), text_.size());
      const auto column = static_cast<int>(content - at_);
      const bool empty =
          content == text_.size() || text_[content] == '\n' || text_[content] == '\r';
      if (empty && (margin < 0 || column <= margin)) {
        at_ = content;
        ++breaks;
        continue;
      }
      margin = margin < 0 ? column : margin;
      if (column < margin || column <= indent || AtMarker("---") || AtMarker("...")) {
        break;
      }
      at_ += static_cast<size_t>(margin);
      const bool now_further = IsBlank(Peek());
      if (first) {
        node.text.append(breaks, '\n');
      } else if (folded && !further && !now_further) {
        node.text += breaks == 0 ? " " : std::string(breaks, '\n');
      } else {
        node.text.append(breaks + 1, '\n');
      }
      first = false;
      further = now_further;
      breaks = 0;
      const size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
      node.text += text_.substr(at_, end - at_);
      at_ = end;
    }
    if (!first && chomp != '-') {
      node.text += '\n';
    }
    if (chomp == '+') {
      node.text.append(breaks, '\n');
    }
    return node;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int line_ = 1;
  const size_t nodes_max_;
  size_t nodes_ = 0;
};

// The first byte that no policy file may hold.
std::optional<YamlProblem> CheckCharacters(std::string_view text) {
  int line = 1;
  int column = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterLength(text, i);
    const bool lone_return = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
    if (length == 0) {
      return YamlProblem{line, column, "not valid UTF-8"};
    }
    if (IsControl(text[i]) || lone_return) {
      return YamlProblem{line, column, "control characters are not accepted"};
    }
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace

std::variant<YamlNode, YamlProblem> ParseYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return YamlProblem{1, 1, "larger than " + std::to_string(limits.bytes_max) + " bytes"};
  }
  if (const auto problem = CheckCharacters(text)) {
    return *problem;
  }
  try {
    return Reader(text, limits.nodes_max).Document();
  } catch (const Refused& refused) {
    return refused.problem;
  }
}

}  // namespace nacre::policy
