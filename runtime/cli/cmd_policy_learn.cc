// nacre policy learn: the least policy that would have allowed what recorded sessions did.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "policy/learn.h"
#include "runtime/audit/log_query.h"
#include "runtime/cli/policy_commands.h"
#include "runtime/cli/recorded_calls.h"
#include "runtime/cli/recorded_turns.h"
#include "runtime/cli/terminal.h"
#include "runtime/cli/tool_models.h"

namespace nacre::cli {
namespace {

struct LearnFlags {
  std::vector<std::string> sessions;
  std::string log;
  std::string name = "learned";
  std::string output;
};

// Calls that were decided in the sessions, and what persons said to those that they were asked for.
struct Recorded {
  std::vector<policy::RecordedCall> calls;
  std::vector<policy::TurnUse> turns;           // that ended
  std::map<std::string, std::string> approved;  // calls, and who said yes
  size_t denied = 0;
  size_t refused = 0;                      // by a person, or because none could be asked
  std::map<std::string, size_t> left_out;  // by reason
};

// Records as they were signed, or at the log's end linked: a policy is not learned from what somebody wrote
// into a log afterwards.
Status ReadChecked(App& app, const std::string& log,
                   const std::function<void(const Json& record)>& visit) {
  const audit::QueryReport report = NACRE_TRY(
      audit::QueryAuditLog(log, {}, {}, app.random(), [&](uint64_t /*index*/, const Json& record) {
        visit(record);
        return true;
      }));
  if (!report.problems.empty()) {
    return Error{ErrorCode::kDataLoss,
                 "nothing is learned from a log that is not as it was signed: " +
                     report.problems.front() + "; see nacre audit verify"};
  }
  return Ok();
}

int ExitOf(const Error& error) {
  return error.code == ErrorCode::kInvalidArgument ? kExitUsage
         : error.code == ErrorCode::kDataLoss      ? kExitTampered
                                                   : kExitBroken;
}

// The sessions that ids, unique prefixes of ids, or "last" name.
Result<std::set<std::string>> SessionsOf(App& app, const LearnFlags& flags,
                                         const std::string& log) {
  std::set<std::string> known;
  std::string last;
  NACRE_TRY(ReadChecked(app, log, [&](const Json& record) {
    if (StringMember(record, "event") == "call.decided") {
      last = StringMember(record, "session");
      known.insert(last);
    }
  }));
  std::set<std::string> sessions;
  for (const std::string& wanted : flags.sessions) {
    std::vector<std::string> fitting;
    for (const std::string& session : known) {
      if (wanted == "last" ? session == last : !wanted.empty() && session.rfind(wanted, 0) == 0) {
        fitting.push_back(session);
      }
    }
    if (fitting.size() != 1) {
      return Error{fitting.empty() ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
                   "session " + SafeLine(wanted, 60) +
                       (fitting.empty() ? ": the log has no call of it: nacre session list"
                                        : ": several begin so; write more of it")};
    }
    sessions.insert(fitting[0]);
  }
  return sessions;
}

Result<Recorded> CallsOf(App& app, const tools::Registry& registry, const std::string& log,
                         const std::set<std::string>& sessions) {
  Recorded recorded;
  RecordedCalls reader(app, registry);
  RecordedTurns turns;
  NACRE_TRY(ReadChecked(app, log, [&](const Json& record) {
    if (sessions.count(StringMember(record, "session")) == 0) {
      return;
    }
    const std::string event = StringMember(record, "event");
    const Json* data = FindMember(record, "data");
    if (event == "call.approval" && data != nullptr && BoolMember(*data, "approved")) {
      recorded.approved.emplace(StringMember(record, "call"), StringMember(*data, "by"));
    }
    turns.Add(record);
    if (event != "call.decided") {
      return;
    }
    const std::string verdict = data != nullptr ? StringMember(*data, "verdict") : "";
    if (verdict != "allow" && verdict != "ask") {
      ++recorded.denied;
      return;
    }
    std::string why;
    if (auto request = reader.RequestOf(record, why)) {
      recorded.calls.push_back(
          {StringMember(record, "call"),
           verdict == "allow" ? policy::Verdict::kAllow : policy::Verdict::kAsk,
           std::move(*request)});
    } else {
      ++recorded.left_out[why];
    }
  }));
  recorded.refused = std::erase_if(recorded.calls, [&](const policy::RecordedCall& call) {
    return call.verdict == policy::Verdict::kAsk && recorded.approved.count(call.id) == 0;
  });
  for (policy::RecordedCall& call : recorded.calls) {
    if (call.verdict == policy::Verdict::kAsk) {
      call.approved_by = AccountsIn(recorded.approved[call.id]);
    }
  }
  recorded.turns = turns.ended();
  return recorded;
}

OrderedJson ToJson(const policy::LearnedPolicy& learned, const Recorded& recorded,
                   const std::set<std::string>& sessions) {
  OrderedJson left_out = OrderedJson::array();
  for (const auto& [why, count] : recorded.left_out) {
    left_out.push_back({{"why", why}, {"count", count}});
  }
  return {
      {"policy", learned.yaml},    {"sessions", sessions},        {"calls", learned.calls},
      {"denied", recorded.denied}, {"refused", recorded.refused}, {"left_out", std::move(left_out)},
      {"rules", learned.rules},    {"widened", learned.widened},  {"risks", learned.risks}};
}

int Learn(Globals& globals, const LearnFlags& flags) {
  App app(globals.app);
  const std::string log = flags.log.empty() ? app.audit_directory() : flags.log;
  Result<const tools::Registry*> registry = app.Tools();
  if (!registry.ok()) {
    return Fail(globals, registry.error());
  }
  const Result<std::set<std::string>> sessions = SessionsOf(app, flags, log);
  if (!sessions.ok()) {
    return Fail(globals, sessions.error(), ExitOf(sessions.error()));
  }
  const Result<Recorded> recorded = CallsOf(app, *registry.value(), log, sessions.value());
  if (!recorded.ok()) {
    return Fail(globals, recorded.error(), ExitOf(recorded.error()));
  }
  const Result<policy::LearnedPolicy> result = policy::LearnPolicy(
      flags.name, recorded.value().calls, ModelsOf(*registry.value()), recorded.value().turns);
  if (!result.ok()) {
    return Fail(globals, result.error(), kExitFailed);
  }
  const policy::LearnedPolicy& learned = result.value();
  if (!flags.output.empty()) {
    if (const Status written = WriteFileAtomically(flags.output, learned.yaml); !written.ok()) {
      return Fail(globals, written.error(), kExitFailed);
    }
  }
  // What the log says and nobody can judge is no part of the policy: whoever runs it will see it denied.
  const int exit_code = recorded.value().left_out.empty() ? kExitOk : kExitFailed;
  if (globals.json) {
    PrintJson(ToJson(learned, recorded.value(), sessions.value()));
    return exit_code;
  }
  if (flags.output.empty()) {
    std::fputs(learned.yaml.c_str(), stdout);
  }
  std::fprintf(stderr,
               "%zu rules from %zu calls; %zu were denied and %zu refused, and not learned\n",
               learned.rules, learned.calls, recorded.value().denied, recorded.value().refused);
  for (const auto& [why, count] : recorded.value().left_out) {
    std::fprintf(stderr, "  %zu not learned: %s\n", count, why.c_str());
  }
  for (const std::string& wide : learned.widened) {
    std::fprintf(stderr, "  wide: %s\n", SafeLine(wide, 300).c_str());
  }
  for (const std::string& risk : learned.risks) {
    std::fprintf(stderr, "  risk: %s\n", SafeLine(risk, 400).c_str());
  }
  return exit_code;
}

}  // namespace

void RegisterPolicyLearn(CLI::App& policy, Globals& globals) {
  CLI::App* learn = policy.add_subcommand(
      "learn", "The least policy that would have allowed what recorded sessions did");
  auto flags = std::make_shared<LearnFlags>();
  learn
      ->add_option("--session", flags->sessions,
                   "Sessions to learn from: an id, a unique prefix of one, or \"last\"")
      ->required();
  learn->add_option("--log", flags->log, "A copied audit log (default: this machine's)");
  learn->add_option("--name", flags->name, "The policy's name")->capture_default_str();
  learn->add_option("-o,--output", flags->output, "A file to write it to (default: print it)");
  AddToolFlag(*learn, globals);
  AddJsonFlag(*learn, globals);
  learn->callback([&globals, flags] { globals.exit_code = Learn(globals, *flags); });
}

}  // namespace nacre::cli
