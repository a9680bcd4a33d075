// The escape suite: each attack ever thought of is a small program in probes/, let loose here in a
// real sandbox. Each says which layer is meant to stop it.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <optional>
#include <thread>

#include "sandbox/selftest/probe_runner.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"
#include "tests/support/tiers.h"

namespace nacre::sandbox {
namespace {

ProbeRunner& SharedRunner() {
  static ProbeRunner runner = [] {
    auto made = ProbeRunner::Create(SharedSandbox(), NACRE_PROBES);
    if (!made.ok()) {
      FAIL(made.error().message);
    }
    return std::move(made).value();
  }();
  return runner;
}

std::string Expected(const Probe& probe) {
  std::string text;
  for (const Layer layer : probe.layers) {
    text += (text.empty() ? "" : " or ") + std::string(LayerName(layer));
  }
  return text;
}

TEST_CASE("every attack of the escape suite is stopped, by the layer that is meant to") {
  size_t stopped = 0;
  size_t skipped = 0;
  // The sandbox keeps the id mappings that it made for the mounts of a first call.
  REQUIRE(SharedRunner().Run(SharedRunner().probes().front()).ok());
  const HostState before = LookAtHost();
  for (const Probe& probe : SharedRunner().probes()) {
    const ProbeResult result = SharedRunner().Run(probe).value();
    const Judgement& judgement = result.judgement;
    if (judgement.verdict == Verdict::kSkipped) {
      std::cout << "not tried here: " << probe.name << ": " << judgement.detail << "\n";
      ++skipped;
      continue;
    }
    stopped += judgement.verdict == Verdict::kStopped ? 1 : 0;
    INFO(probe.name << ": " << probe.attack << "\nexpected: " << Expected(probe)
                    << "\nfound: " << LayerName(judgement.layer) << ", " << judgement.detail << "\n"
                    << result.output.substr(0, 500));
    CHECK(judgement.verdict == Verdict::kStopped);
    CHECK(judgement.as_expected);
  }
  CHECK(LookAtHost() == before);
  std::cout << SharedRunner().probes().size() << " probes, " << stopped << " stopped, " << skipped
            << " not tried\n";
}

// All probes in this setting, side by side, since they wait more than they compute.
void CheckAllIn(const ProbeSetting& setting, const std::string& name) {
  auto made = ProbeRunner::Create(SharedSandbox(), NACRE_PROBES, setting);
  REQUIRE(made.ok());
  const ProbeRunner& runner = made.value();
  const std::vector<Probe>& probes = runner.probes();
  REQUIRE(runner.Run(probes.front()).ok());
  SharedTiers()
      .kernel()
      .Settle();  // what it leaves to be taken down must not count as there before
  const HostState before = LookAtHost();
  std::vector<std::optional<ProbeResult>> results(probes.size());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (size_t at = next++; at < probes.size(); at = next++) {
        auto result = runner.Run(probes[at]);
        if (result.ok()) {
          results[at] = std::move(result).value();
        }
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  std::map<Verdict, size_t> count;
  for (size_t i = 0; i < probes.size(); ++i) {
    REQUIRE(results[i].has_value());
    const Judgement& judgement = results[i]->judgement;
    ++count[judgement.verdict];
    if (judgement.verdict == Verdict::kSkipped) {
      std::cout << "not tried in " << name << ": " << probes[i].name << ": " << judgement.detail
                << "\n";
      continue;
    }
    INFO(probes[i].name << ": " << probes[i].attack << "\nexpected: " << Expected(probes[i])
                        << "\nfound: " << LayerName(judgement.layer) << ", " << judgement.detail
                        << "\n"
                        << results[i]->output.substr(0, 500));
    CHECK(judgement.verdict != Verdict::kEscaped);
    CHECK(judgement.as_expected);
  }
  SharedTiers().kernel().Settle();
  CHECK(LookAtHost() == before);
  std::cout << name << ": " << probes.size() << " probes, " << count[Verdict::kStopped]
            << " stopped, " << count[Verdict::kAllowed] << " allowed, " << count[Verdict::kSkipped]
            << " not tried\n";
}

// Hidden, since it would run in each variant of the suite: a test of its own runs it.
TEST_CASE("under the other profiles every attack is stopped or told to be allowed",
          "[.][profiles]") {
  struct Row {
    const char* profile;
    Access workspace;
  };
  const Row row = GENERATE(values<Row>({{"shell", Access::kReadWrite},
                                        {"build", Access::kTransactional},
                                        {"network-client", Access::kReadWrite},
                                        {"pure", Access::kReadWrite}}));
  CAPTURE(row.profile);
  CheckAllIn({.profile = row.profile, .workspace = row.workspace}, row.profile);
}

// What a call in gVisor is told is often of gVisor's own making: each probe that it lets go on says why
// that is of no use, and the judge looks at the host.
TEST_CASE("in gVisor every attack is stopped or told to be of no use", "[.][gvisor]") {
  if (const auto missing = MissingTier(Isolation::kGvisor)) {
    SKIP_HERE(*missing);
  }
  CheckAllIn({.isolation = Isolation::kGvisor, .tiers = &SharedTiers()}, "gvisor");
}

TEST_CASE("while one call is a fork bomb another one runs") {
  const auto& probes = SharedRunner().probes();
  const auto bomb = std::find_if(probes.begin(), probes.end(), [](const Probe& probe) {
    return probe.name == "resources/fork_bomb_endless";
  });
  REQUIRE(bomb != probes.end());
  std::optional<ProbeResult> result;
  std::thread other([&] {
    auto ran = SharedRunner().Run(*bomb);
    if (ran.ok()) {
      result = std::move(ran).value();
    }
  });
  for (int i = 0; i < 5; ++i) {
    CHECK(RunSpec(Shell("echo alive")).output == "alive\n");
  }
  other.join();
  REQUIRE(result.has_value());
  CHECK(result->judgement.detail == "tasks_exceeded");
}

}  // namespace
}  // namespace nacre::sandbox
