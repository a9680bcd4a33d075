// The doctor on a host whose features are taken away: an outer filter answers in the kernel's place.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"
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

// The errno of KVM where its device has that mode and group, in a mount namespace of its own.
std::string KvmAs(mode_t mode, gid_t group) {
  return InChild([&] {
    const TempDir folder = TempDir::Create().value();
    const std::string device = folder.path() + "/kvm";
    const bool made = ::unshare(CLONE_NEWNS) == 0 &&
                      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                      ::mount("devices", folder.path().c_str(), "tmpfs", 0, nullptr) == 0 &&
                      ::mknod(device.c_str(), S_IFCHR | 0600, makedev(10, 232)) == 0 &&
                      ::chown(device.c_str(), 0, group) == 0 &&
                      ::chmod(device.c_str(), mode) == 0 &&
                      ::mount(device.c_str(), "/dev/kvm", nullptr, MS_BIND, nullptr) == 0;
    const int error = TryHost().errors.at(Attempt::kKvm);
    ::umount2(folder.path().c_str(), MNT_DETACH);
    return made ? std::to_string(error) : std::string("no such device can be made");
  });
}

TEST_CASE("the doctor looks at KVM as who would use it: for root nobody, in the device's group") {
  if (::geteuid() != 0 || ::access("/dev/kvm", F_OK) != 0) {
    SKIP_HERE("this is not root, or there is no /dev/kvm");
  }
  const std::string open_to_all = KvmAs(0666, 0);
  if (open_to_all != "0") {
    SKIP_HERE("not even open to all: " + open_to_all);
  }
  CHECK(KvmAs(0660, 4711) == "0");
  const std::string kept_out = std::to_string(EACCES);
  CHECK(KvmAs(0660, 0) == kept_out);  // never in root's group
  CHECK(KvmAs(0600, 4711) == kept_out);
  CHECK(KvmAs(0640, 4711) == kept_out);
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
