#include "sandbox/gvisor/gvisor_sandbox.h"

#include "sandbox/guest/guest_io.h"
#include "sandbox/guest/host_programs.h"
#include "sandbox/gvisor/oci_bundle.h"
#include "sandbox/program_check.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox {
namespace {

using std::chrono::seconds;

// What gVisor takes for itself: its start, its memory, its threads and, with the ptrace platform, a
// process of the host for each of the call's.
Limits Allowance(const Limits& call) {
  return {.wall = seconds(30),
          .cpu = seconds(30),
          .memory_bytes = 256ULL << 20,
          .tasks = 256 + 2 * call.tasks,
          .files = 4096,
          .output_bytes = 64 << 10,
          .disk_bytes = 64ULL << 20};
}

Result<Enclosure> MakeEnclosure(const SandboxSpec& spec, const std::string& runsc,
                                const std::string& guest_program) {
  Enclosure enclosure;
  enclosure.argv = {runsc,
                    "--root=/tmp/runsc",
                    "--rootless",
                    "--network=none",
                    "--platform=ptrace",
                    "--ignore-cgroups",
                    "--host-uds=none",
                    "--host-fifo=none",
                    "--file-access=shared",
                    "run",
                    "--bundle=/bundle",
                    spec.id};
  enclosure.files = {{"/bundle/config.json", DumpJson(NACRE_TRY(gvisor::MakeOciConfig(spec)))}};
  enclosure.guest_directories = gvisor::GuestDirectories();
  enclosure.guest_mounts = {{guest_program, gvisor::kAgentTarget, Access::kRead, Executable::kYes}};
  enclosure.makes_namespaces = true;
  enclosure.allowance = Allowance(spec.limits);
  return enclosure;
}

}  // namespace

Result<std::unique_ptr<GvisorSandbox>> GvisorSandbox::Create(KernelSandbox& kernel,
                                                             const std::string& guest_program) {
  std::string runsc = guest::FindSystemProgram("runsc");
  if (runsc.empty()) {
    return Error{ErrorCode::kUnavailable,
                 "isolation gvisor: the program runsc is not installed; install it: apt-get "
                 "install runsc"};
  }
  NACRE_TRY(guest::CheckGuestProgram(guest_program));
  return std::unique_ptr<GvisorSandbox>(new GvisorSandbox(kernel, std::move(runsc), guest_program));
}

Result<Outcome> GvisorSandbox::Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) {
  const Enclosure enclosure = NACRE_TRY(MakeEnclosure(spec, runsc_, guest_program_));
  const LaunchPlan plan = NACRE_TRY(MakeEnclosurePlan(spec, kernel_.host(), enclosure));
  if (auto problem = FindProgramProblem(spec, kernel_.host())) {
    return NotStarted(Isolation::kGvisor, std::move(*problem));
  }
  guest::GuestIo guest(io, NACRE_TRY(guest::MakeTask(spec)), spec.limits.output_bytes);
  Outcome enclosed = NACRE_TRY(kernel_.RunPlan(plan, guest, cancel));
  return guest.Conclude(IsolationName(Isolation::kGvisor), std::move(enclosed));
}

}  // namespace nacre::sandbox
