// nacre policy replay: the recorded calls, judged again by another policy.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "policy/evaluator.h"
#include "policy/given_context.h"
#include "runtime/agent/flow_traits.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/record_filter.h"
#include "runtime/audit/record_format.h"
#include "runtime/cli/command.h"
#include "runtime/cli/recorded_calls.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct ReplayFlags {
  std::string policy;
  std::string since;
  std::string label;  // of every call's context; empty: as it was recorded
  std::vector<std::string> origins;
  bool strict = false;
};

struct Group {
  size_t count = 0;
  std::string reason;   // of the first
  std::string example;  // its call
};

struct Report {
  uint64_t records = 0;
  size_t calls = 0;
  size_t same = 0;
  size_t denied = 0;
  size_t allowed = 0;
  size_t asked = 0;
  // Of the judged: in the label that another policy kept of what was read, for flows of this one.
  size_t labels_of_others = 0;
  std::map<std::string, size_t> not_judged;  // by reason
  // tool, verdict and rule then, verdict and rule now
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string>, Group>
      changed;
};

class Replayer final {
 public:
  // `context`: of every call; not given, it is as each record says.
  Replayer(App& app, const policy::Policy& policy, const tools::Registry& registry,
           policy::GivenContext context)
      : recorded_(app, registry),
        policy_(policy),
        context_(std::move(context)),
        origins_matter_(
            std::any_of(policy.data.flows.begin(), policy.data.flows.end(),
                        [](const policy::FlowRule& flow) { return !flow.roles.empty(); })) {
    for (const tools::Manifest& tool : registry.all()) {
      traits_.emplace(tool.name, agent::TraitsOf(tool));
    }
  }

  void Add(const Json& record) {
    ++report_.calls;
    std::string why;
    std::optional<policy::Request> request = recorded_.RequestOf(record, why);
    if (!request.has_value()) {
      ++report_.not_judged[why];
      return;
    }
    const Json& data = record.at("data");
    const policy::ToolTraits& traits = traits_.at(request->tool);
    const JudgedIn then_in = ContextOf(record);
    const policy::GivenContext context = context_.given ? context_ : then_in.context;
    request->flow = context.Facts(policy_.data, traits, *request);
    const policy::Decision decision = policy::Evaluate(policy_, *request);
    if (!context_.given && origins_matter_ && !then_in.origins) {
      request->flow = policy::NamedByAnyone(context.label).Facts(policy_.data, traits, *request);
      if (policy::Evaluate(policy_, *request).verdict != decision.verdict) {
        ++report_
              .not_judged["who named its arguments would decide it, and the log has not who did"];
        return;
      }
    }
    if (!context_.given && !policy_.data.flows.empty() &&
        StringMember(record, "policy") != policy_.digest) {
      ++report_.labels_of_others;
    }
    const std::string now = policy::VerdictName(decision.verdict);
    const std::string then = StringMember(data, "verdict");
    if (now == then) {
      ++report_.same;
      return;
    }
    const std::string rule_then = StringMember(record, "rule");
    ++(now == "deny" ? report_.denied : now == "ask" ? report_.asked : report_.allowed);
    Group& group = report_.changed[{request->tool, then, rule_then, now, decision.rule}];
    if (++group.count == 1) {
      group.reason = decision.reason;
      group.example = StringMember(record, "call");
    }
  }

  Report& report() { return report_; }

 private:
  RecordedCalls recorded_;
  const policy::Policy& policy_;
  const policy::GivenContext context_;
  const bool origins_matter_;                         // some flow asks who named an argument
  std::map<std::string, policy::ToolTraits> traits_;  // by tool
  Report report_;
};

void Print(const Report& report, const policy::Policy& policy) {
  std::printf(
      "%zu calls of %llu records, judged by %s\n  %zu as before, %zu now denied, %zu now allowed, "
      "%zu now asked\n",
      report.calls, static_cast<unsigned long long>(report.records),
      SafeLine(policy.name, 80).c_str(), report.same, report.denied, report.allowed, report.asked);
  for (const auto& [why, count] : report.not_judged) {
    std::printf("  %zu not judged: %s\n", count, why.c_str());
  }
  if (report.labels_of_others > 0) {
    std::printf("  %zu judged in the label that another policy kept\n", report.labels_of_others);
  }
  const Terminal terminal(1);
  for (const auto& [key, group] : report.changed) {
    const auto& [tool, then, rule_then, now, rule_now] = key;
    std::printf(
        "\n%6zu  %s  %s -> %s  %s -> %s\n        %s\n        nacre policy explain --policy "
        "... --call %s\n",
        group.count, SafeLine(tool, 60).c_str(), SafeLine(then, 10).c_str(),
        terminal.Paint(StyleOf(now), now).c_str(), SafeLine(rule_then, 80).c_str(),
        SafeLine(rule_now, 80).c_str(), SafeLine(group.reason, 300).c_str(),
        SafeLine(group.example, 40).c_str());
  }
}

OrderedJson ToJson(const Report& report, const policy::Policy& policy) {
  OrderedJson groups = OrderedJson::array();
  for (const auto& [key, group] : report.changed) {
    const auto& [tool, then, rule_then, now, rule_now] = key;
    groups.push_back({{"tool", tool},
                      {"then", then},
                      {"rule_then", rule_then},
                      {"now", now},
                      {"rule_now", rule_now},
                      {"count", group.count},
                      {"reason", group.reason},
                      {"example", group.example}});
  }
  OrderedJson not_judged = OrderedJson::array();
  for (const auto& [why, count] : report.not_judged) {
    not_judged.push_back({{"why", why}, {"count", count}});
  }
  return {{"policy", policy.name},
          {"digest", policy.digest},
          {"records", report.records},
          {"calls", report.calls},
          {"same", report.same},
          {"now_denied", report.denied},
          {"now_allowed", report.allowed},
          {"now_asked", report.asked},
          {"labels_of_another_policy", report.labels_of_others},
          {"not_judged", std::move(not_judged)},
          {"groups", std::move(groups)}};
}

int Replay(Globals& globals, const ReplayFlags& flags) {
  App app(globals.app);
  const Result<std::string> since = flags.since.empty()
                                        ? Result<std::string>(std::string())
                                        : audit::ParseInstant(flags.since, app.clock().Now());
  if (!since.ok()) {
    return Fail(globals, since.error(), kExitUsage);
  }
  Result<policy::GivenContext> context = policy::ReadGivenContext(flags.label, flags.origins);
  if (!context.ok()) {
    return Fail(globals, context.error(), kExitUsage);
  }
  Result<std::string> workspace = app.Workspace();
  Result<const tools::Registry*> registry = app.Tools();
  if (!workspace.ok() || !registry.ok()) {
    return Fail(globals, workspace.ok() ? registry.error() : workspace.error());
  }
  const auto policy = app.Policy(flags.policy, workspace.value());
  if (!policy.ok()) {
    return Fail(globals, policy.error(), kExitFailed);
  }
  if (const Status known = policy::CheckCategories(context.value(), {&policy.value()->data});
      !known.ok()) {
    return Fail(globals, known.error(), kExitUsage);
  }
  Replayer replayer(app, *policy.value(), *registry.value(), std::move(context).value());
  Report& report = replayer.report();
  const Status read =
      audit::ReadAuditLog(app.audit_directory(), 0, [&](uint64_t /*index*/, const Json& record) {
        if (StringMember(record, "time") >= since.value()) {
          ++report.records;
          if (StringMember(record, "event") == "call.decided") {
            replayer.Add(record);
          }
        }
        return true;
      });
  if (!read.ok() && read.error().code == ErrorCode::kNotFound && report.records == 0) {
    return Fail(globals,
                {ErrorCode::kNotFound, "nothing was recorded yet: nacre run begins a log"});
  }
  if (!read.ok()) {
    return Fail(globals, read.error());
  }
  if (globals.json) {
    PrintJson(ToJson(report, *policy.value()));
  } else {
    Print(report, *policy.value());
  }
  const bool as_before = report.changed.empty() && report.not_judged.empty();
  return flags.strict && !as_before ? kExitFailed : kExitOk;
}

}  // namespace

void RegisterPolicyReplay(CLI::App& policy, Globals& globals) {
  CLI::App* replay = policy.add_subcommand(
      "replay", "Judge the recorded calls again: what would this policy deny, allow or ask?");
  auto flags = std::make_shared<ReplayFlags>();
  replay->add_option("policy", flags->policy, "A shipped profile or a file")->required();
  replay->add_option("--since", flags->since,
                     "Only calls since a time (2026-11-01), or so long ago (7d, 12h, 30m)");
  replay->add_option(
      "--label", flags->label,
      "What the context of every call is: untrusted,secret,pii (default: as recorded)");
  replay
      ->add_option("--origin", flags->origins,
                   "Who named an argument of every call: ROLE=ORIGIN; may be repeated")
      ->allow_extra_args(false);
  replay->add_flag(
      "--strict", flags->strict,
      "Fail (exit code 1) when a call would be decided otherwise, or cannot be judged");
  AddTenantFlag(*replay, globals);
  AddToolFlag(*replay, globals);
  AddJsonFlag(*replay, globals);
  replay->callback([&globals, flags] { globals.exit_code = Replay(globals, *flags); });
}

}  // namespace nacre::cli
