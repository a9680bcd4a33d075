// The doctor on a host whose features are taken away: an outer filter answers in the kernel's place.
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/file.h"
#include "sandbox/doctor/diagnosis.h"
#include "tests/support/child.h"
#include "tests/support/missing_call.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

// What the doctor finds where `call` fails with `error`: "part: state" lines. In a child, which the
// filter stays with.
std::vector<std::string> FoundWithout(int call, int error) {
  const std::string text = InChild([&] {
    if (call >= 0 && !TakeAwayCall(call, error)) {
      ::_exit(1);
    }
    std::string found;
    for (const Finding& finding : Diagnose(TryHost())) {
      found +=
          finding.part + ": " +
          (finding.state == LayerState::kPresent  ? "ok"
           : finding.state == LayerState::kWeaker ? "weaker"
                                                  : "missing") +
          (finding.state != LayerState::kPresent && finding.advice.empty() ? " NO ADVICE" : "") +
          "\n";
    }
    return found;
  });
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

bool Has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

// One row per feature: the call that is taken away, and the line that must say so.
TEST_CASE("the doctor finds what the kernel does not give, by trying it") {
  struct Row {
    int call;
    int error;
    const char* line;
  };
  const Row row =
      GENERATE(values<Row>({{SYS_unshare, EPERM, "user namespace: missing"},
                            {SYS_mount, EPERM, "user namespace: use: missing"},
                            {SYS_fsopen, ENOSYS, "mount API: missing"},
                            {SYS_mount_setattr, ENOSYS, "mount API: missing"},
                            {SYS_landlock_create_ruleset, ENOSYS, "Landlock: files: missing"},
                            {SYS_fsetxattr, EOPNOTSUPP, "overlay: weaker"},
                            {SYS_landlock_create_ruleset, EOPNOTSUPP, "Landlock: TCP: weaker"},
                            {SYS_seccomp, ENOSYS, "seccomp filter: missing"},
                            {SYS_seccomp, EPERM, "seccomp notification: weaker"},
                            {SYS_clone3, ENOSYS, "pidfd: missing"},
                            {SYS_pidfd_send_signal, ENOSYS, "pidfd: missing"}}));
  const std::vector<std::string> lines = FoundWithout(row.call, row.error);
  CAPTURE(row.line, lines);
  CHECK(Has(lines, row.line));
  for (const std::string& line : lines) {
    CHECK(line.find("NO ADVICE") == std::string::npos);
  }
}

TEST_CASE("the doctor looks at KVM as who would use it: for root that is nobody, in no group") {
  struct stat device = {};
  if (::geteuid() != 0 || ::stat("/dev/kvm", &device) != 0 || (device.st_mode & S_IRWXO) != 0) {
    SKIP_HERE("this is not root, or /dev/kvm is not there or is open to all");
  }
  const std::vector<Finding> findings = Diagnose(TryHost());
  const auto kvm = std::find_if(findings.begin(), findings.end(),
                                [](const Finding& finding) { return finding.part == "KVM"; });
  REQUIRE(kvm != findings.end());
  CHECK(kvm->state != LayerState::kPresent);
  CHECK(kvm->advice.find("MODE=\"0666\"") != std::string::npos);
  CHECK(::geteuid() == 0);
}

TEST_CASE("the doctor leaves nothing behind and finds the same twice") {
  const std::vector<std::string> first = FoundWithout(-1, 0);
  CHECK(first == FoundWithout(-1, 0));
  CHECK(Has(first, "seccomp filter: ok"));
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

}  // namespace
}  // namespace nacre::sandbox
