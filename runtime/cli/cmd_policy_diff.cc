// nacre policy diff: which calls two policies decide differently.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "policy/diff.h"
#include "policy/evaluator.h"
#include "policy/given_context.h"
#include "runtime/agent/approver.h"
#include "runtime/agent/flow_traits.h"
#include "runtime/agent/tool_call.h"
#include "runtime/cli/command.h"
#include "runtime/cli/compared_policies.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

constexpr size_t kWitnessesShown = 3;

struct DiffFlags {
  std::string before;
  std::string after;
  std::string label;  // of the context of every call; empty: what is known of data is left out
  std::vector<std::string> origins;
  bool no_wider = false;
};

struct Group {
  size_t count = 0;
  std::string reason_before;
  std::string reason_after;
  std::string asked_before;  // of "ask": whose yes is wanted
  std::string asked_after;
  std::vector<std::string> witnesses;  // arguments
};

struct Difference {
  policy::PolicyDiff diff;
  size_t asked = 0;
  bool wider = false;
  // tool, verdict and rule before, verdict and rule after
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, Group>
      groups;
  std::set<std::string> shown;  // rules that decided a witness
};

// Whoever had to say yes still has to.
bool AsksNoFewer(const policy::Decision& then, const policy::Decision& now) {
  return std::all_of(then.approvers.begin(), then.approvers.end(), [&](const auto& each) {
    return std::find(now.approvers.begin(), now.approvers.end(), each) != now.approvers.end();
  });
}

std::string AskedOf(const policy::Decision& decision) {
  return decision.approvers.empty() ? "" : agent::DescribeApprovers(decision.approvers);
}

bool Shown(const Difference& difference, const policy::ToolRule& rule) {
  return difference.shown.count(rule.Name()) > 0;
}

void Ask(Difference& difference, const policy::Policy& before, const policy::Policy& after,
         const tools::Registry& registry, const agent::PathContext& paths,
         const policy::GivenContext& context) {
  for (const policy::CandidateCall& call : difference.diff.candidates) {
    const std::string arguments = DumpJson(call.arguments);
    std::variant<agent::ToolCall, agent::BadToolCall> parsed =
        agent::ParseToolCall({call.tool, arguments}, registry, paths);
    auto* understood = std::get_if<agent::ToolCall>(&parsed);
    if (understood == nullptr) {
      continue;  // no call that its tool takes
    }
    ++difference.asked;
    policy::Request& request = understood->request;
    const policy::ToolTraits traits = agent::TraitsOf(*understood->tool);
    request.flow = context.Facts(before.data, traits, request);
    const policy::Decision then = policy::Evaluate(before, request);
    request.flow = context.Facts(after.data, traits, request);
    const policy::Decision now = policy::Evaluate(after, request);
    const bool same_verdict = then.verdict == now.verdict;
    if (same_verdict && std::is_permutation(then.approvers.begin(), then.approvers.end(),
                                            now.approvers.begin(), now.approvers.end())) {
      continue;
    }
    difference.wider =
        difference.wider || now.verdict > then.verdict || (same_verdict && !AsksNoFewer(then, now));
    difference.shown.insert({then.rule, now.rule});
    Group& group = difference.groups[{call.tool, policy::VerdictName(then.verdict), then.rule,
                                      policy::VerdictName(now.verdict), now.rule}];
    if (++group.count <= kWitnessesShown) {
      group.reason_before = then.reason;
      group.reason_after = now.reason;
      group.asked_before = AskedOf(then);
      group.asked_after = AskedOf(now);
      group.witnesses.push_back(arguments);
    }
  }
}

const char* WhatHappened(const std::string& before, const std::string& after) {
  return after == "deny"    ? "newly denied"
         : after == "allow" ? "newly allowed"
         : before == "deny" ? "newly asked, was denied"
         : before == "ask"  ? "asked of others, or for another time"
                            : "newly asked, was allowed";
}

OrderedJson RulesJson(const Difference& difference,
                      const std::vector<const policy::ToolRule*>& rules) {
  OrderedJson list = OrderedJson::array();
  for (const policy::ToolRule* rule : rules) {
    list.push_back({{"rule", rule->Name()},
                    {"source", policy::ToText(rule->source)},
                    {"seen", Shown(difference, *rule)}});
  }
  return list;
}

OrderedJson ToJson(const Difference& difference) {
  OrderedJson settings = OrderedJson::array();
  for (const policy::SettingChange& change : difference.diff.settings) {
    settings.push_back({{"key", change.key}, {"before", change.before}, {"after", change.after}});
  }
  OrderedJson groups = OrderedJson::array();
  for (const auto& [key, group] : difference.groups) {
    const auto& [tool, then, rule_then, now, rule_now] = key;
    groups.push_back({{"what", WhatHappened(then, now)},
                      {"tool", tool},
                      {"before", then},
                      {"rule_before", rule_then},
                      {"reason_before", group.reason_before},
                      {"asked_before", group.asked_before},
                      {"after", now},
                      {"rule_after", rule_now},
                      {"reason_after", group.reason_after},
                      {"asked_after", group.asked_after},
                      {"count", group.count},
                      {"witnesses", group.witnesses}});
  }
  return {{"wider", difference.wider},
          {"settings", std::move(settings)},
          {"rules_only_before", RulesJson(difference, difference.diff.only_before)},
          {"rules_only_after", RulesJson(difference, difference.diff.only_after)},
          {"calls_asked", difference.asked},
          {"calls_cut", difference.diff.candidates_cut},
          {"groups", std::move(groups)}};
}

void PrintRules(const Difference& difference, const std::vector<const policy::ToolRule*>& rules,
                const char* sign) {
  for (const policy::ToolRule* rule : rules) {
    std::printf(
        "%s %s  %s:%d%s\n", sign, SafeLine(rule->Name(), 80).c_str(),
        SafeLine(rule->source.file, 120).c_str(), rule->source.line,
        Shown(difference, *rule) ? "" : "  (no call was found that it decides differently)");
  }
}

std::string ShownAsked(const std::string& asked) {
  return asked.empty() ? "" : " (asked: " + SafeLine(asked, 200) + ")";
}

void Print(const Difference& difference) {
  for (const policy::SettingChange& change : difference.diff.settings) {
    std::printf("~ %s: %s -> %s\n", SafeLine(change.key, 80).c_str(),
                SafeLine(change.before, 200).c_str(), SafeLine(change.after, 200).c_str());
  }
  PrintRules(difference, difference.diff.only_before, "-");
  PrintRules(difference, difference.diff.only_after, "+");
  const Terminal terminal(1);
  for (const auto& [key, group] : difference.groups) {
    const auto& [tool, then, rule_then, now, rule_now] = key;
    std::printf(
        "\n%s: %s  (%zu such calls asked)\n  before  %s by %s: %s%s\n  after   %s by %s: %s%s\n",
        terminal.Paint(StyleOf(now), WhatHappened(then, now)).c_str(), SafeLine(tool, 60).c_str(),
        group.count, then.c_str(), SafeLine(rule_then, 80).c_str(),
        SafeLine(group.reason_before, 200).c_str(), ShownAsked(group.asked_before).c_str(),
        now.c_str(), SafeLine(rule_now, 80).c_str(), SafeLine(group.reason_after, 200).c_str(),
        ShownAsked(group.asked_after).c_str());
    for (const std::string& witness : group.witnesses) {
      std::printf("    %s %s\n", SafeLine(tool, 60).c_str(), SafeLine(witness, 300).c_str());
    }
  }
  std::printf("\n%zu calls were put to both%s; what is shown differs, what is not shown may\n",
              difference.asked, difference.diff.candidates_cut ? " (there would be more)" : "");
}

int Diff(Globals& globals, const DiffFlags& flags) {
  App app(globals.app);
  const Result<policy::GivenContext> context = policy::ReadGivenContext(flags.label, flags.origins);
  if (!context.ok()) {
    return Fail(globals, context.error(), kExitUsage);
  }
  Result<std::string> workspace = app.Workspace();
  Result<const tools::Registry*> registry = app.Tools();
  if (!workspace.ok() || !registry.ok()) {
    return Fail(globals, workspace.ok() ? registry.error() : workspace.error());
  }
  const auto policies = PoliciesToCompare(app, flags.before, flags.after, workspace.value());
  if (!policies.ok()) {
    return Fail(globals, policies.error(), kExitFailed);
  }
  const auto& [before, after] = policies.value();
  if (const Status known = policy::CheckCategories(context.value(), {&before->data, &after->data});
      !known.ok()) {
    return Fail(globals, known.error(), kExitUsage);
  }
  policy::ToolSchemaList schemas;
  for (const tools::Manifest& tool : registry.value()->all()) {
    schemas.emplace_back(tool.name, Json(tool.parameters));
  }
  Difference difference{.diff = policy::DiffPolicies(*before, *after, schemas)};
  Ask(difference, *before, *after, *registry.value(), {workspace.value(), App::Home()},
      context.value());
  if (globals.json) {
    PrintJson(ToJson(difference));
  } else {
    Print(difference);
  }
  return flags.no_wider && difference.wider ? kExitFailed : kExitOk;
}

}  // namespace

void RegisterPolicyDiff(CLI::App& policy, Globals& globals) {
  CLI::App* diff = policy.add_subcommand(
      "diff", "Which calls do two policies decide differently? Each is shown by a call");
  auto flags = std::make_shared<DiffFlags>();
  diff->add_option("before", flags->before, "A shipped profile or a file")->required();
  diff->add_option("after", flags->after, "Another")->required();
  diff->add_option("--label", flags->label,
                   "What the context of every call is: untrusted,secret,pii. Without, flows are "
                   "left out");
  diff->add_option("--origin", flags->origins,
                   "Who named an argument of every call: ROLE=ORIGIN, such as recipient=stranger; "
                   "may be repeated")
      ->allow_extra_args(false);
  diff->add_flag("--no-wider", flags->no_wider,
                 "Fail (exit code 1) when the second allows or asks for a call that the first "
                 "answers more strictly, or no longer asks somebody whom the first asks");
  AddTenantFlag(*diff, globals);
  AddToolFlag(*diff, globals);
  AddJsonFlag(*diff, globals);
  diff->callback([&globals, flags] { globals.exit_code = Diff(globals, *flags); });
}

}  // namespace nacre::cli
