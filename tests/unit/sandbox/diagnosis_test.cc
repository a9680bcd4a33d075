// Advice: for each thing that can be missing, the command that mends it. No kernel is asked.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "sandbox/doctor/diagnosis.h"

namespace nacre::sandbox {
namespace {

HostFacts GoodHost() {
  HostFacts facts;
  for (int i = 0; i < kAttemptCount; ++i) {
    facts.errors[static_cast<Attempt>(i)] = 0;
  }
  facts.uid = 1000;
  facts.cgroup.version = kernel::CgroupVersion::kV2;
  facts.max_user_namespaces = 10000;
  facts.runsc = "/usr/bin/runsc";
  facts.qemu = "/usr/bin/qemu-system-x86_64";
  facts.guest_kernel = "/boot/vmlinuz-6.1.0-44-amd64";
  return facts;
}

Finding Of(const HostFacts& facts, const std::string& part) {
  const std::vector<Finding> findings = Diagnose(facts);
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const Finding& each) { return each.part == part; });
  REQUIRE(found != findings.end());
  return *found;
}

TEST_CASE("a host that has everything gets no advice") {
  for (const Finding& finding : Diagnose(GoodHost())) {
    CAPTURE(finding.part);
    CHECK(finding.state == LayerState::kPresent);
    CHECK(finding.advice.empty());
    CHECK_FALSE(finding.why.empty());
  }
}

TEST_CASE("whatever is missing is named with its errno, its purpose and an advice") {
  for (int i = 0; i < kAttemptCount; ++i) {
    HostFacts facts = GoodHost();
    const auto attempt = static_cast<Attempt>(i);
    facts.errors[attempt] = EACCES;
    const Finding finding = Of(facts, AttemptName(attempt));
    CAPTURE(finding.part);
    CHECK(finding.state != LayerState::kPresent);
    CHECK(finding.found == "Permission denied");
    CHECK_FALSE(finding.why.empty());
    CHECK_FALSE(finding.advice.empty());
  }
}

TEST_CASE("an attempt that was never made counts as missing") {
  HostFacts facts = GoodHost();
  facts.errors.erase(Attempt::kSeccompFilter);
  CHECK(Of(facts, "seccomp filter").state == LayerState::kMissing);
}

// One row per way a host forbids user namespaces.
TEST_CASE("the switch that forbids user namespaces is the one that the advice turns") {
  struct Row {
    int clone;
    int64_t max;
    int apparmor;
    int error;
    const char* advice;
  };
  const Row row = GENERATE(values<Row>(
      {{0, 10000, -1, EPERM, "sysctl -w kernel.unprivileged_userns_clone=1"},
       {1, 0, -1, ENOSPC, "sysctl -w user.max_user_namespaces=10000"},
       {-1, 10000, 1, EACCES, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
       {-1, -1, -1, EINVAL, "CONFIG_USER_NS"},
       {-1, 10000, 0, EPERM, "--security-opt seccomp=unconfined"}}));
  HostFacts facts = GoodHost();
  facts.unprivileged_userns_clone = row.clone;
  facts.max_user_namespaces = row.max;
  facts.apparmor_restricts_userns = row.apparmor;
  const bool only_use = row.apparmor == 1;
  facts.errors[only_use ? Attempt::kUserNamespaceUse : Attempt::kUserNamespace] = row.error;
  facts.errors[Attempt::kOverlay] = EPERM;
  CHECK(Of(facts, only_use ? "user namespace: use" : "user namespace").advice.find(row.advice) !=
        std::string::npos);
  // What is missing only because user namespaces are, is not sent elsewhere.
  CHECK(Of(facts, "overlay").advice.find("mend the user namespace first") == 0);
}

TEST_CASE("without a cgroup the advice fits who asks and what runs the host") {
  HostFacts facts = GoodHost();
  facts.cgroup = {};
  facts.cgroup.detail = "not delegated";
  facts.systemd = true;
  CHECK(Of(facts, "cgroup").advice.find("systemd-run --user --scope -p Delegate=yes") == 0);
  CHECK(Of(facts, "cgroup").advice.find("delegate.conf") != std::string::npos);
  facts.uid = 0;
  CHECK(Of(facts, "cgroup").advice.find("systemd-run --scope -p Delegate=yes") == 0);
  facts.systemd = false;
  CHECK(Of(facts, "cgroup").advice.find("mount -t cgroup2") != std::string::npos);
  CHECK(Of(facts, "cgroup").state == LayerState::kWeaker);
  facts.cgroup.mounted = kernel::CgroupVersion::kV1;
  for (const bool systemd : {false, true}) {
    facts.systemd = systemd;
    for (const uid_t uid : {0U, 1000U}) {
      facts.uid = uid;
      const std::string advice = Of(facts, "cgroup").advice;
      CHECK(advice.find("for c in memory pids cpuacct") != std::string::npos);
      CHECK(advice.find("subtree_control") == std::string::npos);  // a file of version 2
      CHECK(advice.find("cgroup2") == std::string::npos);
      CHECK((advice.find("setpriv --reuid=1000") != std::string::npos) == (uid == 1000));
    }
  }
}

TEST_CASE("the advice for KVM fits what is wrong with it, and who asks") {
  HostFacts facts = GoodHost();
  facts.errors[Attempt::kKvm] = ENOENT;
  CHECK_THAT(Of(facts, "KVM").advice, Catch::StartsWith("load it: modprobe kvm_intel"));
  facts.errors[Attempt::kKvm] = EACCES;
  CHECK_THAT(Of(facts, "KVM").advice, Catch::StartsWith("join its group: usermod -aG kvm"));
  facts.uid = 0;
  CHECK_THAT(Of(facts, "KVM").advice, Catch::Contains("chgrp kvm /dev/kvm && chmod 0660 /dev/kvm"));
  CHECK(Of(facts, "KVM").state == LayerState::kWeaker);
}

TEST_CASE("an old Landlock is weaker, none is missing") {
  HostFacts facts = GoodHost();
  facts.errors[Attempt::kLandlockScope] = EINVAL;
  CHECK(Of(facts, "Landlock: scopes").state == LayerState::kWeaker);
  CHECK(Of(facts, "Landlock: scopes").advice.find("6.12") != std::string::npos);
  facts.errors[Attempt::kLandlockFiles] = EOPNOTSUPP;
  CHECK(Of(facts, "Landlock: files").state == LayerState::kMissing);
  CHECK(Of(facts, "Landlock: files").advice.find("lsm=") != std::string::npos);
}

TEST_CASE("a program that is not installed is named with its package") {
  HostFacts facts = GoodHost();
  facts.runsc.clear();
  CHECK(Of(facts, "runsc").advice == "apt-get install runsc");
  facts.qemu.clear();
  CHECK(Of(facts, "qemu").advice == "apt-get install qemu-system-x86");
  facts.guest_kernel.clear();
  facts.no_guest_kernel = "6.1.0-44-cloud-amd64: it has no module 9p";
  CHECK(Of(facts, "guest kernel").found == facts.no_guest_kernel);
  CHECK(Of(facts, "guest kernel").advice == "apt-get install linux-image-amd64");
}

}  // namespace
}  // namespace nacre::sandbox
