// run_probes [--without LAYER] [--profile NAME] [--transactional] [--isolation NAME] [PROBE...]: lets probes loose and prints, one line each, as
//
//   stopped  mount    files/dot_dot  SYS_openat: ENOENT
//
// For people who write probes, and for update_threat_model.py, which asks for each layer what is
// behind it. `--layers` lists the layers: "seccomp", or "dumpable: why not alone".
#include <cstdio>
#include <cstring>
#include <set>

#include "sandbox/selftest/probe_runner.h"
#include "sandbox/tiered_sandbox.h"

namespace nacre::sandbox {
namespace {

const char* VerdictName(Verdict verdict) {
  return verdict == Verdict::kStopped   ? "stopped"
         : verdict == Verdict::kSkipped ? "skipped"
         : verdict == Verdict::kAllowed ? "allowed"
                                        : "escaped";
}

int PrintLayers() {
  for (const Layer layer : AllLayers()) {
    const std::string why = WhyNotAlone(layer);
    std::printf("%s%s%s\n", LayerName(layer), why.empty() ? "" : ": ", why.c_str());
  }
  return 0;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "run_probes: %s\n", error.message.c_str());
  return 2;
}

int Main(int argc, char** argv) {
  Layer without = Layer::kNone;
  ProbeSetting setting;
  std::set<std::string> names;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--layers") == 0) {
      return PrintLayers();
    }
    if (std::strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
      const auto layer = ParseLayer(argv[++i]);
      if (!layer || !WhyNotAlone(*layer).empty()) {
        return Fail({ErrorCode::kInvalidArgument, std::string("cannot switch off ") + argv[i]});
      }
      without = *layer;
    } else if (std::strcmp(argv[i], "--profile") == 0 && i + 1 < argc) {
      setting.profile = argv[++i];
    } else if (std::strcmp(argv[i], "--isolation") == 0 && i + 1 < argc) {
      const auto isolation = ParseIsolation(argv[++i]);
      if (!isolation) {
        return Fail({ErrorCode::kInvalidArgument, std::string("no isolation ") + argv[i]});
      }
      setting.isolation = *isolation;
    } else if (std::strcmp(argv[i], "--transactional") == 0) {
      setting.workspace = Access::kTransactional;
    } else {
      names.insert(argv[i]);
    }
  }
  auto tiers = TieredSandbox::Create(NACRE_BINARY_DIR "/nacre-guest");
  if (!tiers.ok()) {
    return Fail(tiers.error());
  }
  if (const Status there = tiers.value()->CheckTier(setting.isolation); !there.ok()) {
    return Fail(there.error());
  }
  setting.tiers = tiers.value().get();
  auto runner = ProbeRunner::Create(tiers.value()->kernel(), NACRE_PROBES, setting);
  if (!runner.ok()) {
    return Fail(runner.error());
  }
  for (const Probe& probe : runner.value().probes()) {
    if (!names.empty() && !names.contains(probe.name) && !names.contains(probe.kind)) {
      continue;
    }
    const auto result = runner.value().RunWithout(probe, without);
    if (!result.ok()) {
      return Fail(result.error());
    }
    const Judgement& judgement = result.value().judgement;
    std::printf(
        "%s  %-18s %s  %s%s (%lld us)\n", VerdictName(judgement.verdict),
        LayerName(judgement.layer), probe.name.c_str(), judgement.detail.c_str(),
        judgement.verdict == Verdict::kStopped && !judgement.as_expected ? " (not expected)" : "",
        static_cast<long long>(result.value().took.count()));
  }
  return 0;
}

}  // namespace
}  // namespace nacre::sandbox

int main(int argc, char** argv) {
  return nacre::sandbox::Main(argc, argv);
}
