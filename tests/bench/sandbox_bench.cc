// What a sandbox costs: a cold call of /bin/true against posix_spawn of the same, interleaved, so
// that other load on the machine meets both. Ratios travel between machines; microseconds do not.
// The last line of the output is one JSON object.
//
//   sandbox_bench [rounds]
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "sandbox/kernel_sandbox.h"

namespace nacre::sandbox {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

bool Spawn() {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  pid_t pid = -1;
  int status = 0;
  return ::posix_spawn(&pid, program, nullptr, nullptr, argv, nullptr) == 0 &&
         ::waitpid(pid, &status, 0) == pid && status == 0;
}

double Percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

int Measure(size_t rounds) {
  const auto sandbox = KernelSandbox::Create();
  if (!sandbox.ok()) {
    std::fprintf(stderr, "sandbox_bench: %s\n", sandbox.error().message.c_str());
    return 1;
  }
  SandboxSpec spec;
  spec.id = "bench";
  spec.argv = {"/bin/true"};
  std::vector<double> spawned;
  std::vector<double> sandboxed;
  for (size_t i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (!Spawn()) {
      std::fprintf(stderr, "sandbox_bench: posix_spawn failed\n");
      return 1;
    }
    const auto middle = std::chrono::steady_clock::now();
    NoCallIo io;
    const auto outcome = sandbox.value()->Run(spec, io, CancelToken());
    if (!outcome.ok() || outcome.value().kind != OutcomeKind::kExited) {
      std::fprintf(
          stderr, "sandbox_bench: %s\n",
          outcome.ok() ? Describe(outcome.value()).c_str() : outcome.error().message.c_str());
      return 1;
    }
    const auto end = std::chrono::steady_clock::now();
    spawned.push_back(Microseconds(middle - start).count());
    sandboxed.push_back(Microseconds(end - middle).count());
  }
  const double spawn_p50 = Percentile(spawned, 0.5);
  const double cold_p50 = Percentile(sandboxed, 0.5);
  std::printf("posix_spawn  p50 %8.0f us  p99 %8.0f us\n", spawn_p50, Percentile(spawned, 0.99));
  std::printf("cold sandbox p50 %8.0f us  p99 %8.0f us  (%s)\n", cold_p50,
              Percentile(sandboxed, 0.99),
              kernel::CgroupVersionName(sandbox.value()->host().cgroup.version));
  std::printf(
      "{\"bench\":\"sandbox\",\"rounds\":%zu,\"posix_spawn_p50_us\":%.0f,"
      "\"posix_spawn_p99_us\":%.0f,\"cold_p50_us\":%.0f,\"cold_p99_us\":%.0f,"
      "\"ratio_p50\":%.2f}\n",
      rounds, spawn_p50, Percentile(spawned, 0.99), cold_p50, Percentile(sandboxed, 0.99),
      cold_p50 / spawn_p50);
  return 0;
}

}  // namespace
}  // namespace nacre::sandbox

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 300;
  if (rounds < 2 || rounds > 100'000) {
    std::fprintf(stderr, "usage: sandbox_bench [rounds, 2 to 100000]\n");
    return 2;
  }
  return nacre::sandbox::Measure(static_cast<size_t>(rounds));
}
