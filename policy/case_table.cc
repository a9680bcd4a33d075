#include "policy/case_table.h"

#include <set>
#include <utility>
#include <variant>

#include "policy/internal/node_reader.h"
#include "policy/internal/problems.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

constexpr size_t kCasesMax = 100'000;
constexpr size_t kTextBytesMax = 4096;

// Arguments as they would stand in a call. A tree of YAML is as deep as its reader allows.
Json ValueOf(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kSequence) {
    Json list = Json::array();
    for (const YamlNode& item : node.items) {
      list.push_back(ValueOf(item));
    }
    return list;
  }
  if (node.kind == YamlNode::Kind::kMap) {
    Json map = Json::object();
    for (size_t i = 0; i < node.items.size(); ++i) {
      map[std::string(node.keys[i].text)] = ValueOf(node.items[i]);
    }
    return map;
  }
  return ScalarValue(node);
}

class CaseReader {
 public:
  CaseReader(const std::string& file, Problems& problems) : reader_(file, problems) {}

  CaseTable Read(const YamlNode& document) {
    if (reader_.Map(document, "", {{"nacre", "policy", "cases"}, {}}) == nullptr) {
      return std::move(table_);
    }
    reader_.CheckVersion(document, "policy-cases/1", "a file of cases");
    if (const YamlNode* policy = NodeReader::Find(document, "policy")) {
      table_.policy = reader_.Text(*policy, "policy", kTextBytesMax).value_or("");
    }
    const YamlNode* cases = NodeReader::Find(document, "cases");
    if (cases == nullptr) {
      reader_.Report(document, "cases", "missing");
    } else if (const YamlNode* list = reader_.List(*cases, "cases", kCasesMax)) {
      for (size_t i = 0; i < list->items.size(); ++i) {
        ReadCase(list->items[i], "cases[" + std::to_string(i) + "]");
      }
    }
    return std::move(table_);
  }

 private:
  void ReadCase(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path, {{"name", "call", "context", "expect", "rule"}, {}}) == nullptr) {
      return;
    }
    Case read;
    read.source = reader_.Where(node);
    reader_.Needs(node, path, "a case", {"name", "call", "expect"});
    if (const YamlNode* name = NodeReader::Find(node, "name")) {
      read.name = reader_.Text(*name, path + ".name", kTextBytesMax).value_or("");
      if (!read.name.empty() && !names_.insert(read.name).second) {
        reader_.Report(*name, path + ".name", "another case has this name");
      }
    }
    if (const YamlNode* call = NodeReader::Find(node, "call")) {
      ReadCall(*call, path + ".call", read);
    }
    if (const YamlNode* context = NodeReader::Find(node, "context")) {
      ReadContext(*context, path + ".context", read.context);
    }
    if (const YamlNode* expect = NodeReader::Find(node, "expect")) {
      read.expect = reader_.VerdictOf(*expect, path + ".expect").value_or(read.expect);
    }
    if (const YamlNode* rule = NodeReader::Find(node, "rule")) {
      read.rule = reader_.Text(*rule, path + ".rule", kTextBytesMax).value_or("");
    }
    table_.cases.push_back(std::move(read));
  }

  void ReadCall(const YamlNode& node, const std::string& path, Case& read) {
    if (reader_.Map(node, path, {{"tool", "args"}, {}}) == nullptr) {
      return;
    }
    const YamlNode* tool = NodeReader::Find(node, "tool");
    if (tool == nullptr) {
      reader_.Report(node, path, "a call needs \"tool\"");
    } else {
      read.tool = reader_.Text(*tool, path + ".tool", kTextBytesMax).value_or("");
    }
    if (const YamlNode* args = NodeReader::Find(node, "args")) {
      if (reader_.MapOfAnyKeys(*args, path + ".args") != nullptr) {
        read.arguments = ValueOf(*args);
      }
    }
  }

  void ReadContext(const YamlNode& node, const std::string& path, GivenContext& context) {
    if (reader_.Map(node, path, {{"label", "origin"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* label = NodeReader::Find(node, "label")) {
      if (const auto text = reader_.Text(*label, path + ".label", kTextBytesMax)) {
        Result<Label> read = ParseLabel(*text);
        if (read.ok()) {
          context.label = std::move(read).value();
        } else {
          reader_.Report(*label, path + ".label", read.error().message);
        }
      }
    }
    if (const YamlNode* origin = NodeReader::Find(node, "origin")) {
      for (const auto& [at, item] :
           reader_.OneOrMore(*origin, path + ".origin", kArgumentRoles * kOrigins)) {
        if (const auto text = reader_.Text(*item, at, kTextBytesMax)) {
          Result<ArgumentOrigin> read = ParseRoleOrigin(*text);
          if (read.ok()) {
            context.origins.push_back(std::move(read).value());
          } else {
            reader_.Report(*item, at, read.error().message);
          }
        }
      }
    }
    context.given = true;
  }

  NodeReader reader_;
  CaseTable table_;
  std::set<std::string> names_;
};

}  // namespace

Result<CaseTable> ParseCaseTable(const std::string& file, std::string_view text) {
  Problems problems;
  const auto parsed = ParseYaml(text);
  if (const auto* problem = std::get_if<YamlProblem>(&parsed)) {
    problems.Add({file, problem->line, problem->column}, "", problem->what);
    return problems.ToError();
  }
  CaseTable table = CaseReader(file, problems).Read(std::get<YamlTree>(parsed).root());
  if (!problems.empty()) {
    return problems.ToError();
  }
  return table;
}

}  // namespace nacre::policy
