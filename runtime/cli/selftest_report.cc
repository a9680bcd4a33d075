#include "runtime/cli/selftest_report.h"

#include <cstdio>

#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

using sandbox::LayerName;
using sandbox::Probe;
using sandbox::ProbeResult;
using sandbox::Verdict;

constexpr char kFirstLine[] = "nacre selftest report/1\n";
constexpr size_t kDetailShownMax = 160;

std::string Milliseconds(std::chrono::microseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(time.count()) / 1000);
  return text;
}

double Seconds(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

const char* StateName(sandbox::LayerState state) {
  return state == sandbox::LayerState::kPresent  ? "present"
         : state == sandbox::LayerState::kWeaker ? "weaker"
                                                 : "missing";
}

}  // namespace

const char* VerdictName(Verdict verdict) {
  return verdict == Verdict::kStopped   ? "stopped"
         : verdict == Verdict::kSkipped ? "skipped"
                                        : "escaped";
}

SelftestSummary Summarise(const SelftestRun& run) {
  SelftestSummary summary;
  summary.probes = run.results.size();
  for (const ProbeResult& result : run.results) {
    const sandbox::Judgement& judgement = result.judgement;
    summary.stopped += judgement.verdict == Verdict::kStopped ? 1 : 0;
    summary.skipped += judgement.verdict == Verdict::kSkipped ? 1 : 0;
    summary.escaped += judgement.verdict == Verdict::kEscaped ? 1 : 0;
    summary.unexpected += judgement.verdict == Verdict::kStopped && !judgement.as_expected ? 1 : 0;
  }
  return summary;
}

OrderedJson SummaryJson(const SelftestRun& run) {
  const SelftestSummary summary = Summarise(run);
  return {{"probes", summary.probes},
          {"stopped", summary.stopped},
          {"escaped", summary.escaped},
          {"skipped", summary.skipped},
          {"seconds", Seconds(run.took)}};
}

OrderedJson ProbeJson(const Probe& probe, const ProbeResult& result) {
  OrderedJson expected = OrderedJson::array();
  for (const sandbox::Layer layer : probe.layers) {
    expected.push_back(LayerName(layer));
  }
  const sandbox::Judgement& judgement = result.judgement;
  return {{"probe", probe.name},
          {"class", probe.kind},
          {"attack", probe.attack},
          {"source", probe.source},
          {"verdict", VerdictName(judgement.verdict)},
          {"layer", LayerName(judgement.layer)},
          {"expected", expected},
          {"as_expected", judgement.as_expected},
          {"detail", judgement.detail},
          {"microseconds", result.took.count()}};
}

std::string ProbeLine(const Probe& probe, const ProbeResult& result) {
  const sandbox::Judgement& judgement = result.judgement;
  char start[160];
  std::snprintf(start, sizeof start, "%-8s %-17s %-36s %9s  ", VerdictName(judgement.verdict),
                judgement.verdict == Verdict::kStopped ? LayerName(judgement.layer) : "-",
                probe.name.c_str(), Milliseconds(result.took).c_str());
  std::string line = start + SafeLine(judgement.detail, kDetailShownMax);
  if (judgement.verdict == Verdict::kStopped && !judgement.as_expected) {
    line += " (another layer than meant)";
  }
  return line;
}

std::string ReportText(const SelftestRun& run) {
  const SelftestSummary summary = Summarise(run);
  std::string text = kFirstLine;
  const auto field = [&text](const char* name, const std::string& value) {
    text += std::string(name) + ": " + SafeLine(value, 200) + "\n";
  };
  field("time", run.time);
  field("nacre", run.version);
  field("kernel", run.kernel);
  field("run as", run.host.privileged ? "root" : "an ordinary user");
  OrderedJson host = OrderedJson::array();
  for (const sandbox::HostLayer& layer : run.host.layers) {
    field(("host, " + layer.name).c_str(),
          std::string(StateName(layer.state)) + ", " + layer.detail);
    host.push_back(
        {{"name", layer.name}, {"state", StateName(layer.state)}, {"detail", layer.detail}});
  }
  char line[160];
  std::snprintf(
      line, sizeof line,
      "result: %zu probes, %zu stopped, %zu escaped, %zu skipped in %.1f s; %zu stopped by "
      "another layer than meant\n\n",
      summary.probes, summary.stopped, summary.escaped, summary.skipped, Seconds(run.took),
      summary.unexpected);
  text += line;
  OrderedJson probes = OrderedJson::array();
  for (size_t i = 0; i < run.results.size(); ++i) {
    text += ProbeLine(run.probes[i], run.results[i]) + "\n";
    probes.push_back(ProbeJson(run.probes[i], run.results[i]));
  }
  const OrderedJson json = {{"report", "nacre-selftest/1"},
                            {"time", run.time},
                            {"nacre", run.version},
                            {"kernel", run.kernel},
                            {"privileged", run.host.privileged},
                            {"host", host},
                            {"summary", SummaryJson(run)},
                            {"probes", probes}};
  return text + "\n" + DumpJson(json) + "\n";
}

Result<Json> ParseReport(std::string_view text) {
  if (text.size() > kReportBytesMax || !text.starts_with(kFirstLine) || text.back() != '\n') {
    return Error{ErrorCode::kDataLoss, "it is no report of nacre selftest"};
  }
  text.remove_suffix(1);
  Json json = NACRE_TRY(
      ParseJson(text.substr(text.rfind('\n') + 1), {.bytes_max = kReportBytesMax, .depth_max = 8}));
  if (StringMember(json, "report") != "nacre-selftest/1" ||
      FindMember(json, "summary") == nullptr) {
    return Error{ErrorCode::kDataLoss, "it is no report of nacre selftest"};
  }
  return json;
}

}  // namespace nacre::cli
