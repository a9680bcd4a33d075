// nacre policy redteam DATA: what would this policy have done to recorded attacks, and to recorded
// runs without one?
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "policy/policy_loader.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"
#include "runtime/redteam/replay.h"

namespace nacre::cli {
namespace {

constexpr size_t kToolSetFileBytesMax = 1U << 20;
constexpr size_t kTasksFileBytesMax = 16U << 20;
constexpr size_t kBenignAsksShownMax = 10;  // of a suite, for people

struct RedteamOptions {
  std::string data;
  std::vector<std::string> tools;
  std::string policy;
};

using Reports = std::map<std::string, redteam::SuiteReport>;

double Percent(int64_t part, int64_t whole) {
  return whole == 0
             ? 0.0
             : std::round(10'000.0 * static_cast<double>(part) / static_cast<double>(whole)) /
                   100.0;
}

Result<redteam::ToolSet> ReadToolSets(const std::vector<std::string>& files) {
  redteam::ToolSet all;
  for (const std::string& file : files) {
    const std::string text = NACRE_TRY(ReadFile(file, kToolSetFileBytesMax));
    for (auto& [name, traits] : NACRE_TRY(policy::ParseToolTraits(file, text))) {
      if (!all.emplace(name, std::move(traits)).second) {
        return Error{ErrorCode::kInvalidArgument,
                     file + ": " + name + " stands in another file as well"};
      }
    }
  }
  return all;
}

// The traces below `data`, compressed or not.
std::string TracesIn(const std::string& data) {
  struct stat status {};
  const std::string compressed = data + "/traces.jsonl.zst";
  return ::stat(compressed.c_str(), &status) == 0 ? compressed : data + "/traces.jsonl";
}

Result<Reports> Measure(const RedteamOptions& options) {
  const redteam::ToolSet tools = NACRE_TRY(ReadToolSets(options.tools));
  const auto policy = NACRE_TRY(policy::LoadPolicy(options.policy));
  if (!policy->data.present) {
    return Error{ErrorCode::kInvalidArgument,
                 options.policy + " has no data section: it says nothing of flows"};
  }
  const std::string tasks_file = options.data + "/tasks.json";
  Result<redteam::Goals> goals =
      redteam::Goals::Parse(NACRE_TRY(ReadFile(tasks_file, kTasksFileBytesMax)));
  if (!goals.ok()) {
    return WithContext(tasks_file, goals.error());
  }
  const std::string file = TracesIn(options.data);
  const auto reader = NACRE_TRY(redteam::TraceReader::Open(file));
  Reports reports;
  std::string_view line;
  while (NACRE_TRY(reader->Next(line))) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    Result<redteam::Trace> trace = redteam::ParseTrace(line);
    if (!trace.ok()) {
      return WithContext(file + ":" + std::to_string(reader->line()), trace.error());
    }
    trace.value().line = reader->line();
    if (!redteam::IsCounted(trace.value())) {
      continue;
    }
    const auto calls = redteam::Replay(*policy, tools, goals.value(), trace.value());
    redteam::AddToReport(trace.value(), calls, reports[trace.value().suite]);
  }
  if (reports.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 file +
                     ": no run of which the outcome is known: neither a successful attack nor a "
                     "task that was done without one"};
  }
  return reports;
}

redteam::SuiteReport Sum(const Reports& reports) {
  redteam::SuiteReport sum;
  for (const auto& [suite, report] : reports) {
    sum.attacked_runs += report.attacked_runs;
    sum.attacked_with_harm += report.attacked_with_harm;
    sum.attacked_stopped += report.attacked_stopped;
    sum.harmful_calls += report.harmful_calls;
    sum.harmful_stopped += report.harmful_stopped;
    sum.benign_runs += report.benign_runs;
    sum.benign_asked += report.benign_asked;
    sum.benign_asks += report.benign_asks;
  }
  return sum;
}

OrderedJson Counts(const std::map<std::string, int64_t>& counts) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, count] : counts) {
    json[name] = count;
  }
  return json;
}

OrderedJson ListJson(const std::vector<redteam::BenignAsk>& asks) {
  OrderedJson list = OrderedJson::array();
  for (const redteam::BenignAsk& ask : asks) {
    const policy::Decision& decision = ask.call.decision;
    list.push_back({{"line", ask.line},
                    {"user_task", ask.user_task},
                    {"function", ask.call.function},
                    {"arguments", ask.call.arguments},
                    {"verdict", policy::VerdictName(decision.verdict)},
                    {"rule", decision.rule},
                    {"reason", decision.reason}});
  }
  return list;
}

OrderedJson SuiteJson(const redteam::SuiteReport& report) {
  return {{"attacked_runs", report.attacked_runs},
          {"attacked_runs_with_harmful_calls", report.attacked_with_harm},
          {"attacked_runs_stopped", report.attacked_stopped},
          {"harmful_calls", report.harmful_calls},
          {"harmful_stopped", report.harmful_stopped},
          {"harmful_stopped_percent", Percent(report.harmful_stopped, report.harmful_calls)},
          {"harmful_stopped_by", Counts(report.harmful_stopped_by)},
          {"let_through", report.let_through},
          {"benign_runs", report.benign_runs},
          {"benign_asked", report.benign_asked},
          {"benign_asked_percent", Percent(report.benign_asked, report.benign_runs)},
          {"benign_asked_by", Counts(report.benign_asked_by)},
          {"benign_asks", report.benign_asks},
          {"benign_asks_listed", ListJson(report.benign_asks_listed)}};
}

void PrintRow(const std::string& name, const redteam::SuiteReport& report) {
  std::printf("%-12s %9lld %9lld %9lld %9lld %9lld %8.2f %% %9lld %9lld %7.2f %%\n",
              SafeLine(name, 12).c_str(), static_cast<long long>(report.attacked_runs),
              static_cast<long long>(report.attacked_with_harm),
              static_cast<long long>(report.attacked_stopped),
              static_cast<long long>(report.harmful_calls),
              static_cast<long long>(report.harmful_stopped),
              Percent(report.harmful_stopped, report.harmful_calls),
              static_cast<long long>(report.benign_runs),
              static_cast<long long>(report.benign_runs - report.benign_asked),
              Percent(report.benign_asked, report.benign_runs));
}

void PrintBenignAsks(const std::string& suite, const redteam::SuiteReport& report) {
  const size_t shown = std::min(report.benign_asks_listed.size(), kBenignAsksShownMax);
  if (shown == 0) {
    return;
  }
  std::printf("\nbenign calls asked or denied, %s, %zu of %lld:\n", SafeLine(suite, 40).c_str(),
              shown, static_cast<long long>(report.benign_asks));
  for (size_t i = 0; i < shown; ++i) {
    const redteam::BenignAsk& ask = report.benign_asks_listed[i];
    const policy::Decision& decision = ask.call.decision;
    std::printf("  line %lld %s: %s %s\n      %s by %s: %s\n", static_cast<long long>(ask.line),
                SafeLine(ask.user_task, 40).c_str(), SafeLine(ask.call.function, 60).c_str(),
                SafeLine(ask.call.arguments, 200).c_str(), policy::VerdictName(decision.verdict),
                SafeLine(decision.rule, 80).c_str(), SafeLine(decision.reason, 300).c_str());
  }
}

void PrintTable(const Reports& reports, const redteam::SuiteReport& sum) {
  std::printf(
      "             attacked    with a   stopped   harmful   stopped             benign   without  "
      " "
      "  asked\n"
      "suite            runs   harmful       all     calls                         runs  "
      "approval\n");
  for (const auto& [suite, report] : reports) {
    PrintRow(suite, report);
  }
  if (reports.size() > 1) {
    PrintRow("all", sum);
  }
  for (const auto& [suite, report] : reports) {
    if (!report.let_through.empty()) {
      std::printf("\nharmful calls let through, %s:\n", SafeLine(suite, 40).c_str());
    }
    for (const std::string& line : report.let_through) {
      std::printf("  %s\n", SafeLine(line, 400).c_str());
    }
    if (!report.benign_asked_by.empty()) {
      std::printf("\nbenign runs asked, by rule, %s:\n", SafeLine(suite, 40).c_str());
    }
    for (const auto& [rule, runs] : report.benign_asked_by) {
      std::printf("  %6lld  %s\n", static_cast<long long>(runs), SafeLine(rule, 80).c_str());
    }
    PrintBenignAsks(suite, report);
  }
  std::printf(
      "\nThe attacks are recorded ones: they do not adapt to this policy. A run whose call was "
      "refused would have\ngone on differently, so what a user loses is a bound, not a rate.\n");
}

int Redteam(Globals& globals, const RedteamOptions& options) {
  const Result<Reports> measured = Measure(options);
  if (!measured.ok()) {
    return Fail(globals, measured.error(), kExitFailed);
  }
  const redteam::SuiteReport sum = Sum(measured.value());
  if (!globals.json) {
    PrintTable(measured.value(), sum);
    return kExitOk;
  }
  OrderedJson suites = OrderedJson::object();
  for (const auto& [suite, report] : measured.value()) {
    suites[suite] = SuiteJson(report);
  }
  const OrderedJson json = {
      {"harmful_calls", sum.harmful_calls},
      {"harmful_stopped_percent", Percent(sum.harmful_stopped, sum.harmful_calls)},
      {"benign_runs", sum.benign_runs},
      {"benign_asked_percent", Percent(sum.benign_asked, sum.benign_runs)},
      {"by_suite", std::move(suites)}};
  PrintJson(json);
  return kExitOk;
}

}  // namespace

void RegisterRedteam(CLI::App& policy, Globals& globals) {
  CLI::App* redteam = policy.add_subcommand(
      "redteam",
      "What does this policy stop of recorded attacks, and how often does it ask in vain?");
  auto options = std::make_shared<RedteamOptions>();
  redteam
      ->add_option("data", options->data,
                   "A folder with traces.jsonl or traces.jsonl.zst, and tasks.json")
      ->required();
  redteam
      ->add_option("--tools", options->tools,
                   "The manifests of the tools in the traces (tools.yaml); may be given again")
      ->required();
  redteam->add_option("--policy", options->policy, "A shipped profile or a file")->required();
  AddJsonFlag(*redteam, globals);
  redteam->footer(
      "Example:\n  nacre policy redteam ~/agentdojo --tools tests/data/redteam/tools.yaml "
      "--policy policy/profiles/redteam.yaml");
  redteam->callback([&globals, options] { globals.exit_code = Redteam(globals, *options); });
}

}  // namespace nacre::cli
