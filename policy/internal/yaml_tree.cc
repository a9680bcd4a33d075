#include "policy/internal/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cctype>
#include <sstream>
#include <utility>

namespace nacre::policy {
namespace {

constexpr size_t kBytesMax = 1 << 20;
constexpr size_t kDepthMax = 32;
constexpr size_t kNodesMax = 65'536;

// Stand in for [, ] and ? of an argument path while yaml-cpp reads the text. Control characters are
// refused in the text, so they cannot be confused with anything (an escape such as "\x1d" in a
// quoted scalar merely reads as one of these), and one byte for one byte keeps every column.
constexpr char kOpenBracket = '\x1d';
constexpr char kCloseBracket = '\x1e';
constexpr char kQuestionMark = '\x1f';

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
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

std::string ProtectArgumentPaths(std::string_view text) {
  std::string result(text);
  for (size_t i = 1; i < text.size(); ++i) {
    const bool after_name = IsNameCharacter(text[i - 1]) || result[i - 1] == kCloseBracket;
    const size_t length = after_name ? StepLength(text, i) : 0;
    if (length > 0) {
      result[i] = kOpenBracket;
      result[i + length - 1] = kCloseBracket;
      if (text[i + 1] == '?') {
        result[i + 1] = kQuestionMark;
      }
      i += length - 1;
    }
  }
  return result;
}

std::string RestoreArgumentPaths(std::string text) {
  for (char& c : text) {
    c = c == kOpenBracket ? '[' : c == kCloseBracket ? ']' : c == kQuestionMark ? '?' : c;
  }
  return text;
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

constexpr const char* kNoAliases =
    "YAML anchors and aliases are not accepted; write the value out, and quote a glob that begins "
    "with *";

// What yaml-cpp says when it cannot read the text at all. It looks up aliases itself.
std::string SyntaxProblem(const std::string& message) {
  const bool alias =
      message.find("anchor") != std::string::npos || message.find("alias") != std::string::npos;
  return alias ? kNoAliases : "not valid YAML: " + RestoreArgumentPaths(message);
}

// Thrown through yaml-cpp by our own handler, and caught in ParseYaml.
struct Refused {
  YamlProblem problem;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  YamlNode Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // Also what ends the endless run of documents that yaml-cpp makes of a stray comma.
    if (++documents_ > 1) {
      Refuse(mark, "a policy file holds one document");
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(YamlNode::Kind::kNull, mark, {}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { RefuseAlias(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode& node = Add(YamlNode::Kind::kScalar, mark, tag, anchor);
    node.quoted = tag == "!";
    node.text = RestoreArgumentPaths(value);
    for (const char c : node.text) {
      if (IsControl(c)) {
        Refuse(mark, "control characters are not accepted");
      }
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(Add(YamlNode::Kind::kSequence, mark, tag, anchor), mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(Add(YamlNode::Kind::kMap, mark, tag, anchor), mark);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  [[noreturn]] static void Refuse(const YAML::Mark& mark, std::string what) {
    throw Refused{{mark.line + 1, mark.column + 1, std::move(what)}};
  }
  [[noreturn]] static void RefuseAlias(const YAML::Mark& mark) { Refuse(mark, kNoAliases); }

  YamlNode& Add(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor) {
    if (anchor != 0) {
      RefuseAlias(mark);
    }
    if (!tag.empty() && tag != "?" && tag != "!") {
      Refuse(mark, "YAML tags are not accepted");
    }
    if (++nodes_ > kNodesMax) {
      Refuse(mark, "more than " + std::to_string(kNodesMax) + " values");
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (open_.empty()) {
      root_ = std::move(node);
      return root_;
    }
    YamlNode& parent = *open_.back();
    if (parent.kind == YamlNode::Kind::kMap && parent.keys.size() == parent.items.size()) {
      if (kind != YamlNode::Kind::kScalar) {
        Refuse(mark, "expected a key");
      }
      return parent.keys.emplace_back(std::move(node));
    }
    if (parent.kind == YamlNode::Kind::kMap && kind == YamlNode::Kind::kNull) {
      node.line = parent.keys.back().line;  // yaml-cpp names the token after it, on another line
      node.column = parent.keys.back().column;
    }
    return parent.items.emplace_back(std::move(node));
  }

  void Open(YamlNode& node, const YAML::Mark& mark) {
    if (open_.size() >= kDepthMax) {
      Refuse(mark, "nested deeper than " + std::to_string(kDepthMax) + " levels");
    }
    open_.push_back(&node);
  }

  YamlNode root_;
  // Pointers stay valid: only the innermost open node grows, and it owns none of the others.
  std::vector<YamlNode*> open_;
  size_t nodes_ = 0;
  int documents_ = 0;
};

// The first byte that no policy file may hold, as a problem.
std::variant<YamlNode, YamlProblem> CheckCharacters(std::string_view text) {
  int line = 1;
  int column = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterLength(text, i);
    if (length == 0) {
      return YamlProblem{line, column, "not valid UTF-8"};
    }
    if (IsControl(text[i])) {
      return YamlProblem{line, column, "control characters are not accepted"};
    }
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
    i += length;
  }
  return YamlNode{};
}

}  // namespace

std::variant<YamlNode, YamlProblem> ParseYaml(std::string_view text) {
  if (text.size() > kBytesMax) {
    return YamlProblem{1, 1, "larger than " + std::to_string(kBytesMax) + " bytes"};
  }
  auto checked = CheckCharacters(text);
  if (std::holds_alternative<YamlProblem>(checked)) {
    return checked;
  }
  try {
    std::istringstream stream(ProtectArgumentPaths(text));
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.Take();
  } catch (const Refused& refused) {
    return refused.problem;
  } catch (const YAML::Exception& exception) {
    // yaml-cpp's null mark has line -1.
    return YamlProblem{exception.mark.line < 0 ? 1 : exception.mark.line + 1,
                       exception.mark.column < 0 ? 1 : exception.mark.column + 1,
                       SyntaxProblem(exception.msg)};
  } catch (const std::exception& exception) {
    return YamlProblem{1, 1, std::string("not valid YAML: ") + exception.what()};
  }
}

}  // namespace nacre::policy
