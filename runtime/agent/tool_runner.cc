#include "runtime/agent/tool_runner.h"

#include <algorithm>
#include <cerrno>

#include "runtime/agent/followed_path.h"
#include "runtime/agent/spec_builder.h"
#include "runtime/agent/workspace_scan.h"

namespace nacre::agent {
namespace {

// The tool's protocol over the sandbox's pipes.
class ChannelIo final : public sandbox::CallIo {
 public:
  ChannelIo(tools::ToolChannel& channel, std::optional<WorkspaceChange>& change)
      : channel_(channel), change_(change) {}

  Reply OnStart() override {
    return {.bytes = channel_.Start(), .close_input = false, .kill = false};
  }

  Reply OnChannelBytes(std::string_view bytes) override {
    Result<std::string> answer = channel_.OnBytes(bytes);
    if (!answer.ok()) {
      breach_ = answer.error().message;
      return {.bytes = {}, .close_input = true, .kill = true};
    }
    return {.bytes = std::move(answer).value(),
            .close_input = channel_.result().has_value(),
            .kill = false};
  }

  void OnCallLayer(sandbox::CallLayer layer) override {
    if (change_.has_value()) {
      change_->TakeLayer(std::move(layer));
    }
  }

  const std::string& breach() const { return breach_; }

 private:
  tools::ToolChannel& channel_;
  std::optional<WorkspaceChange>& change_;
  std::string breach_;
};

CallResult Conclude(sandbox::Outcome outcome, const ChannelIo& io,
                    const tools::ToolChannel& channel) {
  CallResult result{.outcome = std::move(outcome), .text = {}, .error = true, .change = {}};
  const bool clean =
      result.outcome.kind == sandbox::OutcomeKind::kExited && result.outcome.exit_code == 0;
  if (!io.breach().empty()) {
    result.text = "error: the tool broke its protocol: " + io.breach();
  } else if (!clean) {
    result.text = "error: " + sandbox::Describe(result.outcome);
    result.own_words = true;
  } else if (!channel.result().has_value()) {
    result.text = "error: the tool ended without an answer";
    result.own_words = true;
  } else {
    result.error = channel.result()->error;
    result.text = channel.result()->text;
  }
  return result;
}

// Before the start: there is no time left for it, or it was cancelled.
CallResult NotBegun(const policy::Grant& grant, const CancelToken& cancel) {
  CallResult result{.outcome = {}, .text = {}, .error = true, .own_words = true, .change = {}};
  result.outcome.kind =
      cancel.cancelled() ? sandbox::OutcomeKind::kCancelled : sandbox::OutcomeKind::kTimedOut;
  if (result.outcome.kind == sandbox::OutcomeKind::kTimedOut) {
    result.outcome.use.wall = grant.limits.wall;
  }
  result.text = "error: " + sandbox::Describe(result.outcome) +
                ", while the workspace was looked through for what the policy hides and protects: "
                "nothing was run";
  return result;
}

}  // namespace

void ToolRunner::Expect(const policy::Grant& grant, const tools::Manifest& tool) {
  const std::string no_call = "expected";
  const WorkspaceMatches none;
  sandbox_.Expect(BuildSpec({grant, tool, no_call, workspace_, none, session_id_}));
}

Result<CallResult> ToolRunner::Run(const AuthorizedCall& call, tools::HostServices& services,
                                   const CancelToken& cancel) {
  const policy::Grant& grant = *call.decision().grant;
  const tools::Manifest& tool = *call.call().tool;
  WorkspaceMatches matches;
  if (grant.workspace != policy::WorkspaceMode::kNone) {
    auto found =
        ScanWorkspace(workspace_, grant.hide, grant.protect, cancel.WithTimeout(grant.limits.wall));
    if (!found.ok() && found.error().code == ErrorCode::kCancelled) {
      return NotBegun(grant, cancel);
    }
    matches = NACRE_TRY(std::move(found));
  }
  const sandbox::SandboxSpec spec =
      BuildSpec({grant, tool, call.id(), workspace_, matches, session_id_});
  tools::ToolChannel channel(tool, call.id(), call.call().request.arguments, services);
  std::optional<WorkspaceChange> change;
  if (MountsTransactionally(spec)) {
    change = NACRE_TRY(WorkspaceChange::Begin(workspace_));
  }
  ChannelIo io(channel, change);
  // Last of all: what was judged, and maybe agreed to by a person, is what is opened.
  if (LinksMoved(workspace_, call.call().request)) {
    CallResult moved{.outcome = {}, .text = {}, .error = true, .own_words = true, .change = {}};
    moved.outcome.setup_step = "links";
    moved.outcome.setup_errno = ESTALE;
    moved.text =
        "error: a link in a path of the call was changed after it was judged, so nothing was run";
    return moved;
  }
  sandbox::Outcome outcome = NACRE_TRY(sandbox_.Run(spec, io, cancel));
  CallResult result = Conclude(std::move(outcome), io, channel);
  if (!change.has_value()) {
    return result;
  }
  // A tool that answered did its work, also when it says that something is wrong: a build that failed
  // keeps what it built so far, as it would in a shell. One that did not answer left it half done.
  if (channel.result().has_value() && io.breach().empty() &&
      result.outcome.kind == sandbox::OutcomeKind::kExited && result.outcome.exit_code == 0) {
    NACRE_TRY(change->Judge(grant));
  } else {
    change->Drop(sandbox::Describe(result.outcome));
  }
  if (change->report().end == WorkspaceReport::End::kRefused) {
    result.error = true;
    result.text = NotKeptText(change->report());
    result.own_words = false;  // it names files
  }
  result.change = std::move(change);
  return result;
}

bool MountsTransactionally(const sandbox::SandboxSpec& spec) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(), [](const sandbox::Mount& mount) {
    return mount.access == sandbox::Access::kTransactional;
  });
}

std::string NotKeptText(const WorkspaceReport& report) {
  return "error: the call's changes were not kept, the workspace is as before it: " + report.reason;
}

Json OutcomeToJson(const sandbox::Outcome& outcome) {
  Json json = {{"kind", sandbox::OutcomeKindName(outcome.kind)},
               {"wall_us", outcome.use.wall.count()},
               {"cpu_us", outcome.use.cpu.count()},
               {"memory_peak_bytes", outcome.use.memory_peak_bytes},
               {"output_truncated", outcome.output_truncated},
               {"warm", outcome.warm},
               {"layers",
                {{"isolation", outcome.layers.isolation},
                 {"guest_kernel", outcome.layers.guest_kernel},
                 {"namespaces", outcome.layers.namespaces},
                 {"landlock_abi", outcome.layers.landlock_abi},
                 {"seccomp", outcome.layers.seccomp},
                 {"no_new_privs", outcome.layers.no_new_privs},
                 {"capabilities_empty", outcome.layers.capabilities_empty},
                 {"uid_map", outcome.layers.uid_map},
                 {"gid_map", outcome.layers.gid_map},
                 {"groups", outcome.layers.groups},
                 {"resource_limits", outcome.layers.resource_limits},
                 {"cgroup", outcome.layers.cgroup},
                 {"cgroup_memory_bytes", outcome.layers.cgroup_memory_bytes},
                 {"cgroup_tasks", outcome.layers.cgroup_tasks},
                 {"exceptions", outcome.layers.exceptions},
                 {"workspace", outcome.layers.workspace},
                 {"weaker", outcome.layers.weaker}}}};
  if (!outcome.cold_because.empty()) {
    json["cold_because"] = outcome.cold_because;
  }
  switch (outcome.kind) {
    case sandbox::OutcomeKind::kExited:
      json["exit_code"] = outcome.exit_code;
      break;
    case sandbox::OutcomeKind::kSignaled:
      json["signal"] = outcome.signal;
      break;
    case sandbox::OutcomeKind::kDiskExceeded:
      json["disk"] = sandbox::DiskLimitName(outcome.disk);
      break;
    case sandbox::OutcomeKind::kViolation:
      json["syscall"] = outcome.violated_syscall;
      json["rule"] = outcome.violated_rule;
      break;
    case sandbox::OutcomeKind::kSetupFailed:
      json["setup_step"] = outcome.setup_step;
      json["setup_errno"] = outcome.setup_errno;
      break;
    default:
      break;
  }
  return json;
}

std::string ErrorOutputEnd(const std::string& error_output) {
  if (error_output.size() <= kErrorOutputBytesMax) {
    return error_output;
  }
  size_t begin = error_output.size() - kErrorOutputBytesMax;
  const size_t line_end = error_output.find('\n', begin - 1);
  if (line_end != std::string::npos && line_end + 1 < error_output.size()) {
    return error_output.substr(line_end + 1);
  }
  while (begin < error_output.size() &&
         (static_cast<uint8_t>(error_output[begin]) & 0xC0U) == 0x80U) {
    ++begin;
  }
  return error_output.substr(begin);
}

}  // namespace nacre::agent
