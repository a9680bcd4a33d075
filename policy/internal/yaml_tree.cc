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
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte > '\r' && byte < 0x80) {
      continue;  // as nearly all are
    }
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

  YamlTree Take() { return YamlTree(done_.empty() ? YamlNode() : done_.front(), std::move(kept_)); }

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
        Open(YamlNode::Kind::kSequence, event.start_mark);
        break;
      case YAML_MAPPING_START_EVENT:
        CheckProperties(event, event.data.mapping_start.anchor, event.data.mapping_start.tag);
        Open(YamlNode::Kind::kMap, event.start_mark);
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        Close();
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
    const bool key = KeyIsNext();
    if (!quoted && !key && IsNullWord(value)) {
      const bool of_key = !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap;
      YamlNode& node = done_.emplace_back(NewNode(YamlNode::Kind::kNull, event.start_mark));
      if (of_key) {
        const YamlNode& its_key = done_[done_.size() - 2];
        node.line = its_key.line;
        node.column = its_key.column;
      }
      return;
    }
    YamlNode& node = done_.emplace_back(NewNode(YamlNode::Kind::kScalar, event.start_mark));
    node.quoted = quoted;
    node.text = value.find(kStandInFirstByte) == std::string_view::npos
                    ? Keep(value)
                    : Keep(RestoreArgumentPaths(value));
    // Written as such libyaml refuses them, so only an escape can make one.
    if (scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE &&
        std::any_of(node.text.begin(), node.text.end(), IsControl)) {
      Refuse(event.start_mark, "control characters are not accepted");
    }
  }

  std::string_view Keep(std::string_view text) {
    auto* kept = static_cast<char*>(kept_->allocate(text.size(), 1));
    std::copy(text.begin(), text.end(), kept);
    return {kept, text.size()};
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

  // Of the innermost open node, a map, the next one is a key.
  bool KeyIsNext() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::kMap &&
           (done_.size() - open_.back().first) % 2 == 0;
  }

  YamlNode NewNode(YamlNode::Kind kind, const yaml_mark_t& mark) {
    if (++nodes_ > nodes_max_) {
      Refuse(mark, "more than " + std::to_string(nodes_max_) + " values");
    }
    if (kind != YamlNode::Kind::kScalar && KeyIsNext()) {
      Refuse(mark, "expected a key");
    }
    YamlNode node;
    node.kind = kind;
    node.line = static_cast<int>(mark.line) + 1;
    node.column = static_cast<int>(mark.column) + 1;
    return node;
  }

  void Open(YamlNode::Kind kind, const yaml_mark_t& mark) {
    const YamlNode node = NewNode(kind, mark);
    if (open_.size() >= kDepthMax) {
      Refuse(mark, "nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    open_.push_back({node, done_.size()});
  }

  // What the innermost open node holds is kept together.
  void Close() {
    YamlNode node = open_.back().node;
    const size_t first = open_.back().first;
    open_.pop_back();
    if (node.kind == YamlNode::Kind::kMap) {
      node.keys = KeepEach(first, 2);
      node.items = KeepEach(first + 1, 2);
    } else {
      node.items = KeepEach(first, 1);
    }
    done_.resize(first);
    done_.push_back(node);
  }

  // Of what is complete, from `first` on, each, or every second one.
  YamlNodes KeepEach(size_t first, size_t step) {
    const size_t count = first < done_.size() ? (done_.size() - first + step - 1) / step : 0;
    auto* kept =
        static_cast<YamlNode*>(kept_->allocate(count * sizeof(YamlNode), alignof(YamlNode)));
    for (size_t i = 0; i < count; ++i) {
      new (kept + i) YamlNode(done_[first + i * step]);
    }
    return {kept, count};
  }

  struct OpenNode {
    YamlNode node;  // without what it will hold
    size_t first;   // of that, in done_
  };

  const size_t nodes_max_;
  std::vector<OpenNode> open_;
  // What is complete and belongs to an open node, outermost first; of maps keys and values by turns.
  std::vector<YamlNode> done_;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> kept_ =
      std::make_unique<std::pmr::monotonic_buffer_resource>();
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

std::variant<YamlTree, YamlProblem> ParseYaml(std::string_view text, const YamlLimits& limits) {
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
