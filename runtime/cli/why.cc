#include "runtime/cli/why.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/result.h"
#include "policy/path_glob.h"
#include "policy/policy_loader.h"
#include "runtime/agent/tool_call.h"
#include "sandbox/seccomp/syscall_groups.h"
#include "sandbox/spec_check.h"

namespace nacre::cli {
namespace {

using sandbox::IsBelow;
using sandbox::OutcomeKind;
using sandbox::seccomp::Observation;

constexpr size_t kRefusalsMax = 500;  // of each kind: different calls, different paths

// Where every call may write, whatever its policy.
constexpr const char* kAlwaysWritable[] = {"/tmp",      "/dev/shm",    "/dev/null",   "/dev/zero",
                                           "/dev/full", "/dev/random", "/dev/urandom"};
// Where every call sees its own, which is not the host's; and the system, all of which is there: that a
// link of it leads to a file of /etc which is not, is nothing that a policy's author asks about.
constexpr const char* kOwnPlaces[] = {"/proc", "/dev",   "/usr",   "/bin",   "/sbin",
                                      "/lib",  "/lib32", "/lib64", "/libx32"};

// What the smallest changed policy differs in.
struct Change {
  std::string profile;  // empty: as it is
  bool writable = false;
  std::vector<std::string> unhide;
  std::vector<std::string> unprotect;
  std::vector<std::string> limits;  // "memory: 1024MiB"
};

bool IsOneOf(const std::string& path, const auto& places) {
  return std::any_of(std::begin(places), std::end(places),
                     [&](const char* place) { return IsBelow(path, place); });
}

bool IsAmong(const std::vector<std::string>& paths, const std::string& path) {
  return std::any_of(paths.begin(), paths.end(),
                     [&](const std::string& each) { return IsBelow(path, each); });
}

// Which of the globs names the path, or a folder above it. Paths are those of the sandbox.
std::vector<size_t> GlobsOf(const std::vector<std::string>& globs, const std::string& path) {
  const std::string workspace = agent::kWorkspaceTarget;
  std::vector<size_t> found;
  for (size_t i = 0; i < globs.size(); ++i) {
    for (std::filesystem::path each = path; each.string().size() > workspace.size();
         each = each.parent_path()) {
      if (policy::GlobMatches(globs[i], each.string().substr(workspace.size() + 1))) {
        found.push_back(i);
        break;
      }
    }
  }
  return found;
}

std::string Place(const policy::SourceLocation& source) {
  return source.file.empty() ? "the host's own rule"
                             : source.file + ":" + std::to_string(source.line);
}

// hide or protect: all globs that name the path must go. One of the host's own stays.
Refusal OfGlobs(const std::string& what, const std::string& key,
                const std::vector<std::string>& globs,
                const std::vector<policy::SourceLocation>& sources, const std::string& path,
                std::vector<std::string>& remove) {
  Refusal refusal{.what = what, .why = {}, .change = {}};
  const std::vector<size_t> found = GlobsOf(globs, path);
  const auto host_rule = std::find_if(found.begin(), found.end(), [&](size_t i) {
    return i >= sources.size() || sources[i].file.empty();
  });
  const std::string verb = key == "hide" ? "hidden" : "protected";
  if (found.empty() || host_rule != found.end()) {
    refusal.why = verb + " by nacre itself: its own state and the policy in use";
    return refusal;
  }
  for (const size_t i : found) {
    refusal.why += (refusal.why.empty() ? verb + " by workspace." + key + " \"" : ", \"") +
                   globs[i] + "\" (" + Place(sources[i]) + ")";
    refusal.change += (refusal.change.empty() ? "without \"" : ", \"") + globs[i] + "\"";
    remove.push_back(globs[i]);
  }
  refusal.change += " in workspace." + key;
  return refusal;
}

std::optional<Refusal> OfPath(const policy::Policy& policy, const sandbox::SandboxSpec& spec,
                              const std::string& path, bool writes, bool missing,
                              const std::function<bool(const std::string&)>& exists,
                              Change& change) {
  const std::string what = (writes ? "write " : "read ") + path;
  if (IsAmong(spec.hidden, path)) {
    return OfGlobs(what, "hide", policy.grant.hide, policy.hide_sources, path, change.unhide);
  }
  const sandbox::Mount* mount = sandbox::MountOf(spec.mounts, path);
  const bool in_workspace = mount != nullptr && mount->target == agent::kWorkspaceTarget;
  if (!writes) {
    if (!missing || mount != nullptr || IsOneOf(path, kOwnPlaces) || !exists(path)) {
      return std::nullopt;
    }
    return Refusal{.what = what,
                   .why = "it is not in the sandbox: a call sees system files and its workspace",
                   .change = {}};
  }
  if (in_workspace && IsAmong(spec.read_only, path)) {
    return OfGlobs(what, "protect", policy.grant.protect, policy.protect_sources, path,
                   change.unprotect);
  }
  if (IsOneOf(path, kAlwaysWritable) ||
      (mount != nullptr && mount->access != sandbox::Access::kRead)) {
    return std::nullopt;
  }
  if (in_workspace) {
    change.writable = true;
    return Refusal{.what = what,
                   .why = std::string("workspace.mode is ") +
                          policy::WorkspaceModeName(policy.grant.workspace) + " (" +
                          Place(policy.mode_source) + ")",
                   .change = "workspace: {mode: transactional}"};
  }
  if (policy.grant.workspace == policy::WorkspaceMode::kNone &&
      IsBelow(path, agent::kWorkspaceTarget)) {
    change.writable = true;
    return Refusal{.what = what,
                   .why = "workspace.mode is none",
                   .change = "workspace: {mode: transactional}"};
  }
  return Refusal{.what = what,
                 .why = "outside of the workspace and /tmp everything is read-only",
                 .change = {}};
}

// The profile under which what is in the workspace can be executed.
std::string BuildingProfile() {
  for (const auto& profile : sandbox::seccomp::Profiles()) {
    if (profile.runs_what_it_makes) {
      return profile.name;
    }
  }
  return {};
}

Refusal OfNoexec(const sandbox::SandboxSpec& spec, const std::string& path, Change& change) {
  const sandbox::Mount* mount = sandbox::MountOf(spec.mounts, path);
  Refusal refusal{.what = "run " + path, .why = {}, .change = {}};
  if (mount == nullptr || mount->target != agent::kWorkspaceTarget) {
    refusal.why = "nothing is executed from there (noexec)";
    return refusal;
  }
  refusal.why =
      "profile " + spec.seccomp_profile +
      " executes nothing from the workspace (noexec); a script runs when its interpreter is "
      "named before it";
  change.profile = BuildingProfile();
  refusal.change = "sandbox: {profile: " + change.profile + "}";
  return refusal;
}

// "socket(AF_INET, ...)": what a person looks for; other calls by their name.
std::string CallText(const Observation& call, size_t count) {
  std::string text = call.call;
  if (call.call == "socket") {
    const uint64_t family = call.arguments[0];
    text += family == AF_INET    ? " (IPv4)"
            : family == AF_INET6 ? " (IPv6)"
            : family == AF_UNIX  ? " (unix)"
                                 : " (family " + std::to_string(family) + ")";
  }
  return count > 1 ? text + ", " + std::to_string(count) + " times" : text;
}

struct Profile {
  std::string name;
  std::vector<sandbox::seccomp::SyscallRule> rules;

  bool Allows(const Observation& call) const {
    const auto* rule = sandbox::seccomp::FindRule(rules, call.call, call.arguments);
    return rule != nullptr && rule->verdict == sandbox::seccomp::Verdict::kAllow;
  }
};

// All profiles, the one with the fewest calls first.
std::vector<Profile> ProfilesBySize() {
  std::vector<Profile> profiles;
  for (const auto& profile : sandbox::seccomp::Profiles()) {
    auto rules = sandbox::seccomp::ProfileRules(profile.name);
    if (rules.ok()) {
      profiles.push_back({profile.name, std::move(rules).value()});
    }
  }
  const auto size_and_name = [](const Profile& profile) {
    return std::pair(sandbox::seccomp::CountAllowed(profile.rules), profile.name);
  };
  std::sort(profiles.begin(), profiles.end(), [&](const Profile& a, const Profile& b) {
    return size_and_name(a) < size_and_name(b);
  });
  return profiles;
}

std::optional<Refusal> OfOutcome(const sandbox::Outcome& outcome, const sandbox::Limits& limits,
                                 Change& change) {
  const auto limit = [&](const std::string& key, const std::string& now, const std::string& more) {
    change.limits.push_back(key + ": " + more);
    return Refusal{.what = sandbox::Describe(outcome),
                   .why = "sandbox.limits." + key + " is " + now,
                   .change = "sandbox: {limits: {" + key + ": " + more + "}}"};
  };
  const auto mebibytes = [](uint64_t bytes) {
    return std::to_string(std::max<uint64_t>(1, bytes >> 20)) + "MiB";
  };
  switch (outcome.kind) {
    case OutcomeKind::kTimedOut:
      return limit("wall", std::to_string(limits.wall.count()) + "ms",
                   std::to_string(limits.wall.count() * 2) + "ms");
    case OutcomeKind::kCpuExceeded:
      return limit("cpu", std::to_string(limits.cpu.count()) + "s",
                   std::to_string(limits.cpu.count() * 2) + "s");
    case OutcomeKind::kOutOfMemory:
      return limit("memory", mebibytes(limits.memory_bytes), mebibytes(limits.memory_bytes * 2));
    case OutcomeKind::kTasksExceeded:
      return limit("tasks", std::to_string(limits.tasks), std::to_string(limits.tasks * 2));
    case OutcomeKind::kDiskExceeded:
      if (outcome.disk == sandbox::DiskLimit::kInodes) {
        return limit("inodes", std::to_string(limits.inodes), std::to_string(limits.inodes * 2));
      }
      return limit("disk", mebibytes(limits.disk_bytes), mebibytes(limits.disk_bytes * 2));
    case OutcomeKind::kOutputExceeded:
      return limit("output", mebibytes(limits.output_bytes), mebibytes(limits.output_bytes * 2));
    case OutcomeKind::kViolation:
      return Refusal{
          .what = outcome.violated_syscall.empty()
                      ? "a system call that ends the call"
                      : outcome.violated_syscall + ", which ended the call",
          .why = outcome.violated_rule.empty() ? "no profile allows it" : outcome.violated_rule,
          .change = {}};
    default:
      return std::nullopt;
  }
}

void Erase(std::vector<std::string>& globs, const std::vector<std::string>& gone) {
  std::erase_if(globs, [&](const std::string& glob) {
    return std::find(gone.begin(), gone.end(), glob) != gone.end();
  });
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

// A document that extends the policy where it only adds; globs can only be taken out of a whole one.
std::string ChangedPolicy(const policy::Policy& policy, const std::string& name,
                          const Change& change) {
  std::vector<std::string> sandbox;
  if (!change.profile.empty()) {
    sandbox.push_back("profile: " + change.profile);
  }
  if (!change.limits.empty()) {
    sandbox.push_back("limits: {" + Joined(change.limits) + "}");
  }
  if (!change.writable && sandbox.empty() && change.unhide.empty() && change.unprotect.empty()) {
    return {};
  }
  if (!change.unhide.empty() || !change.unprotect.empty()) {
    policy::PolicyDocument changed = policy;
    Erase(changed.grant.hide, change.unhide);
    Erase(changed.grant.protect, change.unprotect);
    if (change.writable) {
      changed.grant.workspace = policy::WorkspaceMode::kTransactional;
    }
    if (!change.profile.empty()) {
      changed.grant.profile = change.profile;
    }
    return policy::ToYaml(changed);
  }
  const std::vector<std::string> shipped = policy::ShippedProfiles();
  const std::string bare = name.starts_with("builtin/") ? name.substr(8) : name;
  const bool is_shipped = std::find(shipped.begin(), shipped.end(), bare) != shipped.end();
  std::string text =
      "nacre: policy/1\nname: changed\nextends: [" +
      (is_shipped ? "builtin/" + bare : std::filesystem::path(name).filename().string()) + "]\n";
  if (change.writable) {
    text += "workspace: {mode: transactional}\n";
  }
  if (!sandbox.empty()) {
    text += "sandbox: {" + Joined(sandbox) + "}\n";
  }
  return text;
}

}  // namespace

void Refusals::Add(const Observation& observation) {
  if (observation.noexec) {
    if (noexec_.size() < kRefusalsMax || noexec_.contains(observation.path)) {
      noexec_.insert(observation.path);
    } else {
      cut_ = true;
    }
    return;
  }
  if (observation.kind == Observation::Kind::kPath) {
    const auto key = std::make_pair(observation.path, observation.writes);
    if (paths_.size() < kRefusalsMax || paths_.contains(key)) {
      paths_[key] = paths_[key] || observation.missing;
    } else {
      cut_ = true;
    }
    return;
  }
  const auto key = std::make_pair(CallText(observation, 1), observation.reason);
  if (calls_.size() < kRefusalsMax || calls_.contains(key)) {
    Call& call = calls_[key];
    call.observation = observation;
    ++call.count;
  } else {
    cut_ = true;
  }
}

Explanation Refusals::Explain(const sandbox::Outcome& outcome,
                              const std::function<bool(const std::string&)>& exists) const {
  Explanation explanation;
  explanation.cut = cut_;
  Change change;
  if (auto refusal = OfOutcome(outcome, spec_.limits, change)) {
    explanation.refusals.push_back(std::move(*refusal));
  }
  for (const auto& [key, missing] : paths_) {
    if (auto refusal = OfPath(policy_, spec_, key.first, key.second, missing, exists, change)) {
      explanation.refusals.push_back(std::move(*refusal));
    }
  }
  // The smallest profile that allows most of what was refused.
  const std::vector<Profile> profiles = ProfilesBySize();
  size_t most = 0;
  for (const Profile& profile : profiles) {
    const auto allowed =
        static_cast<size_t>(std::count_if(calls_.begin(), calls_.end(), [&](const auto& entry) {
          return profile.Allows(entry.second.observation);
        }));
    if (allowed > most && profile.name != spec_.seccomp_profile) {
      most = allowed;
      change.profile = profile.name;
    }
  }
  for (const std::string& path : noexec_) {
    explanation.refusals.push_back(OfNoexec(spec_, path, change));
  }
  for (const auto& [key, call] : calls_) {
    const Observation& observation = call.observation;
    Refusal refusal{.what = CallText(observation, call.count),
                    .why = std::strerror(observation.error) + std::string(": profile ") +
                           spec_.seccomp_profile + ": " + observation.reason,
                    .change = {}};
    for (const Profile& profile : profiles) {
      if (profile.Allows(observation)) {
        refusal.change = "sandbox: {profile: " + profile.name + "}";
        if (observation.call == "socket" && observation.arguments[0] != AF_UNIX) {
          refusal.change += " (the network behind it stays empty)";
        }
        break;
      }
    }
    explanation.refusals.push_back(std::move(refusal));
  }
  explanation.policy = ChangedPolicy(policy_, name_, change);
  return explanation;
}

}  // namespace nacre::cli
