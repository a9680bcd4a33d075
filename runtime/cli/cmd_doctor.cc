// nacre doctor: what this machine offers, what is missing, and what to do about it.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "runtime/audit/audit_verifier.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "sandbox/doctor/diagnosis.h"
#include "sandbox/sandbox.h"

namespace nacre::cli {
namespace {

enum class Health { kBad = 0, kWeak, kGood };
const char* HealthName(Health health) {
  return health == Health::kGood ? "ok" : health == Health::kWeak ? "weaker" : "missing";
}

struct Finding {
  std::string part;  // "engine", "sandbox: Landlock"
  Health health = Health::kBad;
  std::string detail;
  std::string advice;    // empty when all is well
  std::string why = {};  // what it is for
};

Finding Bad(const std::string& part, const Error& error, const std::string& advice) {
  return {part, Health::kBad, error.message, advice};
}

std::vector<Finding> ExamineEngine(App& app) {
  Result<inference::Engine*> engine = app.Engine();
  if (!engine.ok()) {
    const std::string advice =
        !app.options().engine_url.empty() ? "is the server running, and is this its address?"
        : !app.options().model.empty()
            ? "name a GGUF file that exists and that llama.cpp can read: --model FILE.gguf"
            : "build with runtime/try, or name a model: --model FILE.gguf";
    // What the engine would have run, so that nobody has to guess which of the two is at fault.
    const std::string model = !app.options().model.empty()        ? app.options().model
                              : !app.options().engine_url.empty() ? "(the server's own)"
                                                                  : "(the bundled nacre-mini)";
    return {Bad("engine", engine.error(), advice),
            {"model", Health::kBad, model + ": not looked at, because there is no engine",
             "mend the engine first, then run this again"}};
  }
  const inference::EngineInfo info = engine.value()->Info();
  Finding model{"model", Health::kGood, info.model, {}};
  if (info.demonstration) {
    model.health = Health::kWeak;
    model.detail += " (bundled demonstration model)";
    model.advice =
        "for real work: --model FILE.gguf, or --engine URL of an OpenAI-compatible server";
  }
  return {{"engine", Health::kGood, info.name, {}}, model};
}

Health HealthOf(sandbox::LayerState state) {
  switch (state) {
    case sandbox::LayerState::kPresent:
      return Health::kGood;
    case sandbox::LayerState::kWeaker:
      return Health::kWeak;
    case sandbox::LayerState::kMissing:
      break;
  }
  return Health::kBad;
}

std::vector<Finding> ExamineHost() {
  std::vector<Finding> findings;
  for (const sandbox::Finding& each : sandbox::Diagnose(sandbox::TryHost())) {
    findings.push_back(
        {"sandbox: " + each.part, HealthOf(each.state), each.found, each.advice, each.why});
  }
  return findings;
}

const char* WhatFor(sandbox::Isolation tier) {
  switch (tier) {
    case sandbox::Isolation::kNamespace:
      return "where calls run unless the policy says otherwise";
    case sandbox::Isolation::kGvisor:
      return "calls on a kernel in user space: sandbox.isolation: gvisor";
    case sandbox::Isolation::kMicrovm:
      return "calls in a virtual machine of their own: sandbox.isolation: microvm";
  }
  return "";
}

// One whole call that does nothing, in each tier that could be there.
std::vector<Finding> ExamineTiers(App& app) {
  Result<sandbox::Sandbox*> sandbox = app.Sandbox();
  if (!sandbox.ok()) {
    return {Bad("isolation", sandbox.error(), "mend what is missing above")};
  }
  std::vector<Finding> findings;
  for (const sandbox::Isolation tier : {sandbox::Isolation::kNamespace, sandbox::Isolation::kGvisor,
                                        sandbox::Isolation::kMicrovm}) {
    const bool always = tier == sandbox::Isolation::kNamespace;
    sandbox::SandboxSpec spec;
    spec.id = "doctor";
    spec.argv = {"/usr/bin/true"};
    spec.isolation = tier;
    spec.require.cgroup = false;  // a line of its own says whether there is one
    sandbox::NoCallIo io;
    const auto outcome = sandbox.value()->Run(spec, io, CancelToken());
    const bool works = outcome.ok() && outcome.value().kind == sandbox::OutcomeKind::kExited &&
                       outcome.value().exit_code == 0;
    findings.push_back({std::string("isolation: ") + sandbox::IsolationName(tier),
                        works    ? Health::kGood
                        : always ? Health::kBad
                                 : Health::kWeak,
                        works          ? "a call ran in it"
                        : outcome.ok() ? sandbox::Describe(outcome.value())
                                       : outcome.error().message,
                        works ? ""
                        : always
                            ? "mend what is missing above"
                            : "only for policies that ask for it: mend what the line says, then "
                              "run this again",
                        WhatFor(tier)});
  }
  return findings;
}

std::vector<Finding> ExamineStore(App& app) {
  Result<memory::SessionStore*> store = app.Store();
  const Status checked = store.ok() ? store.value()->Check() : Status(store.error());
  if (!checked.ok()) {
    return {Bad("store", checked.error(),
                "make room, or choose a writable place with --state DIR or NACRE_STATE_DIR")};
  }
  return {{"store", Health::kGood, app.database_path(), {}}};
}

std::vector<Finding> ExamineLog(App& app) {
  const Result<audit::AuditLog*> log = app.Log();
  if (!log.ok()) {
    const bool no_room = log.error().code == ErrorCode::kResourceExhausted;
    return {Bad("audit log", log.error(),
                no_room ? "nothing runs without it: free some space, then run this again"
                        : "nothing runs without it; nacre audit verify names the first bad record, "
                          "and a new log starts in another --state DIR")};
  }
  // What is there may still have room for a few records: a checkpoint needs files of its own.
  if (const Status written = log.value()->WriteCheckpoint(); !written.ok()) {
    return {Bad("audit log", written.error(),
                "nothing can be written there, so nothing will run: free some space, or mend what "
                "the line says, then run this again")};
  }
  // What was seen of it before was compared when it was opened.
  const Result<audit::VerifyReport> report = audit::VerifyAuditLog(app.audit_directory());
  if (!report.ok()) {
    return {Bad("audit log", report.error(), "see nacre audit verify")};
  }
  if (!report.value().ok) {
    return {{"audit log", Health::kBad, "does not verify: " + report.value().problems.front(),
             "somebody changed it; keep a copy, and see nacre audit verify"}};
  }
  Finding finding{
      "audit log",
      Health::kGood,
      app.audit_directory() + ", " + std::to_string(report.value().records) + " records, verified",
      {}};
  if (const uint64_t sessions = report.value().begun_beside_sessions; sessions > 0) {
    finding.health = Health::kWeak;
    finding.detail += "; it begins after " + audit::SessionsWithoutRecords(sessions);
    finding.advice =
        "if nobody removed the log before it on purpose, somebody hid what these sessions did: "
        "look for it in your backups; nacre audit verify says when this one was begun";
  }
  return {finding};
}

std::vector<Finding> ExamineTools(App& app) {
  Result<const tools::Registry*> tools = app.Tools();
  if (!tools.ok()) {
    return {Bad("tools", tools.error(), "build again, or mend the manifest that is named")};
  }
  return {{"tools", Health::kGood, std::to_string(tools.value()->all().size()) + " tools", {}}};
}

int Examine(Globals& globals) {
  App app(globals.app);
  std::vector<Finding> findings;
  // The host first: it is tried out in children, which are forked best while no thread runs.
  const std::vector<Finding> host = ExamineHost();
  for (const std::vector<Finding>& part : {ExamineEngine(app), host, ExamineTiers(app),
                                           ExamineStore(app), ExamineLog(app), ExamineTools(app)}) {
    findings.insert(findings.end(), part.begin(), part.end());
  }
  const Terminal terminal(STDOUT_FILENO);
  bool bad = false;
  for (const Finding& finding : findings) {
    bad |= finding.health == Health::kBad;
    if (globals.json) {
      const OrderedJson json = {{"part", finding.part},
                                {"state", HealthName(finding.health)},
                                {"detail", finding.detail},
                                {"why", finding.why},
                                {"advice", finding.advice}};
      PrintJson(json);
      continue;
    }
    const Style style = finding.health == Health::kGood   ? Style::kGreen
                        : finding.health == Health::kWeak ? Style::kYellow
                                                          : Style::kRed;
    char name[16];
    std::snprintf(name, sizeof name, "%-8s", HealthName(finding.health));
    std::printf("%s %-28s %s\n", terminal.Paint(style, name).c_str(), finding.part.c_str(),
                SafeLine(finding.detail, 300).c_str());
    if (!finding.advice.empty()) {
      if (!finding.why.empty()) {
        std::printf("%38s   %s\n", "", SafeLine(finding.why, 300).c_str());
      }
      std::printf("%38s-> %s\n", "", SafeLine(finding.advice, 500).c_str());
    }
  }
  return bad ? kExitFailed : kExitOk;
}

}  // namespace

void RegisterDoctor(CLI::App& root, Globals& globals) {
  CLI::App* command = root.add_subcommand(
      "doctor", "What this machine offers, what is missing, and how to mend it");
  command->footer(
      "Examples:\n  nacre doctor\n  nacre doctor --model qwen.gguf\n  nacre doctor --json | jq "
      "'select(.state==\"missing\")'");
  AddEngineFlags(*command, globals);
  AddToolFlag(*command, globals);
  AddJsonFlag(*command, globals);
  command->callback([&globals] { globals.exit_code = Examine(globals); });
}

}  // namespace nacre::cli
