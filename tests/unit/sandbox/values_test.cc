// Pure helpers: outcomes in words, evidence, cgroup paths, Landlock rights.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "base/file.h"
#include "base/temp_dir.h"

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
  evidence.namespaces = {11, 12, 13, 14, 15, 16, 17, 18};
  evidence.uids = {.lines = 1, .inside = 1000, .outside = 65534, .count = 1};
  evidence.gids = evidence.uids;
  evidence.soft_limits.fill(RLIM_INFINITY);
  evidence.hard_limits.fill(RLIM_INFINITY);
  evidence.landlock_denies = 1;
  evidence.status_bytes = static_cast<uint32_t>(status.size());
  std::memcpy(evidence.status.data(), status.data(), status.size());
  return evidence;
}

constexpr char kGoodStatus[] =
    "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t "
    "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
    "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

TEST_CASE("evidence proves a layer only when the kernel said so") {
  const std::array<uint64_t, kNamespaceCount> outside = {1, 2, 3, 4, 5, 6, 7, 8};
  const EnforcedLayers good = ReadEvidence(EvidenceOf(kGoodStatus), outside, 7);
  CHECK(good.namespaces.size() == 8);
  CHECK(good.uid_map == "1000 65534 1");
  CHECK(good.groups.empty());
  CHECK(good.resource_limits.empty());
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
        std::vector<std::string>{"user", "mount", "pid", "ipc", "uts", "cgroup", "time"});
  CHECK(weaker.landlock_abi == 0);

  std::string grouped = kGoodStatus;
  grouped.replace(grouped.find("Groups:\t"), 8, "Groups:\t4 27");
  Report limited = EvidenceOf(grouped);
  limited.soft_limits[RLIMIT_NOFILE] = 256;
  CHECK(ReadEvidence(limited, outside, 7).groups == std::vector<uint32_t>{4, 27});
  CHECK(ReadEvidence(limited, outside, 7).resource_limits ==
        std::map<std::string, uint64_t>{{"nofile", 256}});
}

// One row per thing that could be other than planned, whoever got it wrong.
TEST_CASE("evidence that is not as planned is found, part by part") {
  LaunchPlan plan;
  Step limit;
  limit.kind = StepKind::kResourceLimit;
  limit.number = RLIMIT_NOFILE;
  limit.value = 256;
  plan.steps.push_back(limit);
  limit.number = RLIMIT_CPU;
  limit.value = 11;
  plan.steps.push_back(limit);
  ExpectedEvidence expected;
  expected.launcher = {1, 2, 3, 4, 5, 6, 7, 8};
  expected.separate = SeparateNamespaces(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET);
  CHECK(expected.separate == 0b1011);
  Report good = EvidenceOf(kGoodStatus);
  good.soft_limits[RLIMIT_NOFILE] = good.hard_limits[RLIMIT_NOFILE] = 256;
  good.soft_limits[RLIMIT_CPU] = 11;
  good.hard_limits[RLIMIT_CPU] = 12;
  const auto find = [&](const Report& evidence) {
    return FindMismatch(evidence, expected, plan, ~0ULL);
  };
  CHECK_FALSE(find(good).has_value());

  const auto with = [&](const std::string& from, const std::string& to) {
    std::string status = kGoodStatus;
    const size_t at = status.find(from);
    REQUIRE(at != std::string::npos);
    status.replace(at, from.size(), to);
    Report changed = good;
    changed.status.fill('\0');
    changed.status_bytes = static_cast<uint32_t>(status.size());
    std::memcpy(changed.status.data(), status.data(), status.size());
    return changed;
  };
  const auto changed = [&](const std::function<void(Report&)>& change) {
    Report report = good;
    change(report);
    return report;
  };
  const std::vector<std::pair<Report, Evidence>> rows = {
      {changed([](Report& r) { r.uids.outside = 0; }), Evidence::kIdMaps},
      {changed([](Report& r) { r.uids.count = 2; }), Evidence::kIdMaps},
      {changed([](Report& r) { r.gids.lines = 2; }), Evidence::kIdMaps},
      {changed([](Report& r) { r.gids.inside = 0; }), Evidence::kIdMaps},
      {with("Uid:\t1000", "Uid:\t0"), Evidence::kIdMaps},
      {with("Gid:\t1000\t1000\t1000\t1000", "Gid:\t1000\t1000\t1000\t0"), Evidence::kIdMaps},
      {with("Groups:\t", "Groups:\t27"), Evidence::kGroups},
      {with("Groups:\t", "Groups:\t1000 27"), Evidence::kGroups},
      {with("Groups:", "Group:"), Evidence::kGroups},
      {changed([](Report& r) { r.namespaces[3] = 4; }), Evidence::kNamespaces},
      {changed([](Report& r) { r.namespaces[0] = 0; }), Evidence::kNamespaces},
      {with("NoNewPrivs:\t1", "NoNewPrivs:\t0"), Evidence::kNoNewPrivileges},
      {with("CapEff:\t0", "CapEff:\t2"), Evidence::kCapabilities},
      {with("CapAmb:", "CapXyz:"), Evidence::kCapabilities},
      {changed([](Report& r) { r.soft_limits[RLIMIT_NOFILE] = 257; }), Evidence::kResourceLimits},
      {changed([](Report& r) { r.hard_limits[RLIMIT_NOFILE] = 1024; }), Evidence::kResourceLimits},
      {changed([](Report& r) { r.hard_limits[RLIMIT_CPU] = 13; }), Evidence::kResourceLimits},
      {changed([](Report& r) { r.landlock_denies = 0; }), Evidence::kLandlock},
      {with("Seccomp:\t2", "Seccomp:\t0"), Evidence::kSeccomp},
  };
  for (const auto& [evidence, part] : rows) {
    CAPTURE(EvidenceName(part));
    CHECK(find(evidence) == part);
    CHECK_FALSE(FindMismatch(evidence, expected, plan, ~EvidenceBit(part)).has_value());
  }
  // A stricter limit than planned is none too few; a namespace that is not to be separate may be alike.
  CHECK_FALSE(find(changed([](Report& r) {
                r.soft_limits[RLIMIT_NOFILE] = 64;
                r.namespaces[4] = 5;
              })).has_value());
}

TEST_CASE("an id map of anything but one line of three numbers is none") {
  CHECK(ParseIdMap("      1000      65534          1\n") ==
        IdMap{.lines = 1, .inside = 1000, .outside = 65534, .count = 1});
  CHECK(ParseIdMap("0 0 4294967295\n").count == 4294967295U);
  CHECK(ParseIdMap("0 1000 1\n1 100000 65536\n").lines == 2);
  for (const char* text : {"", "\n", "1000\n", "1000 1000\n", "1000 1000 1", "a 1 1\n", "-1 0 1\n",
                           "4294967296 0 1\n", "0 0 1 \n"}) {
    CAPTURE(text);
    CHECK(ParseIdMap(text).lines == 0);
  }
}

TEST_CASE(
    "who uses a device of the host is in its group only where that is needed and is not root's") {
  const auto ids = [](mode_t mode, gid_t group) {
    struct stat device = {};
    device.st_mode = S_IFCHR | mode;
    device.st_gid = group;
    return kernel::IdsForDevice(device);
  };
  const kernel::Ids nobody;
  CHECK(ids(0660, 106) == kernel::Ids{.uid = nobody.uid, .gid = 106});
  CHECK(ids(0662, 106) == kernel::Ids{.uid = nobody.uid, .gid = 106});
  CHECK(ids(0666, 106) == nobody);
  CHECK(ids(0640, 106) == nobody);
  CHECK(ids(0620, 106) == nobody);
  CHECK(ids(0600, 106) == nobody);
  CHECK(ids(0660, 0) == nobody);
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

// A directory with the files of a version 2 cgroup, as cgroup-v2.rst describes them.
struct MadeUpCgroup {
  MadeUpCgroup() {
    Put("cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n");
    Put("cgroup.subtree_control", "\n");
    Put("cgroup.events", "populated 1\nfrozen 0\n");
    Put("cgroup.kill", "");
    Put("memory.max", "max\n");
    Put("memory.swap.max", "max\n");
    Put("memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n");
    Put("memory.peak", "4096000\n");
    Put("pids.max", "max\n");
    Put("pids.current", "3\n");
    Put("pids.events", "max 5\n");
    Put("cpu.stat", "usage_usec 123456\nuser_usec 100000\nsystem_usec 23456\n");
  }
  void Put(const std::string& name, const std::string& text) const {
    REQUIRE(WriteFileAtomically(path() + "/" + name, text).ok());
  }
  std::string Get(const std::string& name) const {
    return ReadFile(path() + "/" + name, 4096).value();
  }
  std::string path() const { return folder.path(); }

  TempDir folder = TempDir::Create().value();
  UniqueFd directory{::open(folder.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
};

kernel::CgroupMeter MeterOf(const MadeUpCgroup& cgroup) {
  using kernel::CgroupMeter;
  std::array<UniqueFd, CgroupMeter::kFiles> files;
  const std::array<const char*, CgroupMeter::kFiles> names = {
      "memory.events", "memory.peak", "pids.events",  "cpu.stat",
      "memory.max",    "pids.max",    "pids.current", "cgroup.kill"};
  for (size_t i = 0; i < files.size(); ++i) {
    files[i].reset(::open((cgroup.path() + "/" + names[i]).c_str(),
                          (i == CgroupMeter::kKill ? O_WRONLY : O_RDONLY) | O_CLOEXEC));
  }
  return {kernel::CgroupVersion::kV2, std::move(files)};
}

TEST_CASE("a version 2 cgroup is limited, read and ended by its files") {
  const MadeUpCgroup cgroup;
  const int directory = cgroup.directory.get();
  const kernel::CgroupLimits limits{.memory_bytes = 64 << 20, .tasks = 9};
  REQUIRE(kernel::WriteCgroupLimits(kernel::CgroupVersion::kV2, directory, directory, limits).ok());
  CHECK(cgroup.Get("memory.max") == "67108864");
  CHECK(cgroup.Get("memory.swap.max").starts_with("0"));
  CHECK(cgroup.Get("pids.max").starts_with("9"));

  const kernel::CgroupMeter meter = MeterOf(cgroup);
  const kernel::CgroupEvents events = meter.Read();
  CHECK(events.out_of_memory == 2);
  CHECK(events.task_refusals == 5);
  CHECK(events.memory_peak_bytes == 4096000);
  CHECK(events.cpu == std::chrono::microseconds(123456));
  CHECK(meter.ReadState().limits == limits);
  CHECK(meter.ReadState().tasks == 3);
  CHECK(kernel::HoldsCgroup(meter.ReadState(), limits));

  CHECK(meter.Kill());
  CHECK(cgroup.Get("cgroup.kill") == "1");
  cgroup.Put("cgroup.kill", "");
  CHECK(kernel::v2::Kill(directory));
  CHECK(cgroup.Get("cgroup.kill") == "1");
  CHECK(kernel::v2::IsPopulated(directory) == true);
  cgroup.Put("cgroup.events", "populated 0\nfrozen 0\n");
  CHECK(kernel::v2::IsPopulated(directory) == false);
}

TEST_CASE("a version 2 cgroup that lacks a file is refused or says so") {
  const MadeUpCgroup cgroup;
  const int directory = cgroup.directory.get();
  const kernel::CgroupLimits limits{.memory_bytes = 64 << 20, .tasks = 9};
  const auto without = [&](const char* name) {
    REQUIRE(::unlink((cgroup.path() + "/" + name).c_str()) == 0);
  };
  const auto write = [&] {
    return kernel::WriteCgroupLimits(kernel::CgroupVersion::kV2, directory, directory, limits).ok();
  };
  without("memory.swap.max");  // no swap to limit
  CHECK(write());
  without("pids.max");
  CHECK_FALSE(write());
  without("memory.max");
  CHECK_FALSE(write());
  without("cgroup.kill");  // before Linux 5.14
  CHECK_FALSE(kernel::v2::Kill(directory));
  CHECK_FALSE(MeterOf(cgroup).Kill());
  without("cgroup.events");
  CHECK_FALSE(kernel::v2::IsPopulated(directory).has_value());
  CHECK_FALSE(kernel::HoldsCgroup(MeterOf(cgroup).ReadState(), limits));
}

TEST_CASE("a cgroup holds what was asked for, to the page, and only with somebody in it") {
  const kernel::CgroupLimits wanted{.memory_bytes = 10'000'000, .tasks = 9};
  const auto holds = [&](uint64_t memory, uint64_t tasks, uint64_t inside) {
    return kernel::HoldsCgroup(
        {.limits = {.memory_bytes = memory, .tasks = tasks}, .tasks = inside}, wanted);
  };
  CHECK(holds(10'000'000, 9, 1));
  CHECK(holds(9'998'336, 9, 2));  // whole pages
  CHECK_FALSE(holds(10'000'001, 9, 1));
  CHECK_FALSE(holds(9'000'000, 9, 1));
  CHECK_FALSE(holds(10'000'000, 10, 1));
  CHECK_FALSE(holds(10'000'000, 9, 0));
  CHECK_FALSE(holds(0, 0, 1));
}

TEST_CASE("version 2 controllers are used where they are delegated, and not where one is missing") {
  const MadeUpCgroup cgroup;
  CHECK(kernel::v2::EnableControllers(cgroup.path()));
  CHECK(cgroup.Get("cgroup.subtree_control").starts_with("+memory +pids"));
  cgroup.Put("cgroup.subtree_control", "memory pids\n");
  CHECK(kernel::v2::EnableControllers(cgroup.path()));
  CHECK(cgroup.Get("cgroup.subtree_control") == "memory pids\n");
  cgroup.Put("cgroup.controllers", "cpu memory\n");
  CHECK_FALSE(kernel::v2::EnableControllers(cgroup.path()));
  cgroup.Put("cgroup.controllers", "\n");
  CHECK_FALSE(kernel::v2::EnableControllers(cgroup.path()));
  CHECK_FALSE(kernel::v2::EnableControllers(cgroup.path() + "/none"));
}

TEST_CASE("the Landlock ABI that is used is the newest that the kernel and this program know") {
  CHECK(kernel::UsedLandlockAbi(0) == 0);
  CHECK(kernel::UsedLandlockAbi(4) == 4);
  CHECK(kernel::UsedLandlockAbi(kernel::kLandlockNewestAbi) == kernel::kLandlockNewestAbi);
  CHECK(kernel::UsedLandlockAbi(99) == kernel::kLandlockNewestAbi);
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
