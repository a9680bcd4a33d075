#include "policy/internal/rule_reader.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "policy/internal/host.h"
#include "policy/internal/language.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/internal/schema_check.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

constexpr size_t kToolNameBytesMax = 128;
// "fs.read", "fs.*" or "*": dotted words.
bool IsToolPattern(const std::string& text) {
  if (text == "*") {
    return true;
  }
  const bool prefix = text.size() > 2 && text.compare(text.size() - 2, 2, ".*") == 0;
  const std::string name = prefix ? text.substr(0, text.size() - 2) : text;
  char last = '.';
  for (const char c : name) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
    if (!word && (c != '.' || last == '.')) {
      return false;
    }
    last = c;
  }
  return last != '.' && name.size() <= kToolNameBytesMax;
}

bool IsAccount(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [&](const char& c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (&c != name.data() && (c == '.' || c == '-'));
  });
}

class ApproversReader {
 public:
  explicit ApproversReader(const NodeReader& reader) : reader_(reader) {}

  std::optional<Approvers> Read(const YamlNode& node, const KeyPath& path, Verdict verdict) {
    if (reader_.Map(node, path, KeysOf("approvers")) == nullptr) {
      return std::nullopt;
    }
    if (verdict != Verdict::kAsk) {
      Report(node, path, "only a rule that asks has approvers");
    }
    if (const YamlNode* users = NodeReader::Find(node, "users")) {
      const auto names = reader_.OneOrMore(*users, path.Key("users"), kApproversMax);
      bad_ = bad_ || names.empty();
      for (const auto& [at, item] : names) {
        approvers_.users.push_back(ReadAccount(*item, at, "an account", "alice"));
      }
    }
    if (const YamlNode* role = NodeReader::Find(node, "role")) {
      approvers_.role = ReadAccount(*role, path.Key("role"), "a group", "operator");
    }
    if (const YamlNode* count = NodeReader::Find(node, "count")) {
      ReadCount(*count, path.Key("count"));
    }
    if (const YamlNode* expires = NodeReader::Find(node, "expires")) {
      const Field& field = FieldOf("approvers", "expires");
      approvers_.expires = Noted(reader_.Duration(*expires, path.Key("expires"),
                                                  {std::chrono::milliseconds(field.minimum),
                                                   std::chrono::milliseconds(field.maximum)}))
                               .value_or(approvers_.expires);
    }
    return bad_ ? std::nullopt : std::optional(std::move(approvers_));
  }

 private:
  void Report(const YamlNode& at, const KeyPath& path, const std::string& what) {
    bad_ = true;
    reader_.Report(at, path, what);
  }
  template <typename T>
  std::optional<T> Noted(std::optional<T> answer) {
    bad_ = bad_ || !answer.has_value();
    return answer;
  }

  void ReadCount(const YamlNode& node, const KeyPath& path) {
    const Field& field = FieldOf("approvers", "count");
    approvers_.count = static_cast<int>(
        Noted(reader_.Integer(node, path, {field.minimum, field.maximum})).value_or(1));
    if (approvers_.count > 1 && !approvers_.HaveNames()) {
      Report(node, path, "without users or a role there is one person, who runs nacre");
    } else if (approvers_.role.empty() && approvers_.count > 1 &&
               static_cast<size_t>(approvers_.count) >
                   std::set<std::string>(approvers_.users.begin(), approvers_.users.end()).size()) {
      Report(node, path, "there are fewer users than that");
    }
  }

  std::string ReadAccount(const YamlNode& node, const KeyPath& path, const std::string& what,
                          const std::string& example) {
    auto name = Noted(reader_.Text(node, path, kAccountBytesMax));
    if (name.has_value() && !IsAccount(*name)) {
      Report(node, path, "expected the name of " + what + " of this host, such as " + example);
    }
    return name.value_or("");
  }

  const NodeReader& reader_;
  Approvers approvers_;
  bool bad_ = false;
};

class RuleReader {
 public:
  RuleReader(const NodeReader& reader, const ToolSchemas* tools) : reader_(reader), tools_(tools) {}

  std::optional<ToolRule> Read(const YamlNode& node, const KeyPath& path) {
    if (reader_.Map(node, path, KeysOf("rule")) == nullptr) {
      return std::nullopt;
    }
    bad_ = !reader_.Needs(node, path, "a rule", {"id", "reason", "tool", "decision"});
    rule_.source = reader_.Where(node);
    if (const YamlNode* id = NodeReader::Find(node, "id")) {
      rule_.id = Noted(reader_.Identifier(*id, path.Key("id"), "an id")).value_or("");
    }
    if (const YamlNode* reason = NodeReader::Find(node, "reason")) {
      rule_.reason = Noted(reader_.Reason(*reason, path.Key("reason"))).value_or("");
    }
    if (const YamlNode* tool = NodeReader::Find(node, "tool")) {
      ReadTools(*tool, path.Key("tool"));
    }
    if (const YamlNode* decision = NodeReader::Find(node, "decision")) {
      ReadDecision(*decision, path.Key("decision"));
    }
    if (const YamlNode* approvers = NodeReader::Find(node, "approvers")) {
      rule_.approvers =
          Noted(ReadApprovers(reader_, *approvers, path.Key("approvers"), rule_.verdict))
              .value_or(Approvers());
    }
    if (const YamlNode* args = NodeReader::Find(node, "args")) {
      ReadArguments(*args, path.Key("args"));
      if (!bad_ && tools_ != nullptr) {
        CheckAgainstTools(*args, path.Key("args"));
      }
    }
    if (bad_) {
      return std::nullopt;
    }
    std::sort(rule_.arguments.begin(), rule_.arguments.end(), AskedBefore);
    return std::move(rule_);
  }

 private:
  // Where a condition stands: the path of its argument, and the matcher.
  struct Place {
    const YamlNode& key;
    const KeyPath& key_path;
    const YamlNode& matcher;
    const KeyPath& matcher_path;
  };
  // The same, to be kept.
  struct KeptPlace {
    const YamlNode* key = nullptr;
    std::string key_path;
    const YamlNode* matcher = nullptr;
    std::string matcher_path;
  };

  void Report(const YamlNode& at, const KeyPath& path, const std::string& what,
              const std::string& suggestion = {}) {
    bad_ = true;
    reader_.Report(at, path, what, suggestion);
  }
  // Passes an answer of the reader on, and remembers that one failed.
  template <typename T>
  std::optional<T> Noted(std::optional<T> answer) {
    bad_ = bad_ || !answer.has_value();
    return answer;
  }

  void ReadDecision(const YamlNode& node, const KeyPath& path) {
    if (const auto verdict = Noted(reader_.VerdictOf(node, path))) {
      denies_ = *verdict == Verdict::kDeny;
      rule_.verdict = *verdict;
    }
  }

  void ReadTools(const YamlNode& node, const KeyPath& path) {
    if (node.kind == YamlNode::Kind::kScalar) {
      ReadTool(node, path);
      return;
    }
    const auto tools = reader_.OneOrMore(node, path, kToolsMax);
    bad_ = bad_ || tools.empty();
    for (const auto& [tool_path, tool] : tools) {
      ReadTool(*tool, tool_path);
    }
  }

  void ReadTool(const YamlNode& node, const KeyPath& path) {
    if (auto tool = Noted(ReadToolPattern(reader_, node, path, tools_))) {
      rule_.tools.push_back(std::move(*tool));
    }
  }

  void ReadArguments(const YamlNode& node, const KeyPath& path) {
    if (node.kind == YamlNode::Kind::kMap && node.items.size() > kArgumentsMax) {
      Report(node, path, "more than " + std::to_string(kArgumentsMax) + " arguments");
      return;
    }
    if (reader_.MapOfAnyKeys(node, path) == nullptr) {
      bad_ = true;
      return;
    }
    rule_.arguments.reserve(node.items.size());
    for (size_t i = 0; i < node.items.size(); ++i) {
      const KeyPath key_path = path.Key(node.keys[i].text);
      ArgumentMatcher matcher;
      matcher.path = std::string(node.keys[i].text);
      std::optional<std::vector<PathStep>> steps = ParseArgumentPath(matcher.path);
      if (!steps.has_value()) {
        const std::string quoted = MemberPath("", matcher.path);
        Report(node.keys[i], key_path,
               "not the path of an argument; write such as path, argv[0], argv[*], argv[?] or "
               "[\"file name\"]",
               matcher.path.find_first_of("[]\"\\") == std::string::npos &&
                       ParseArgumentPath(quoted).has_value()
                   ? quoted
                   : "");
        continue;
      }
      matcher.steps = std::move(*steps);
      ReadMatchers(node.keys[i], node.items[i], key_path, std::move(matcher));
    }
  }

  // Each pattern of the rule must name a tool of which some call meets all conditions.
  void CheckAgainstTools(const YamlNode& args, const KeyPath& path) {
    for (const std::string& pattern : rule_.tools) {
      CheckPattern(args, path, pattern);
    }
  }

  // Of several tools, the one that has the argument, or one that is named nearly so, is spoken of.
  static bool SaysMore(const std::vector<Misfit>& misfits, const std::vector<Misfit>& than) {
    const auto rank = [](const Misfit& misfit) {
      return std::pair(!misfit.of_path, !misfit.suggestion.empty());
    };
    return !than.empty() && rank(misfits.front()) > rank(than.front());
  }

  void CheckPattern(const YamlNode& args, const KeyPath& path, const std::string& pattern) {
    std::vector<std::optional<std::vector<Misfit>>> never(rule_.arguments.size());
    for (const auto& [tool, schema] : *tools_) {
      if (!ToolCovers(pattern, tool)) {
        continue;
      }
      bool all = true;
      for (size_t i = 0; i < rule_.arguments.size(); ++i) {
        std::vector<Misfit> misfits = FindMisfits(tool, schema, rule_.arguments[i]);
        all = all && misfits.empty();
        if (misfits.empty() || !never[i].has_value() || SaysMore(misfits, *never[i])) {
          never[i] = std::move(misfits);
        }
      }
      if (all) {
        return;
      }
    }
    const YamlNode* reported = nullptr;  // a path is wrong once, whatever is asked of it
    for (size_t i = 0; i < rule_.arguments.size(); ++i) {
      for (const Misfit& misfit : never[i].value_or(std::vector<Misfit>())) {
        if (!misfit.of_path || reported != places_[i].key) {
          ReportMisfit(rule_.arguments[i], places_[i], pattern, misfit);
        }
        reported = places_[i].key;
      }
    }
    if (reported == nullptr) {
      Report(args, path, "no tool that \"" + pattern + "\" names has all of these arguments");
    }
  }

  void ReportMisfit(const ArgumentMatcher& matcher, const KeptPlace& place,
                    const std::string& pattern, const Misfit& misfit) {
    if (misfit.of_path) {
      const bool one = pattern.back() != '*';
      Report(*place.key, place.key_path,
             one ? misfit.what : "\"" + pattern + "\" has no argument \"" + matcher.path + "\"",
             misfit.suggestion);
    } else if (misfit.value.has_value()) {
      Report(place.matcher->items[*misfit.value], KeyPath(place.matcher_path).Item(*misfit.value),
             misfit.what, misfit.suggestion);
    } else {
      Report(*place.matcher, place.matcher_path, misfit.what, misfit.suggestion);
    }
  }

  void ReadMatchers(const YamlNode& key, const YamlNode& node, const KeyPath& path,
                    ArgumentMatcher matcher) {
    if (denies_) {
      CheckDeniesAny(key, path, matcher);
    }
    if (node.kind == YamlNode::Kind::kScalar) {
      matcher.kind = Kind::kEquals;
      ReadValue(node, path, matcher);
      Keep(std::move(matcher), {key, path, node, path});
      return;
    }
    if (reader_.Map(node, path, KeysOf("matcher")) == nullptr) {
      bad_ = true;
      return;
    }
    if (node.items.empty()) {
      Report(node, path, "expected a matcher, such as one_of or under");
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      const std::string_view name = node.keys[i].text;
      const KeyPath matcher_path = path.Key(name);
      const YamlNode& inner = node.items[i];
      ArgumentMatcher one = i + 1 == node.items.size() ? std::move(matcher) : matcher;
      if (name != "not") {
        ReadMatcher(name, {key, path, inner, matcher_path}, std::move(one));
      } else if (reader_.Map(inner, matcher_path, KeysOf("matcher")) == nullptr) {
        bad_ = true;
      } else if (inner.items.size() != 1 || inner.keys[0].text == "not") {
        // Two would leave open whether one or both must fail.
        Report(inner, matcher_path, "expected one matcher, such as {equals: x}");
      } else {
        one.negated = true;
        const std::string_view negated = inner.keys[0].text;
        ReadMatcher(negated, {key, path, inner.items[0], matcher_path.Key(negated)},
                    std::move(one));
      }
    }
  }

  // A deny rule whose condition must hold for every element is passed by adding one harmless
  // element to the list, so it is refused rather than left as a trap.
  void CheckDeniesAny(const YamlNode& key, const KeyPath& path, const ArgumentMatcher& matcher) {
    if (HasStep(matcher, PathStep::Kind::kEvery)) {
      std::vector<PathStep> some = matcher.steps;
      for (PathStep& step : some) {
        step.kind = step.kind == PathStep::Kind::kEvery ? PathStep::Kind::kSome : step.kind;
      }
      Report(key, path, "in a deny rule \"[*]\" would need every element to match",
             PathText(some, some.size()));
    }
  }

  void ReadMatcher(std::string_view name, const Place& place, ArgumentMatcher matcher) {
    const YamlNode& node = place.matcher;
    const KeyPath& path = place.matcher_path;
    if (name == "equals") {
      matcher.kind = Kind::kEquals;
      ReadValue(node, path, matcher);
    } else if (name == "one_of") {
      matcher.kind = Kind::kOneOf;
      ReadChoices(node, path, matcher);
    } else if (name == "host_in") {
      matcher.kind = Kind::kHostIn;
      matcher.holds_when_unsure = rule_.verdict != Verdict::kAllow;
      ReadHosts(node, path, matcher);
    } else if (name == "max_length" || name == "max_items") {
      matcher.kind = name == "max_length" ? Kind::kMaxLength : Kind::kMaxItems;
      const Field& field = FieldOf("matcher", name);
      matcher.maximum =
          Noted(reader_.Integer(node, path, {field.minimum, field.maximum})).value_or(0);
    } else if (name == "range") {
      matcher.kind = Kind::kRange;
      ReadRange(node, path, matcher);
    } else if (name == "matches" || name == "glob" || name == "under") {
      if (auto text = Noted(reader_.Text(node, path, kMatcherTextBytesMax))) {
        matcher.text = std::move(*text);
        ReadPattern(name, node, path, matcher);
      }
    } else {
      bad_ = true;  // unknown: reported by the map's reader
      return;
    }
    Keep(std::move(matcher), place);
  }

  void ReadPattern(std::string_view name, const YamlNode& node, const KeyPath& path,
                   ArgumentMatcher& matcher) {
    if (name == "matches") {
      matcher.kind = Kind::kMatches;
      if (const auto problem = SetPattern(matcher, matcher.text)) {
        Report(node, path, *problem);
      }
    } else if (name == "glob") {
      matcher.kind = Kind::kGlob;
      if (const auto problem = GlobProblem(matcher.text)) {
        Report(node, path, *problem);
      } else {
        matcher.glob = std::make_shared<const Glob>(*Glob::Compile(matcher.text));
      }
    } else {
      matcher.kind = Kind::kUnder;
      if (!IsNormalPath(matcher.text)) {
        Report(node, path, "expected a full path without \".\" or \"..\", such as /workspace/src");
      }
    }
  }

  void ReadValue(const YamlNode& node, const KeyPath& path, ArgumentMatcher& matcher) {
    Json value = ScalarValue(node);
    if (value.is_null()) {
      Report(node, path, "expected one value: a text, a number, true or false");
    }
    if (node.text.size() > kMatcherTextBytesMax) {
      Report(node, path, "longer than " + std::to_string(kMatcherTextBytesMax) + " bytes");
    }
    matcher.values.push_back(std::move(value));
  }

  void ReadChoices(const YamlNode& node, const KeyPath& path, ArgumentMatcher& matcher) {
    const YamlNode* list = reader_.List(node, path, kChoicesMax);
    if (list == nullptr) {
      bad_ = true;
      return;
    }
    if (list->items.empty()) {
      Report(node, path, "empty");
    }
    for (size_t i = 0; i < list->items.size(); ++i) {
      ReadValue(list->items[i], path.Item(i), matcher);
    }
  }

  void ReadHosts(const YamlNode& node, const KeyPath& path, ArgumentMatcher& matcher) {
    const YamlNode* list = reader_.List(node, path, kChoicesMax);
    bad_ = bad_ || list == nullptr;
    if (list != nullptr && list->items.empty()) {
      Report(node, path, "empty");
    }
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const KeyPath item_path = path.Item(i);
      if (auto host = Noted(reader_.Text(list->items[i], item_path, kMatcherTextBytesMax))) {
        if (const auto problem = HostPatternProblem(*host)) {
          Report(list->items[i], item_path, *problem, HostOf(*host).value_or(""));
        }
        matcher.values.emplace_back(std::move(*host));
      }
    }
  }

  void ReadRange(const YamlNode& node, const KeyPath& path, ArgumentMatcher& matcher) {
    constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    const YamlNode* list = reader_.List(node, path, 2);
    if (list == nullptr || list->items.size() != 2) {
      Report(node, path, "expected the least and the greatest value: [1, 100]");
      return;
    }
    const auto least = Noted(reader_.Integer(list->items[0], path.Item(0), {kLeast, kMost}));
    const auto most = Noted(reader_.Integer(list->items[1], path.Item(1), {kLeast, kMost}));
    matcher.minimum = least.value_or(0);
    matcher.maximum = most.value_or(0);
    if (least.has_value() && most.has_value() && *least > *most) {
      Report(node, path, "no number is in this range");
    }
  }

  void Keep(ArgumentMatcher matcher, const Place& place) {
    rule_.arguments.push_back(std::move(matcher));
    if (tools_ != nullptr) {
      places_.push_back(
          {&place.key, place.key_path.Text(), &place.matcher, place.matcher_path.Text()});
    }
  }

  const NodeReader& reader_;
  const ToolSchemas* tools_;
  ToolRule rule_;
  std::vector<KeptPlace> places_;  // of rule_.arguments, as long as these stand as they were read
  bool denies_ = false;            // the decision was read, and is deny
  bool bad_ = false;
};

// What only the engine uses is no tool's: a bound that counts nothing would promise what is not kept.
bool UsesTheEngine(const NodeReader& reader, const YamlNode& rate, const KeyPath& path) {
  bool uses = false;
  for (const char* key : {"steps", "tokens", "joules"}) {
    if (const YamlNode* bound = NodeReader::Find(rate, key)) {
      reader.Report(*bound, path.Key(key),
                    std::string("the engine uses ") + key +
                        ", between calls: no tool does. Bound them in budgets.turn, "
                        "budgets.session or budgets.tenant_per_day");
      uses = true;
    }
  }
  return uses;
}

void ReadBounds(const NodeReader& reader, const YamlNode& node, const KeyPath& path,
                CallRate& rate) {
  const YamlNode* calls = NodeReader::Find(node, "calls");
  const YamlNode* wall = NodeReader::Find(node, "wall");
  const YamlNode* bytes_out = NodeReader::Find(node, "bytes_out");
  if (calls == nullptr && wall == nullptr && bytes_out == nullptr) {
    reader.Report(node, path, "a rate needs \"calls\", \"wall\" or \"bytes_out\"");
  }
  if (calls != nullptr) {
    const Field& field = FieldOf("rate", "calls");
    const auto most = reader.Integer(*calls, path.Key("calls"), {field.minimum, field.maximum});
    rate.calls = static_cast<uint64_t>(most.value_or(0));
  }
  if (wall != nullptr) {
    const Field& field = FieldOf("rate", "wall");
    rate.wall = reader.Duration(
        *wall, path.Key("wall"),
        {std::chrono::milliseconds(field.minimum), std::chrono::milliseconds(field.maximum)});
  }
  if (bytes_out != nullptr) {
    const Field& field = FieldOf("rate", "bytes_out");
    rate.bytes_out =
        reader.Size(*bytes_out, path.Key("bytes_out"),
                    {static_cast<uint64_t>(field.minimum), static_cast<uint64_t>(field.maximum)});
  }
}

}  // namespace

std::optional<std::string> ReadToolPattern(const NodeReader& reader, const YamlNode& node,
                                           const KeyPath& path, const ToolSchemas* tools) {
  auto tool = reader.Text(node, path, kMatcherTextBytesMax);
  if (!tool.has_value()) {
    return std::nullopt;
  }
  if (!IsToolPattern(*tool)) {
    reader.Report(
        node, path,
        "expected a tool such as fs.read, all below a prefix: fs.*, or \"*\" for every tool");
    return std::nullopt;
  }
  if (tools != nullptr && std::none_of(tools->begin(), tools->end(), [&](const auto& known) {
        return ToolCovers(*tool, known.first);
      })) {
    std::vector<std::string> names;
    for (const auto& [name, schema] : *tools) {
      names.push_back(name);
    }
    reader.Report(node, path, "there is no tool \"" + *tool + "\"", Nearest(*tool, names));
    return std::nullopt;
  }
  return tool;
}

std::optional<CallRate> ReadRate(const NodeReader& reader, const YamlNode& node,
                                 const KeyPath& path, const ToolSchemas* tools) {
  if (UsesTheEngine(reader, node, path) || reader.Map(node, path, KeysOf("rate")) == nullptr) {
    return std::nullopt;
  }
  CallRate rate;
  rate.source = reader.Where(node);
  if (!reader.Needs(node, path, "a rate", {"id", "reason", "tool", "per"})) {
    return std::nullopt;
  }
  const auto at = [&](const char* key) -> const YamlNode& { return *NodeReader::Find(node, key); };
  rate.id = reader.Identifier(at("id"), path.Key("id"), "an id").value_or("");
  rate.reason = reader.Reason(at("reason"), path.Key("reason")).value_or("");
  for (const auto& [tool_path, item] : reader.OneOrMore(at("tool"), path.Key("tool"), kToolsMax)) {
    if (auto tool = ReadToolPattern(reader, *item, tool_path, tools)) {
      rate.tools.push_back(std::move(*tool));
    }
  }
  ReadBounds(reader, node, path, rate);
  const Field& per = FieldOf("rate", "per");
  const auto unit = reader.Choice(at("per"), path.Key("per"), per.choices);
  rate.per = static_cast<CallRate::Per>(
      std::find(per.choices.begin(), per.choices.end(), unit.value_or("turn")) -
      per.choices.begin());
  return rate;
}

std::optional<Approvers> ReadApprovers(const NodeReader& reader, const YamlNode& node,
                                       const KeyPath& path, Verdict verdict) {
  return ApproversReader(reader).Read(node, path, verdict);
}

std::optional<ToolRule> ReadRule(const NodeReader& reader, const YamlNode& node,
                                 const KeyPath& path, const ToolSchemas* tools) {
  return RuleReader(reader, tools).Read(node, path);
}

}  // namespace nacre::policy
