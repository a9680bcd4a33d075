// ProbeRunner: lets the probes of the escape suite loose, each in a call of its own, and judges.
//
//   auto runner = NACRE_TRY(ProbeRunner::Create(sandbox, directory));
//   for (const Probe& probe : runner.probes()) {
//     ProbeResult result = NACRE_TRY(runner.Run(probe));
//   }
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "sandbox/kernel_sandbox.h"
#include "sandbox/selftest/arena.h"
#include "sandbox/selftest/judge.h"
#include "sandbox/selftest/probe_catalogue.h"

namespace nacre::sandbox {

struct ProbeResult {
  Judgement judgement;
  std::chrono::microseconds took{0};
  std::string output;  // for people who ask why
};

// What the calls of the probes are given.
struct ProbeSetting {
  std::string profile = "default";
  Access workspace = Access::kReadWrite;
  Isolation isolation = Isolation::kNamespace;
  Sandbox* tiers = nullptr;  // borrowed; runs the calls if they are not in namespaces
};

// Borrows the sandbox. Thread-safe: probes run side by side.
class ProbeRunner final {
 public:
  // `directory` holds nacre-probes and probes.json.
  static Result<ProbeRunner> Create(KernelSandbox& sandbox, const std::string& directory,
                                    ProbeSetting setting = {});

  const std::vector<Probe>& probes() const { return probes_; }

  // An Error when the runtime itself failed.
  Result<ProbeResult> Run(const Probe& probe) const { return RunWithout(probe, Layer::kNone); }
  // Tests only: in a sandbox that lacks one layer; in isolation namespace.
  Result<ProbeResult> RunWithout(const Probe& probe, Layer layer) const;

  // The variables of a probe's environment, for the paths as it will see them.
  std::vector<std::pair<std::string, std::string>> Environment(const Arena& arena) const;

 private:
  ProbeRunner(KernelSandbox& sandbox, std::string directory, ProbeSetting setting,
              std::vector<Probe> probes, seccomp::Filter filter, HostBait bait);

  SandboxSpec Spec(const Probe& probe, const Arena& arena, bool other) const;
  Result<Outcome> RunCall(const SandboxSpec& spec, Layer without, CallIo& io,
                          const CancelToken& cancel) const;
  // What counts for the probe here, where it is another than in the profile default.
  const Probe::Elsewhere* Elsewhere(const Probe& probe) const;

  KernelSandbox* sandbox_;
  std::string directory_;
  ProbeSetting setting_;
  std::vector<Probe> probes_;
  seccomp::Filter filter_;
  HostBait bait_;
};

}  // namespace nacre::sandbox
