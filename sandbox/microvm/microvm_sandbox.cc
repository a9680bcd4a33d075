#include "sandbox/microvm/microvm_sandbox.h"

#include <sys/sysmacros.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/file.h"
#include "sandbox/guest/guest_io.h"
#include "sandbox/guest/host_programs.h"
#include "sandbox/microvm/initramfs.h"
#include "sandbox/plan.h"
#include "sandbox/program_check.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::sandbox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kKvm[] = "/dev/kvm";
constexpr unsigned kKvmMajor = 10;  // include/linux/miscdevice.h
constexpr unsigned kKvmMinor = 232;
constexpr char kInitramfs[] = "/machine/initramfs";
constexpr uint64_t kGuestKernelBytes = 128ULL << 20;  // its code, page tables and the initramfs
constexpr uint64_t kQemuBytes = 256ULL << 20;         // with the translated code of an emulated one
constexpr seconds kVirtualStart{30};
constexpr seconds kEmulatedStart{120};
constexpr seconds kTrialStart{10};
constexpr std::chrono::minutes kFailedTrialKept{5};
constexpr milliseconds kMeasured{20};
constexpr char kEmulatedWeakness[] =
    "the machine's processor is emulated: QEMU's emulation is no wall by itself, what encloses it "
    "is";

uint64_t MeasureTscKhz() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const uint64_t first = __rdtsc();
  std::this_thread::sleep_for(kMeasured);
  const uint64_t ticks = __rdtsc() - first;
  const auto passed =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  return ticks * 1000 / static_cast<uint64_t>(std::max<int64_t>(passed, 1));
}

Result<std::string> PackInitramfs(const microvm::GuestKernel& kernel, const std::string& agent) {
  using microvm::kInitramfsBytesMax;
  std::vector<microvm::ArchiveFile> files = {
      {"init", NACRE_TRY(ReadFile(agent, kInitramfsBytesMax)), false},
      {guest::kModulesFolder, {}, true}};
  for (const std::string& module : kernel.modules) {
    char order[8];
    std::snprintf(order, sizeof order, "%03zu-", files.size());
    files.push_back(
        {std::string(guest::kModulesFolder) + "/" + order + module.substr(module.rfind('/') + 1),
         NACRE_TRY(ReadFile(module, kInitramfsBytesMax)), false});
  }
  return microvm::MakeInitramfs(files);
}

std::vector<guest::MountRule> MakeMountRules(const SandboxSpec& spec,
                                             const seccomp::Profile& profile) {
  std::vector<guest::MountRule> rules;
  for (const Mount& mount : InMountOrder(spec.mounts)) {
    rules.push_back({.target = mount.target,
                     .writable = mount.access != Access::kRead,
                     .executable = IsExecutable(mount, profile)});
  }
  return rules;
}

}  // namespace

MicrovmSandbox::MicrovmSandbox(KernelSandbox& kernel, std::string qemu,
                               microvm::GuestKernel guest_kernel, std::string initramfs)
    : kernel_(kernel),
      qemu_(std::move(qemu)),
      guest_kernel_(std::move(guest_kernel)),
      initramfs_(std::move(initramfs)),
      tsc_khz_(MeasureTscKhz()),
      kvm_(kFailedTrialKept) {}

Result<std::unique_ptr<MicrovmSandbox>> MicrovmSandbox::Create(KernelSandbox& kernel,
                                                               const std::string& guest_program) {
  std::string qemu = guest::FindSystemProgram("qemu-system-x86_64");
  if (qemu.empty()) {
    return Error{ErrorCode::kUnavailable,
                 "isolation microvm: the program qemu-system-x86_64 is not installed; install it: "
                 "apt-get install qemu-system-x86"};
  }
  NACRE_TRY(guest::CheckGuestProgram(guest_program));
  microvm::GuestKernel guest_kernel = NACRE_TRY(microvm::FindGuestKernel());
  std::string initramfs = NACRE_TRY(PackInitramfs(guest_kernel, guest_program));
  return std::unique_ptr<MicrovmSandbox>(
      new MicrovmSandbox(kernel, std::move(qemu), std::move(guest_kernel), std::move(initramfs)));
}

Enclosure MicrovmSandbox::MakeEnclosure(Processor processor, const SandboxSpec& spec) const {
  const bool emulated = processor == Processor::kEmulated;
  // /tmp lies in the machine's memory.
  const uint64_t memory = spec.limits.memory_bytes + spec.limits.disk_bytes + kGuestKernelBytes;
  std::string command =
      std::string("quiet panic=-1 reboot=t ") +
      (emulated ? "tsc=reliable no_timer_check tsc_early_khz=" + std::to_string(tsc_khz_) + " "
                : "") +
      "-- " + guest::kMachineArgument;
  Enclosure enclosure;
  enclosure.argv = {
      qemu_,
      "-nodefaults",
      "-no-user-config",
      "-no-reboot",
      "-display",
      "none",
      "-monitor",
      "none",
      "-sandbox",
      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
      "-M",
      "microvm,isa-serial=off",
      "-accel",
      emulated ? "tcg,thread=single,tb-size=64" : "kvm",
      "-cpu",
      "max,vmx=off,svm=off",  // code of KVM's or QEMU's for nested machines stays out of reach
      "-smp",
      "1",
      "-m",
      std::to_string(memory >> 20) + "M",
      "-kernel",
      guest_kernel_.image,
      "-initrd",
      kInitramfs,
      "-append",
      std::move(command),
      "-chardev",
      "stdio,id=stream,signal=off",
      "-device",
      "virtio-serial-device",
      "-device",
      "virtserialport,chardev=stream",
      "-fsdev",
      std::string("local,id=tree,path=") + kGuestTree + ",security_model=none,multidevs=remap",
      "-device",
      std::string("virtio-9p-device,fsdev=tree,mount_tag=") + guest::kTreeTag};
  enclosure.files = {{kInitramfs, initramfs_}};
  enclosure.host_files = {guest_kernel_.image};
  if (!emulated) {
    enclosure.devices = {{kKvm, makedev(kKvmMajor, kKvmMinor)}};
  }
  enclosure.seccomp_profile = emulated ? seccomp::kEmulatedMachine : seccomp::kMachine;
  enclosure.guest_directories = {"/dev", "/proc", "/tmp"};
  enclosure.allowance = {.wall = emulated ? kEmulatedStart : kVirtualStart,
                         .cpu = emulated ? kEmulatedStart : kVirtualStart,
                         .memory_bytes = memory - spec.limits.memory_bytes + kQemuBytes,
                         .tasks = 128,  // one per processor, and those that serve files
                         .files = 4096,
                         .output_bytes = 64 << 10,
                         .disk_bytes = 1ULL << 20};
  return enclosure;
}

Result<Outcome> MicrovmSandbox::Boot(const Enclosure& enclosure, const SandboxSpec& spec,
                                     CallIo& io, const CancelToken& cancel) {
  const seccomp::Profile profile = NACRE_TRY(seccomp::FindProfile(spec.seccomp_profile));
  const LaunchPlan plan = NACRE_TRY(MakeEnclosurePlan(spec, kernel_.host(), enclosure));
  if (auto problem = FindProgramProblem(spec, kernel_.host())) {
    return NotStarted(Isolation::kMicrovm, std::move(*problem));
  }
  guest::Task task = NACRE_TRY(guest::MakeTask(spec));
  task.uid = kernel::kInsideId;
  task.mounts = MakeMountRules(spec, profile);
  guest::GuestIo guest(io, std::move(task), spec.limits.output_bytes, guest::AtEnd::kKill);
  Outcome enclosed = NACRE_TRY(kernel_.RunPlan(plan, guest, cancel));
  return guest.Conclude(IsolationName(Isolation::kMicrovm), std::move(enclosed));
}

Result<Outcome> MicrovmSandbox::RunOn(Processor processor, const SandboxSpec& spec, CallIo& io,
                                      const CancelToken& cancel) {
  Outcome outcome = NACRE_TRY(Boot(MakeEnclosure(processor, spec), spec, io, cancel));
  if (!spec.require.kvm) {
    outcome.layers.exceptions.emplace_back("kvm");
  }
  if (processor == Processor::kEmulated) {
    outcome.layers.weaker.emplace_back(kEmulatedWeakness);
  }
  return outcome;
}

Result<Outcome> MicrovmSandbox::Run(const SandboxSpec& spec, CallIo& io,
                                    const CancelToken& cancel) {
  const Result<Processor> processor = Choose(spec.require);
  if (!processor.ok()) {
    return NotStarted(Isolation::kMicrovm, processor.error().message);
  }
  return RunOn(processor.value(), spec, io, cancel);
}

Status MicrovmSandbox::Check(const Requirements& require) {
  const Result<Processor> processor = Choose(require);
  return processor.ok() ? Ok() : Status(processor.error());
}

Result<MicrovmSandbox::Processor> MicrovmSandbox::Choose(const Requirements& require) {
  const std::lock_guard lock(mutex_);
  const Status& kvm = kvm_.Get(std::chrono::steady_clock::now(), [this] { return TryKvm(); });
  if (kvm.ok()) {
    return Processor::kVirtual;
  }
  if (!require.kvm) {
    return Processor::kEmulated;
  }
  return kvm.error();
}

Status MicrovmSandbox::TryKvm() {
  const auto refuse = [](const std::string& why) {
    return Error{ErrorCode::kUnavailable,
                 "isolation microvm: " + why +
                     "; a slow, emulated machine needs sandbox: {require: {kvm: false}}"};
  };
  if (::access(kKvm, F_OK) != 0) {
    return refuse("there is no /dev/kvm (modprobe kvm_intel || modprobe kvm_amd)");
  }
  SandboxSpec spec;
  spec.id = "kvm-trial";
  spec.argv = {"/usr/bin/true"};
  spec.isolation = Isolation::kMicrovm;
  spec.limits.wall = kTrialStart;
  spec.limits.memory_bytes = 64ULL << 20;
  spec.limits.disk_bytes = 1ULL << 20;
  spec.require.cgroup = false;
  spec.require.id_maps = false;
  Enclosure enclosure = MakeEnclosure(Processor::kVirtual, spec);
  enclosure.allowance.wall = kTrialStart - kTrialStart / 2;
  NoCallIo io;
  const Outcome outcome = NACRE_TRY(Boot(enclosure, spec, io, CancelToken()));
  if (outcome.kind == OutcomeKind::kExited && outcome.exit_code == 0) {
    return Ok();
  }
  return refuse(
      "no machine starts on KVM here (" +
      (outcome.kind == OutcomeKind::kSetupFailed ? outcome.setup_step : Describe(outcome)) + ")");
}

}  // namespace nacre::sandbox
