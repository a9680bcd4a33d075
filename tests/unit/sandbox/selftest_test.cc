// The judge of the escape suite, and the plans that lack a layer: pure, so without a kernel.
#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "sandbox/selftest/judge.h"
#include "sandbox/selftest/layer.h"
#include "tests/unit/sandbox/sandbox_test_host.h"

namespace nacre::sandbox {
namespace {

const seccomp::Filter& DefaultFilter() {
  static const seccomp::Filter filter =
      seccomp::CompileFilter(seccomp::ProfileRules("default").value(),
                             seccomp::Otherwise::kNoSuchCall)
          .value();
  return filter;
}

Probe ProbeOf(std::vector<Layer> layers) {
  Probe probe;
  probe.name = "files/x";
  probe.kind = "files";
  probe.attack = "x";
  probe.layers = std::move(layers);
  return probe;
}

Outcome Exited(int code) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kExited;
  outcome.exit_code = code;
  outcome.layers.cgroup = "v2";
  return outcome;
}

std::string Try(long number, int error) {
  return "try " + std::to_string(number) + " 0 0 0 0 0 0 -1 " + std::to_string(error) + " what\n";
}

TEST_CASE("the same errno is seccomp's when the filter gives it, and the kernel's when not") {
  const Probe probe = ProbeOf({Layer::kSeccomp, Layer::kCapabilities});
  const std::string text = Try(SYS_mount, EPERM) + "done\n";
  CHECK(Judge(probe, ParseReport(text), Exited(0), &DefaultFilter()).layer == Layer::kSeccomp);
  CHECK(Judge(probe, ParseReport(text), Exited(0), nullptr).layer == Layer::kCapabilities);
}

TEST_CASE("what is stopped by another layer than it names is not as expected") {
  const ProbeReport report = ParseReport(Try(SYS_openat, ENOENT) + "done\n");
  const Judgement expected = Judge(ProbeOf({Layer::kMount}), report, Exited(0), &DefaultFilter());
  CHECK(expected.verdict == Verdict::kStopped);
  CHECK(expected.as_expected);
  const Judgement other = Judge(ProbeOf({Layer::kLandlock}), report, Exited(0), &DefaultFilter());
  CHECK(other.verdict == Verdict::kStopped);
  CHECK(other.layer == Layer::kMount);
  CHECK_FALSE(other.as_expected);
}

TEST_CASE("one attempt that another layer stops is told, whatever the others say") {
  const ProbeReport report = ParseReport(Try(SYS_openat, EROFS) + Try(SYS_mount, EPERM) +
                                         Try(SYS_openat, EROFS) + "done\n");
  const Judgement judgement = Judge(ProbeOf({Layer::kMount}), report, Exited(0), &DefaultFilter());
  CHECK(judgement.layer == Layer::kSeccomp);
  CHECK_FALSE(judgement.as_expected);
}

TEST_CASE("what is not clearly stopped counts as escaped") {
  const Probe probe = ProbeOf({Layer::kMount});
  struct Row {
    std::string text;
    Outcome outcome;
  };
  Outcome crashed = Exited(0);
  crashed.kind = OutcomeKind::kSignaled;
  crashed.signal = 11;
  for (const Row& row :
       {Row{"escaped read it\n", Exited(1)},
        Row{Try(SYS_openat, ENOENT) + "escaped read it\ndone\n", Exited(0)}, Row{"", Exited(0)},
        Row{"done\n", Exited(0)}, Row{Try(SYS_openat, ENOENT), Exited(0)},
        Row{Try(SYS_openat, ENOENT) + "done\n", Exited(1)},
        Row{Try(SYS_openat, ENOENT) + "done\n", crashed},
        Row{"held nonsense x\ndone\n", Exited(0)}}) {
    CAPTURE(row.text);
    CHECK(Judge(probe, ParseReport(row.text), row.outcome, &DefaultFilter()).verdict ==
          Verdict::kEscaped);
  }
}

TEST_CASE("a limit that ends the call is the layer that keeps the limit") {
  Outcome outcome = Exited(0);
  outcome.kind = OutcomeKind::kOutOfMemory;
  const Probe probe = ProbeOf({Layer::kCgroup, Layer::kMonitor});
  CHECK(Judge(probe, {}, outcome, nullptr).layer == Layer::kCgroup);
  outcome.layers.cgroup = "none";
  CHECK(Judge(probe, {}, outcome, nullptr).layer == Layer::kMonitor);
  outcome.kind = OutcomeKind::kViolation;
  CHECK(Judge(probe, {}, outcome, nullptr).layer == Layer::kSeccomp);
}

TEST_CASE("hostile reports are read as far as they make sense") {
  const ProbeReport report =
      ParseReport("try\ntry x\ntry 1 2\nheld\nheld mount\n\nready\n" + std::string(5000, 'x') +
                  "\ntry 99999999999999999999 0\n"
                  "escaped");  // cut off: no newline
  CHECK(report.attempts.empty());
  CHECK(report.held.size() == 1);
  CHECK_FALSE(report.escaped);
}

TEST_CASE("every layer has a name of its own that is read back") {
  for (const Layer layer : AllLayers()) {
    CHECK(ParseLayer(LayerName(layer)) == layer);
  }
  CHECK_FALSE(ParseLayer("none"));
  CHECK_FALSE(ParseLayer(""));
}

TEST_CASE("a catalogue that is none is refused with the reason") {
  for (
      const char* text :
      {"", "{}", "[]", "[1]", R"([{"name":"a/b","class":"a","attack":"c"}])",
       R"([{"name":"a/b","class":"a","attack":"c","layers":[]}])",
       R"([{"name":"a/b","class":"a","attack":"c","layers":["wall"]}])",
       R"([{"name":"a/b","class":"a","attack":"c","layers":["mount"],"in":{"pure":""}}])",
       R"([{"name":"a/b","class":"a","attack":"c","layers":["mount"],"in":{"pure":1}}])",
       R"([{"name":"a/b","class":"a","attack":"c","layers":["mount"],"in":{"pure":"mount or "}}])"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseProbes(text).ok());
  }
  const auto probes = ParseProbes(
      R"([{"name":"a/b","class":"a","attack":"c","layers":["mount","seccomp"],"calls":"together","wall_ms":5}])");
  REQUIRE(probes.ok());
  CHECK(probes.value().front().layers == std::vector<Layer>{Layer::kMount, Layer::kSeccomp});
  CHECK(probes.value().front().calls == Probe::Calls::kTogether);
  CHECK(probes.value().front().elsewhere.empty());
}

TEST_CASE("what stops an attack under another profile is said of that profile") {
  const auto probes = ParseProbes(
      R"([{"name":"a/b","class":"a","attack":"c","layers":["mount"],"in":{"shell":"kernel or landlock",)"
      R"("build":"allowed: it builds","pure":"not tried: no pipes"}}])");
  REQUIRE(probes.ok());
  const auto& elsewhere = probes.value().front().elsewhere;
  CHECK(elsewhere.at("shell").layers == std::vector<Layer>{Layer::kKernel, Layer::kLandlock});
  CHECK(elsewhere.at("build").allowed == "it builds");
  CHECK(elsewhere.at("build").layers.empty());
  CHECK(elsewhere.at("pure").not_tried == "no pipes");
}

TEST_CASE("a plan without a layer differs from the whole one in that layer only") {
  SandboxSpec spec;
  spec.id = "x";
  spec.argv = {"/bin/true"};
  const LaunchPlan whole = MakePlan(spec, MadeUpHost()).value();
  const auto has = [](const LaunchPlan& plan, StepKind kind) {
    return std::any_of(plan.steps.begin(), plan.steps.end(),
                       [kind](const Step& step) { return step.kind == kind; });
  };
  for (const Layer layer : AllLayers()) {
    if (!WhyNotAlone(layer).empty()) {
      continue;
    }
    CAPTURE(LayerName(layer));
    const LaunchPlan plan = Without(whole, layer);
    CHECK_FALSE(plan == whole);
    CHECK(has(plan, StepKind::kSeccomp) == (layer != Layer::kSeccomp));
    CHECK(has(plan, StepKind::kLandlock) == (layer != Layer::kLandlock));
    CHECK(has(plan, StepKind::kResourceLimit) == (layer != Layer::kRlimit));
    CHECK(has(plan, StepKind::kReadOnlyRoot) == (layer != Layer::kMount));
    CHECK(has(plan, StepKind::kCapabilities) == (layer != Layer::kCapabilities));
    CHECK(has(plan, StepKind::kNoNewPrivileges));
    CHECK(has(plan, StepKind::kEvidence));
    // What is prepared before anything of the call is known still ends at the same place.
    const auto place = [&plan](StepKind kind) {
      const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                      [kind](const Step& step) { return step.kind == kind; });
      return static_cast<size_t>(found - plan.steps.begin());
    };
    CHECK(place(StepKind::kStartTool) < plan.prepared_steps);
    CHECK(place(StepKind::kDescriptors) >= plan.prepared_steps);
  }
}

TEST_CASE("in another tier its kernel stops what the host's kernel stops in namespaces") {
  Outcome outcome = Exited(0);
  outcome.layers.isolation = "gvisor";
  const ProbeReport mount = ParseReport(Try(SYS_openat, ENOENT) + "done\n");
  const Judgement by_tier = Judge(ProbeOf({Layer::kTier}), mount, outcome, &DefaultFilter());
  CHECK(by_tier.layer == Layer::kTier);
  CHECK(by_tier.as_expected);
  CHECK_FALSE(Judge(ProbeOf({Layer::kMount}), mount, outcome, &DefaultFilter()).as_expected);
  // The filter is the same, and what goes through it is not the tier's merit.
  const ProbeReport filtered = ParseReport(Try(SYS_mount, EPERM) + "done\n");
  CHECK(Judge(ProbeOf({Layer::kSeccomp}), filtered, outcome, &DefaultFilter()).layer ==
        Layer::kSeccomp);
  CHECK(Judge(ProbeOf({Layer::kTier}), ParseReport("escaped it did\n"), outcome, &DefaultFilter())
            .verdict == Verdict::kEscaped);
  CHECK(InTier(Layer::kMonitor) == Layer::kMonitor);
  CHECK(InTier(Layer::kPidNamespace) == Layer::kTier);
}

}  // namespace
}  // namespace nacre::sandbox
