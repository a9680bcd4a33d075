#include "policy/internal/yaml_tree.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <new>
#include <optional>
#include <utility>

namespace nacre::policy {
namespace {

constexpr size_t kDepthMax = 32;
constexpr size_t kByteOrderMarkBytes = 3;

constexpr const char* kNoAliases =
    "YAML anchors and aliases are not accepted; write the value out, and quote a glob that begins "
    "with *";

// Stand in for [, ] and ? of an argument path while libyaml reads the text: U+E000 to U+E002, of the
// private use area. They are refused in the text, so they cannot be confused with anything (an
// escape such as "\uE000" in quotes merely reads as one of these), and one character for one
// character keeps every column.
constexpr std::array<std::string_view, 3> kStandIns = {"\xEE\x80\x80", "\xEE\x80\x81",
                                                       "\xEE\x80\x82"};
constexpr std::array<char, 3> kStoodInFor = {'[', ']', '?'};
constexpr char kStandInFirstByte = '\xEE';

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

// The length of "[0]", "[*]" or "[?]" at `from`, or 0.
size_t StepLength(std::string_view text, size_t from) {
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

std::string ProtectArgumentPaths(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 64);
  size_t copied = 0;
  size_t step_end = 0;  // where the last step ended
  for (size_t i = text.find('['); i != std::string_view::npos; i = text.find('[', i)) {
    const bool after_name = i > 0 && (IsNameCharacter(text[i - 1]) || i == step_end);
    const size_t length = after_name ? StepLength(text, i) : 0;
    if (length == 0) {
      ++i;
      continue;
    }
    result += text.substr(copied, i - copied);
    result += kStandIns[0];
    const std::string_view inside = text.substr(i + 1, length - 2);
    result += inside == "?" ? kStandIns[2] : inside;
    result += kStandIns[1];
    i += length;
    copied = i;
    step_end = i;
  }
  return result += text.substr(copied);
}

std::string RestoreArgumentPaths(std::string_view text) {
  if (text.find(kStandInFirstByte) == std::string_view::npos) {
    return std::string(text);
  }
  std::string result;
  while (!text.empty()) {
    const auto* stand_in = std::find(kStandIns.begin(), kStandIns.end(), text.substr(0, 3));
    const bool found = stand_in != kStandIns.end();
    result += found ? kStoodInFor[static_cast<size_t>(stand_in - kStandIns.begin())] : text[0];
    text.remove_prefix(found ? stand_in->size() : 1);
  }
  return result;
}

// Where the byte at `offset` stands. Columns count characters, as libyaml's marks do.
YamlProblem ProblemAt(std::string_view text, size_t offset, std::string what) {
  YamlProblem problem{1, 1, std::move(what)};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++problem.line;
      problem.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++problem.column;
    }
  }
  return problem;
}

// What libyaml would take and we do not. It refuses other control characters and what is no UTF-8.
std::optional<YamlProblem> CharacterProblem(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '\r':
        if (text.substr(i + 1, 1) != "\n") {
          return ProblemAt(text, i, "control characters are not accepted");
        }
        break;
      case '\xC2':  // U+0085
        if (text.substr(i + 1, 1) == "\x85") {
          return ProblemAt(text, i, "only a newline ends a line");
        }
        break;
      case '\xE2':  // U+2028 and U+2029
        if (text.substr(i + 1, 2) == "\x80\xA8" || text.substr(i + 1, 2) == "\x80\xA9") {
          return ProblemAt(text, i, "only a newline ends a line");
        }
        break;
      case kStandInFirstByte:
        if (std::find(kStandIns.begin(), kStandIns.end(), text.substr(i, 3)) != kStandIns.end()) {
          return ProblemAt(text, i, "the characters U+E000 to U+E002 are not accepted");
        }
        break;
      default:
        break;
    }
  }
  return std::nullopt;
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

bool IsNullWord(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Thrown within this file only.
struct Refused {
  YamlProblem problem;
};

[[noreturn]] void Refuse(const yaml_mark_t& mark, std::string what) {
  throw Refused{
      {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1, std::move(what)}};
}

struct Event {
  yaml_event_t event{};
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event); }
};

class TreeBuilder final {
 public:
  explicit TreeBuilder(size_t nodes_max) : nodes_max_(nodes_max) {}

  YamlNode Take() { return std::move(root_); }

  void On(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        OnDocument(event);
        break;
      case YAML_ALIAS_EVENT:
        Refuse(event.start_mark, kNoAliases);
      case YAML_SCALAR_EVENT:
        OnScalar(event);
        break;
      case YAML_SEQUENCE_START_EVENT:
        CheckProperties(event, event.data.sequence_start.anchor, event.data.sequence_start.tag);
        Open(Add(YamlNode::Kind::kSequence, event.start_mark), event.start_mark);
        break;
      case YAML_MAPPING_START_EVENT:
        CheckProperties(event, event.data.mapping_start.anchor, event.data.mapping_start.tag);
        Open(Add(YamlNode::Kind::kMap, event.start_mark), event.start_mark);
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        open_.pop_back();
        break;
      default:
        break;
    }
  }

 private:
  void OnDocument(const yaml_event_t& event) {
    if (++documents_ > 1) {
      Refuse(event.start_mark, "a policy file holds one document");
    }
    const auto& start = event.data.document_start;
    if (start.version_directive != nullptr ||
        start.tag_directives.start != start.tag_directives.end) {
      Refuse(event.start_mark, "YAML directives are not accepted");
    }
  }

  void OnScalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    CheckProperties(event, scalar.anchor, scalar.tag);
    const std::string_view value(reinterpret_cast<const char*>(scalar.value), scalar.length);
    const bool quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE;
    const bool is_key = !open_.empty() && open_.back()->kind == YamlNode::Kind::kMap &&
                        open_.back()->keys.size() == open_.back()->items.size();
    if (!quoted && !is_key && IsNullWord(value)) {
      YamlNode& node = Add(YamlNode::Kind::kNull, event.start_mark);
      if (!open_.empty() && open_.back()->kind == YamlNode::Kind::kMap) {
        node.line = open_.back()->keys.back().line;
        node.column = open_.back()->keys.back().column;
      }
      return;
    }
    YamlNode& node = Add(YamlNode::Kind::kScalar, event.start_mark);
    node.quoted = quoted;
    node.text = RestoreArgumentPaths(value);
    if (std::any_of(node.text.begin(), node.text.end(), IsControl)) {
      Refuse(event.start_mark, "control characters are not accepted");
    }
  }

  static void CheckProperties(const yaml_event_t& event, const yaml_char_t* anchor,
                              const yaml_char_t* tag) {
    if (anchor != nullptr) {
      Refuse(event.start_mark, kNoAliases);
    }
    if (tag != nullptr) {
      Refuse(event.start_mark, "YAML tags are not accepted");
    }
  }

  YamlNode& Add(YamlNode::Kind kind, const yaml_mark_t& mark) {
    if (++nodes_ > nodes_max_) {
      Refuse(mark, "more than " + std::to_string(nodes_max_) + " values");
    }
    YamlNode* node = &root_;
    if (!open_.empty()) {
      YamlNode& parent = *open_.back();
      const bool key =
          parent.kind == YamlNode::Kind::kMap && parent.keys.size() == parent.items.size();
      if (key && kind != YamlNode::Kind::kScalar) {
        Refuse(mark, "expected a key");
      }
      node = &(key ? parent.keys : parent.items).emplace_back();
    }
    node->kind = kind;
    node->line = static_cast<int>(mark.line) + 1;
    node->column = static_cast<int>(mark.column) + 1;
    return *node;
  }

  void Open(YamlNode& node, const yaml_mark_t& mark) {
    if (open_.size() >= kDepthMax) {
      Refuse(mark, "nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    open_.push_back(&node);
  }

  const size_t nodes_max_;
  YamlNode root_;
  // Pointers stay valid: only the innermost open node grows, and it owns none of the others.
  std::vector<YamlNode*> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

class Parser final {
 public:
  // `text` must outlive this.
  explicit Parser(std::string_view text) : text_(text) {
    made_ = yaml_parser_initialize(&parser_) != 0;
    if (made_) {
      yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
    }
  }
  ~Parser() {
    if (made_) {
      yaml_parser_delete(&parser_);
    }
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  void Next(yaml_event_t& event) {
    if (!made_) {
      throw std::bad_alloc();
    }
    if (yaml_parser_parse(&parser_, &event) == 0) {
      throw Refused{Problem()};
    }
  }

 private:
  YamlProblem Problem() const {
    const std::string problem = parser_.problem != nullptr ? parser_.problem : "no reason given";
    if (parser_.error == YAML_MEMORY_ERROR) {
      return {1, 1, "not enough memory to read it"};
    }
    if (parser_.error == YAML_READER_ERROR) {
      const bool control = problem.find("control characters") != std::string::npos;
      return ProblemAt(text_, parser_.problem_offset,
                       control ? "control characters are not accepted" : "not valid UTF-8");
    }
    const std::string context = parser_.context != nullptr ? parser_.context : "";
    const int began = static_cast<int>(parser_.context_mark.line) + 1;
    if (context.find("anchor") != std::string::npos || context.find("alias") != std::string::npos) {
      return {began, static_cast<int>(parser_.context_mark.column) + 1, kNoAliases};
    }
    std::string what = "not valid YAML: " + problem + (context.empty() ? "" : " " + context);
    if (!context.empty() && parser_.context_mark.line != parser_.problem_mark.line) {
      what += " that begins in line " + std::to_string(began);
    }
    return {static_cast<int>(parser_.problem_mark.line) + 1,
            static_cast<int>(parser_.problem_mark.column) + 1, std::move(what)};
  }

  const std::string_view text_;
  yaml_parser_t parser_{};
  bool made_ = false;
};

}  // namespace

std::variant<YamlNode, YamlProblem> ParseYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return YamlProblem{1, 1, "larger than " + std::to_string(limits.bytes_max) + " bytes"};
  }
  if (auto problem = CharacterProblem(text)) {
    return std::move(*problem);
  }
  if (text.substr(0, kByteOrderMarkBytes) == "\xEF\xBB\xBF") {
    text.remove_prefix(kByteOrderMarkBytes);
  }
  const std::string protected_text = ProtectArgumentPaths(text);
  try {
    Parser parser(protected_text);
    TreeBuilder builder(limits.nodes_max);
    for (bool more = true; more;) {
      Event event;
      parser.Next(event.event);
      more = event.event.type != YAML_STREAM_END_EVENT;
      builder.On(event.event);
    }
    return builder.Take();
  } catch (const Refused& refused) {
    return refused.problem;
  }
}

}  // namespace nacre::policy
