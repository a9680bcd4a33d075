#include "runtime/agent/spec_builder.h"

#include <filesystem>

#include "runtime/agent/tool_call.h"
#include "sandbox/interpreter/python.h"
#include "tools/python_module.h"

namespace nacre::agent {
namespace {

sandbox::Isolation TierOf(policy::Isolation isolation) {
  switch (isolation) {
    case policy::Isolation::kNamespace:
      return sandbox::Isolation::kNamespace;
    case policy::Isolation::kGvisor:
      return sandbox::Isolation::kGvisor;
    case policy::Isolation::kMicrovm:
      return sandbox::Isolation::kMicrovm;
  }
  return sandbox::Isolation::kMicrovm;  // not reached; the strictest
}

// Where the tool's own program is seen from inside.
constexpr const char* kToolTarget = "/nacre/tool";

sandbox::SandboxSpec BaseSpec(const policy::Grant& grant, const std::string& call_id) {
  sandbox::SandboxSpec spec;
  spec.id = call_id;
  // Rebuilt, never filtered: nothing of the runtime's environment reaches a call.
  spec.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                      {"HOME", "/tmp"},
                      {"TMPDIR", "/tmp"},
                      {"LANG", "C.UTF-8"},
                      {"TERM", "dumb"}};
  spec.seccomp_profile = grant.profile;
  spec.isolation = TierOf(grant.isolation);
  const policy::SandboxLimits& limits = grant.limits;
  spec.limits = {.wall = limits.wall,
                 .cpu = limits.cpu,
                 .memory_bytes = limits.memory_bytes,
                 .tasks = limits.tasks,
                 .files = limits.files,
                 .output_bytes = limits.output_bytes,
                 .disk_bytes = limits.disk_bytes,
                 .inodes = limits.inodes};
  spec.require = {.landlock_abi = grant.require_landlock_abi,
                  .cgroup = grant.require_cgroup,
                  .id_maps = grant.require_id_maps,
                  .kvm = grant.require_kvm};
  return spec;
}

// What a mode gives a tool that changes files.
sandbox::Access AccessOf(policy::WorkspaceMode mode) {
  return mode == policy::WorkspaceMode::kTransactional ? sandbox::Access::kTransactional
         : mode == policy::WorkspaceMode::kDirect      ? sandbox::Access::kReadWrite
                                                       : sandbox::Access::kRead;
}

// Of all profiles "build" alone runs what a call makes in the workspace.
void MountWorkspace(const std::string& workspace, sandbox::Access access,
                    const WorkspaceMatches& matches, sandbox::SandboxSpec& spec) {
  const std::string target = kWorkspaceTarget;
  spec.mounts.push_back(
      {workspace, target, access,
       spec.seccomp_profile == "build" ? sandbox::Executable::kYes : sandbox::Executable::kNo});
  spec.working_directory = target;
  for (const std::string& path : matches.hidden) {
    spec.hidden.push_back(target + "/" + path);
  }
  if (access != sandbox::Access::kRead) {
    for (const std::string& path : matches.read_only) {
      spec.read_only.push_back(target + "/" + path);
    }
  }
}

}  // namespace

sandbox::SandboxSpec BuildSpec(const SpecInputs& inputs) {
  sandbox::SandboxSpec spec = BaseSpec(inputs.grant, inputs.call_id);
  const std::filesystem::path program(inputs.tool.program);
  spec.mounts.push_back({program.parent_path().string(), kToolTarget, sandbox::Access::kRead,
                         sandbox::Executable::kYes});
  if (inputs.grant.share_network) {
    spec.network_group = inputs.session_id;
  }
  if (inputs.tool.interpreter == tools::Interpreter::kPython3) {
    spec.argv = sandbox::interpreter::PythonCommand(tools::PythonToolModule());
    spec.interpreter_arguments = spec.argv.size();
  }
  spec.argv.push_back(std::string(kToolTarget) + "/" + program.filename().string());
  if (inputs.grant.workspace != policy::WorkspaceMode::kNone) {
    MountWorkspace(inputs.workspace,
                   inputs.tool.effect == tools::Effect::kRead ? sandbox::Access::kRead
                                                              : AccessOf(inputs.grant.workspace),
                   inputs.matches, spec);
  }
  return spec;
}

sandbox::SandboxSpec BuildCommandSpec(const policy::Grant& grant, const std::string& call_id,
                                      const std::string& workspace, const WorkspaceMatches& matches,
                                      std::vector<std::string> argv) {
  sandbox::SandboxSpec spec = BaseSpec(grant, call_id);
  spec.argv = std::move(argv);
  if (grant.workspace != policy::WorkspaceMode::kNone) {
    MountWorkspace(workspace, AccessOf(grant.workspace), matches, spec);
  }
  return spec;
}

}  // namespace nacre::agent
