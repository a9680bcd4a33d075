#include "policy/analysis/query.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <variant>

#include "policy/internal/matcher.h"
#include "policy/internal/node_reader.h"
#include "policy/internal/problems.h"
#include "policy/internal/rule_reader.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {
namespace {

using Kind = ProofQuery::Kind;

constexpr size_t kQueriesMax = 1000;
constexpr size_t kCategoriesMax = 64;
constexpr size_t kTextBytesMax = 4096;
constexpr std::array<const char*, 6> kKindNames = {"nothing-lets",  "no-flow",  "no-write-execute",
                                                   "no-credential", "no-wider", "rules-reachable"};
const std::vector<std::string> kBuiltIns = {kKindNames.begin() + 1, kKindNames.end()};
const std::vector<std::string> kLevels = {"public", "internal", "confidential", "secret"};

std::optional<Confidentiality> LevelNamed(const std::string& name) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  return found == kLevels.end() ? std::nullopt
                                : std::optional<Confidentiality>(
                                      static_cast<Confidentiality>(found - kLevels.begin()));
}

Kind BuiltInNamed(const std::string& name) {
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), name);
  return static_cast<Kind>(found - kKindNames.begin());
}

YamlNode Scalar(const YamlNode& at, std::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  node.quoted = true;
  node.line = at.line;
  node.column = at.column;
  return node;
}

class QueryReader {
 public:
  QueryReader(const std::string& file, Problems& problems, const LoadOptions& options)
      : reader_(file, problems), options_(options) {}

  std::vector<ProofQuery> Read(const YamlNode& document) {
    if (reader_.Map(document, "", {{"nacre", "queries"}, {}}) == nullptr) {
      return {};
    }
    reader_.CheckVersion(document, "policy-queries/1", "a file of queries");
    const YamlNode* queries = NodeReader::Find(document, "queries");
    if (queries == nullptr) {
      reader_.Report(document, "queries", "missing");
    } else if (const YamlNode* list = reader_.List(*queries, "queries", kQueriesMax)) {
      if (list->items.empty()) {
        reader_.Report(*list, "queries", "empty: nothing would be proved");
      }
      for (size_t i = 0; i < list->items.size(); ++i) {
        ReadQuery(list->items[i], "queries[" + std::to_string(i) + "]");
      }
    }
    return std::move(queries_);
  }

 private:
  void ReadQuery(const YamlNode& node, const std::string& path) {
    if (reader_.Map(node, path,
                    {{"id", "claim", "nothing lets", "without a person", "when", "built-in",
                      "confidentiality", "tool"},
                     {}}) == nullptr) {
      return;
    }
    ProofQuery query;
    query.source = reader_.Where(node);
    const YamlNode* id = NodeReader::Find(node, "id");
    if (id == nullptr) {
      reader_.Report(node, path, "a query needs \"id\"");
    } else {
      query.id = reader_.Identifier(*id, path + ".id", "an id").value_or("");
      if (!query.id.empty() && !ids_.insert(query.id).second) {
        reader_.Report(*id, path + ".id", "another query has this id");
      }
    }
    if (const YamlNode* claim = NodeReader::Find(node, "claim")) {
      query.claim = reader_.Reason(*claim, path + ".claim").value_or("");
    }
    const YamlNode* lets = NodeReader::Find(node, "nothing lets");
    const YamlNode* built_in = NodeReader::Find(node, "built-in");
    if ((lets == nullptr) == (built_in == nullptr)) {
      reader_.Report(node, path, "a query needs either \"nothing lets\" or \"built-in\"");
      return;
    }
    if (lets != nullptr) {
      Refuse(node, path, {"confidentiality", "tool"}, "nothing lets");
      ReadLets(*lets, path + ".nothing lets", query);
      if (const YamlNode* person = NodeReader::Find(node, "without a person")) {
        query.without_person = reader_.Boolean(*person, path + ".without a person").value_or(false);
      }
      if (const YamlNode* when = NodeReader::Find(node, "when")) {
        ReadWhen(*when, path + ".when", query.when);
      }
    } else {
      ReadBuiltIn(node, *built_in, path, query);
    }
    queries_.push_back(std::move(query));
  }

  void Refuse(const YamlNode& node, const std::string& path, const std::vector<std::string>& keys,
              const std::string& with) {
    for (const std::string& key : keys) {
      if (const YamlNode* there = NodeReader::Find(node, key)) {
        reader_.Report(*there, path + "." + key, "says nothing with \"" + with + "\"");
      }
    }
  }

  // Which calls are meant is said as in a rule of a policy, and read by the same reader.
  void ReadLets(const YamlNode& node, const std::string& path, ProofQuery& query) {
    if (reader_.Map(node, path, {{"tool", "args"}, {}}) == nullptr) {
      return;
    }
    if (NodeReader::Find(node, "tool") == nullptr) {
      reader_.Report(node, path, "say which \"tool\", or \"*\" for every one");
      return;
    }
    std::vector<YamlNode> keys(node.keys.begin(), node.keys.end());
    std::vector<YamlNode> items(node.items.begin(), node.items.end());
    // What an allow rule would not see for certain (a host that two readers read differently) is meant.
    for (const auto& [key, value] :
         {std::pair("id", "query"), std::pair("reason", "query"), std::pair("decision", "ask")}) {
      keys.push_back(Scalar(node, key));
      items.push_back(Scalar(node, value));
    }
    YamlNode rule = node;
    rule.keys = keys;
    rule.items = items;
    if (auto read =
            ReadRule(reader_, rule, path, options_.tools.empty() ? nullptr : &options_.tools)) {
      query.lets = std::move(*read);
    }
  }

  void ReadWhen(const YamlNode& node, const std::string& path, Label& when) {
    if (reader_.Map(node, path, {{"confidentiality", "integrity", "categories"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* level = NodeReader::Find(node, "confidentiality")) {
      when.confidentiality = LevelOf(*level, path + ".confidentiality");
    }
    if (const YamlNode* integrity = NodeReader::Find(node, "integrity")) {
      if (reader_.Choice(*integrity, path + ".integrity", {"untrusted"})) {
        when.integrity = Integrity::kUntrusted;
      }
    }
    if (const YamlNode* categories = NodeReader::Find(node, "categories")) {
      for (const auto& [at, name] :
           reader_.OneOrMore(*categories, path + ".categories", kCategoriesMax)) {
        when.categories.insert(reader_.Text(*name, at, kTextBytesMax).value_or(""));
      }
    }
  }

  Confidentiality LevelOf(const YamlNode& node, const std::string& path) {
    const auto level = reader_.Choice(node, path, kLevels);
    return level.has_value() ? *LevelNamed(*level) : Confidentiality::kSecret;
  }

  void ReadBuiltIn(const YamlNode& node, const YamlNode& name, const std::string& path,
                   ProofQuery& query) {
    Refuse(node, path, {"without a person", "when"}, "built-in");
    const auto chosen = reader_.Choice(name, path + ".built-in", kBuiltIns);
    if (!chosen.has_value()) {
      return;
    }
    query.kind = BuiltInNamed(*chosen);
    const YamlNode* level = NodeReader::Find(node, "confidentiality");
    const YamlNode* tool = NodeReader::Find(node, "tool");
    if (query.kind == Kind::kNoFlow && level != nullptr) {
      query.confidentiality = LevelOf(*level, path + ".confidentiality");
    } else if (level != nullptr) {
      Refuse(node, path, {"confidentiality"}, *chosen);
    }
    if (query.kind == Kind::kNoCredential && tool == nullptr) {
      reader_.Report(node, path, "no-credential needs \"tool\"");
    } else if (query.kind == Kind::kNoCredential) {
      query.tool = ToolOf(*tool, path + ".tool");
    } else if (tool != nullptr) {
      Refuse(node, path, {"tool"}, *chosen);
    }
  }

  std::string ToolOf(const YamlNode& node, const std::string& path) {
    const ToolSchemas* tools = options_.tools.empty() ? nullptr : &options_.tools;
    return ReadToolPattern(reader_, node, path, tools).value_or("");
  }

  NodeReader reader_;
  const LoadOptions& options_;
  std::vector<ProofQuery> queries_;
  std::set<std::string> ids_;
};

}  // namespace

const char* QueryKindName(Kind kind) {
  return kKindNames.at(static_cast<size_t>(kind));
}

Result<ProofQuery> ParseBuiltInQuery(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
  const auto refused = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument,
                 "built-in query \"" + text.substr(0, 80) + "\": " + why};
  };
  if (std::find(kBuiltIns.begin(), kBuiltIns.end(), name) == kBuiltIns.end()) {
    std::string known;
    for (const std::string& each : kBuiltIns) {
      known += (known.empty() ? "" : ", ") + each;
    }
    const std::string nearest = Nearest(name, kBuiltIns);
    return refused("unknown; there are " + known +
                   (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
  }
  ProofQuery query;
  query.id = text;
  query.kind = BuiltInNamed(name);
  if (query.kind == Kind::kNoFlow && equals != std::string::npos) {
    const auto level = LevelNamed(value);
    if (!level.has_value()) {
      return refused("expected public, internal, confidential or secret after \"=\"");
    }
    query.confidentiality = *level;
  } else if (query.kind == Kind::kNoCredential) {
    if (value.empty()) {
      return refused("expected a tool: no-credential=proc.run");
    }
    query.tool = value;
  } else if (equals != std::string::npos) {
    return refused("takes no value");
  }
  return query;
}

Result<std::vector<ProofQuery>> ParseProofQueries(const std::string& file, std::string_view text,
                                                  const LoadOptions& options) {
  Problems problems;
  const auto parsed = ParseYaml(text);
  if (const auto* problem = std::get_if<YamlProblem>(&parsed)) {
    problems.Add({file, problem->line, problem->column}, "", problem->what);
    return problems.ToError();
  }
  std::vector<ProofQuery> queries =
      QueryReader(file, problems, options).Read(std::get<YamlTree>(parsed).root());
  if (!problems.empty()) {
    return problems.ToError();
  }
  return queries;
}

}  // namespace nacre::policy
