// Pure helpers: outcomes in words, evidence, cgroup paths, Landlock rights.
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "sandbox/kernel/cgroup.h"
#include "sandbox/kernel/landlock.h"
#include "sandbox/outcome.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

TEST_CASE("every kind of outcome has its own name and a sentence") {
  std::set<std::string> names;
  for (int kind = 0; kind <= static_cast<int>(OutcomeKind::kCancelled); ++kind) {
    Outcome outcome;
    outcome.kind = static_cast<OutcomeKind>(kind);
    outcome.output = "secret output";
    CHECK(names.insert(OutcomeKindName(outcome.kind)).second);
    CHECK(Describe(outcome).find("secret") == std::string::npos);
    CHECK(Describe(outcome).find('\n') == std::string::npos);
  }
}

TEST_CASE("an outcome in words says what a person needs") {
  Outcome outcome;
  outcome.kind = OutcomeKind::kTimedOut;
  outcome.use.wall = std::chrono::milliseconds(30012);
  CHECK(Describe(outcome) == "the call timed out after 30 s");
  outcome.use.wall = std::chrono::milliseconds(1540);
  CHECK(Describe(outcome) == "the call timed out after 1.5 s");
  outcome.kind = OutcomeKind::kExited;
  outcome.exit_code = 3;
  CHECK(Describe(outcome) == "the call exited with code 3");
  outcome.kind = OutcomeKind::kSignaled;
  outcome.signal = 11;
  CHECK(Describe(outcome) == "the call was ended by signal 11 (SIGSEGV)");
  outcome.kind = OutcomeKind::kSetupFailed;
  outcome.setup_step = "namespaces";
  outcome.setup_errno = EPERM;
  CHECK(Describe(outcome) ==
        "the sandbox could not be set up, so nothing ran: step 'namespaces' failed: Operation not "
        "permitted; this host does not allow user namespaces: run `nacre doctor`");
}

Report EvidenceOf(const std::string& status) {
  Report evidence;
  evidence.namespaces = {11, 12, 13, 14, 15, 16, 17};
  evidence.landlock_denies = 1;
  evidence.status_bytes = static_cast<uint32_t>(status.size());
  std::memcpy(evidence.status.data(), status.data(), status.size());
  return evidence;
}

constexpr char kGoodStatus[] =
    "Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
    "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

TEST_CASE("evidence proves a layer only when the kernel said so") {
  const std::array<uint64_t, kNamespaceCount> outside = {1, 2, 3, 4, 5, 6, 7};
  const EnforcedLayers good = ReadEvidence(EvidenceOf(kGoodStatus), outside, 7);
  CHECK(good.namespaces.size() == 7);
  CHECK(good.landlock_abi == 7);
  CHECK(good.seccomp);
  CHECK(good.no_new_privs);
  CHECK(good.capabilities_empty);

  const EnforcedLayers none = ReadEvidence(EvidenceOf(""), outside, 7);
  CHECK_FALSE(none.seccomp);
  CHECK_FALSE(none.no_new_privs);
  CHECK_FALSE(none.capabilities_empty);

  std::string capable = kGoodStatus;
  capable.replace(capable.find("CapBnd:\t0"), 9, "CapBnd:\t1");
  CHECK_FALSE(ReadEvidence(EvidenceOf(capable), outside, 7).capabilities_empty);

  Report same = EvidenceOf(kGoodStatus);
  same.namespaces[3] = 4;  // the network is the host's
  same.landlock_denies = 0;
  const EnforcedLayers weaker = ReadEvidence(same, outside, 7);
  CHECK(weaker.namespaces ==
        std::vector<std::string>{"user", "mount", "pid", "ipc", "uts", "cgroup"});
  CHECK(weaker.landlock_abi == 0);
}

TEST_CASE("cgroup paths come from where the hierarchies are mounted") {
  using kernel::CgroupPaths;
  using kernel::ParseCgroupPaths;
  const CgroupPaths v2 = ParseCgroupPaths(
      "0::/user.slice/nacre.scope\n",
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  CHECK(v2.v2 == "/sys/fs/cgroup/user.slice/nacre.scope");
  CHECK(v2.v1_memory.empty());

  const CgroupPaths hybrid =
      ParseCgroupPaths("8:pids:/\n4:memory:/jobs/1\n2:cpu,cpuacct:/\n0::/\n",
                       "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                       "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                       "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                       "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  CHECK(hybrid.v2 == "/sys/fs/cgroup/unified");
  CHECK(hybrid.v1_memory == "/sys/fs/cgroup/memory/jobs/1");
  CHECK(hybrid.v1_pids == "/sys/fs/cgroup/pids");
  CHECK(hybrid.v1_cpuacct == "/sys/fs/cgroup/cpu,cpuacct");

  // In a container the mount shows only what is below the container's own cgroup.
  const CgroupPaths container =
      ParseCgroupPaths("4:memory:/docker/abc/x\n",
                       "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup c rw,memory\n");
  CHECK(container.v1_memory == "/sys/fs/cgroup/memory/x");

  const CgroupPaths outside =
      ParseCgroupPaths("0::/../other\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  CHECK(outside.v2.empty());
  CHECK(ParseCgroupPaths("junk\n::\n", "junk\n- -\n") == CgroupPaths{});
}

TEST_CASE("Landlock rights are those that the ABI knows, and file rights for files") {
  using kernel::LandlockGrant;
  using kernel::LandlockRights;
  constexpr uint64_t kExecute = 1;
  constexpr uint64_t kRefer = 1ULL << 13;
  constexpr uint64_t kTruncate = 1ULL << 14;
  for (int abi = 1; abi <= 7; ++abi) {
    const uint64_t writes = LandlockRights(LandlockGrant::kReadWrite, abi, true);
    CHECK((writes & kExecute) == 0);
    CHECK(((writes & kRefer) != 0) == (abi >= 2));
    CHECK(((writes & kTruncate) != 0) == (abi >= 3));
    CHECK((LandlockRights(LandlockGrant::kReadExecute, abi, true) & kExecute) != 0);
    CHECK((LandlockRights(LandlockGrant::kRead, abi, true) & kExecute) == 0);
    // The kernel refuses directory rights on a file.
    CHECK((LandlockRights(LandlockGrant::kReadWrite, abi, false) & ~0xc007ULL) == 0);
    CHECK(LandlockRights(LandlockGrant::kList, abi, false) == 0);
  }
}

}  // namespace
}  // namespace nacre::sandbox
