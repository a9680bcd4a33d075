// A probe that cannot succeed anywhere proves nothing. So each that may is run outside of any sandbox
// too, where it must get through; and each in a sandbox that lacks the layer it names, where that
// layer must not be what stops it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <sstream>

#include "base/file.h"
#include "sandbox/selftest/probe_runner.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

using std::chrono::milliseconds;

// A probe without a sandbox, in a process group that is gone with this object.
class Outside final {
 public:
  Outside(const ProbeRunner& runner, const Probe& probe, const Arena& arena, bool other) {
    Pipe pipe = MakePipe().value();
    std::vector<std::string> variables;
    for (const auto& [name, value] : runner.Environment(arena)) {
      variables.push_back(name + "=" + value);
    }
    variables.push_back("PROBE_WORKSPACE=" + arena.workspace());
    variables.push_back("PROBE_READONLY=" + arena.read_only());
    variables.emplace_back("PROBE_PATIENCE_MS=10000");
    variables.emplace_back("NACRE_PROBE_SECRET=host secret");
    std::vector<char*> environment;
    for (std::string& each : variables) {
      environment.push_back(each.data());
    }
    environment.push_back(nullptr);
    const std::string program = std::string(NACRE_PROBES) + "/nacre-probes";
    const char* argv[] = {program.c_str(), other ? "--other" : probe.name.c_str(),
                          other ? probe.name.c_str() : nullptr, nullptr};
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::alarm(60);
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, 0);
      ::dup2(null, 1);
      ::dup2(null, 2);
      ::dup2(pipe.write.get(), 3);
      ::fcntl(3, F_SETFD, 0);  // it may have been 3 already
      if (::chdir(arena.workspace().c_str()) == 0) {
        ::execve(program.c_str(), const_cast<char* const*>(argv), environment.data());
      }
      ::_exit(127);
    }
    ::setpgid(pid_, pid_);
    read_ = std::move(pipe.read);
  }
  ~Outside() {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  // What it has reported until it said `word`, ended, or half a minute has passed.
  std::string ReadUntil(const std::string& word) {
    std::string text;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (text.find(word) == std::string::npos) {
      const auto left =
          std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
      struct pollfd polled = {.fd = read_.get(), .events = POLLIN, .revents = 0};
      char buffer[4096];
      if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) <= 0) {
        break;
      }
      const ssize_t size = ::read(read_.get(), buffer, sizeof buffer);
      if (size <= 0) {
        break;
      }
      text.append(buffer, static_cast<size_t>(size));
    }
    return text;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd read_;
};

ProbeReport RunOutside(const ProbeRunner& runner, const Probe& probe) {
  const Arena arena = Arena::Create().value();
  std::optional<Outside> other;
  if (probe.calls != Probe::Calls::kOne) {
    other.emplace(runner, probe, arena, true);
    other->ReadUntil(probe.calls == Probe::Calls::kTogether ? "ready\n" : "done\n");
  }
  Outside outside(runner, probe, arena, false);
  std::string text = outside.ReadUntil("done\n");
  return ParseReport(text);
}

// "outside root /dev/kvm": whether it can be tried by this user on this host.
bool CanTryOutside(const Probe& probe) {
  std::istringstream words(probe.control);
  std::string word;
  words >> word;
  bool can = word == "outside";
  while (words >> word) {
    can = can && (word == "root" ? ::geteuid() == 0 : ::access(word.c_str(), F_OK) == 0);
  }
  return can;
}

// The host itself, or its kernel, refuses: another host would not.
bool HostRefuses(const ProbeReport& report) {
  return std::any_of(report.attempts.begin(), report.attempts.end(), [](const Attempt& attempt) {
    static constexpr int kRefusals[] = {ENOSYS,     EPERM,           EACCES,          EAFNOSUPPORT,
                                        EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENODEV};
    return attempt.result < 0 && std::find(std::begin(kRefusals), std::end(kRefusals),
                                           attempt.error) != std::end(kRefusals);
  });
}

TEST_CASE("outside of a sandbox an attack gets through") {
  const auto runner = ProbeRunner::Create(SharedSandbox(), NACRE_PROBES).value();
  size_t tried = 0;
  size_t proven = 0;
  for (const Probe& probe : runner.probes()) {
    if (!CanTryOutside(probe)) {
      continue;
    }
    const ProbeReport report = RunOutside(runner, probe);
    if (report.cannot) {
      continue;
    }
    ++tried;
    proven += report.escaped ? 1 : 0;
    if (!report.escaped) {
      INFO(probe.name << ": " << probe.attack << (report.attempts.empty() ? "" : ", last: ")
                      << (report.attempts.empty() ? "" : report.attempts.back().what) << " errno "
                      << (report.attempts.empty() ? 0 : report.attempts.back().error));
      CHECK(HostRefuses(report));
      std::cout << "refused by this host as well: " << probe.name << "\n";
    }
  }
  std::cout << tried << " probes tried outside, " << proven << " got through\n";
  // Where a container around the tests refuses more than that, they would prove too little.
  CHECK(proven * 4 >= tried * 3);
}

// As an ordinary user only: what a probe reaches then is what that user may touch anyway. Where the
// host has nothing to reach, the answer is the same without the wall before it: so only those that
// get through outside.
TEST_CASE("without the layer that stops it an attack gets through or meets another") {
  if (::geteuid() == 0) {
    SKIP_HERE("root: runs again as an ordinary user");
  }
  const auto runner = ProbeRunner::Create(SharedSandbox(), NACRE_PROBES).value();
  size_t escaped = 0;
  size_t held = 0;
  for (const Probe& probe : runner.probes()) {
    const Layer layer = probe.layers.front();
    if (!WhyNotAlone(layer).empty() || !CanTryOutside(probe) ||
        probe.name == "namespaces/same_mount") {  // that namespace is there all the same
      continue;
    }
    const Judgement with = runner.Run(probe).value().judgement;
    if (with.verdict != Verdict::kStopped || with.layer != layer) {
      continue;  // by another of those that it names
    }
    const Judgement without = runner.RunWithout(probe, layer).value().judgement;
    INFO(probe.name << ": " << with.detail << "; without " << LayerName(layer) << ": "
                    << without.detail);
    // Mount points stay where mounts are only widened: no rename or link crosses them. And Landlock
    // refuses to execute with the errno of noexec.
    const bool same_errno = with.detail.ends_with("EXDEV") || with.detail.ends_with("EACCES");
    CHECK(without.layer != layer);
    CHECK((layer == Layer::kSeccomp || same_errno || without.detail != with.detail));
    escaped += without.verdict == Verdict::kEscaped ? 1 : 0;
    held += without.verdict == Verdict::kStopped ? 1 : 0;
  }
  std::cout << "without the layer that stops them: " << escaped << " escape, " << held
            << " are held by another\n";
  CHECK(escaped > 0);
  CHECK(held > 0);
}

}  // namespace
}  // namespace nacre::sandbox
