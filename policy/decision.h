// Decision: the policy's answer to one Request, with the rule that made it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nacre::policy {

enum class Verdict { kDeny = 0, kAsk, kAllow };
const char* VerdictName(Verdict verdict);  // "deny", "ask", "allow"

// kTransactional: a call's changes are kept aside, judged, and committed as a whole or not at all.
enum class WorkspaceMode { kNone = 0, kReadOnly, kTransactional, kDirect };
// "none", "read-only", "transactional", "direct"
const char* WorkspaceModeName(WorkspaceMode mode);

// Whether a call may leave files that can be executed, and links.
enum class CommitExecutables { kDeny = 0, kAllow };
enum class CommitLinks { kDeny = 0, kInside, kAllow };

// What one call may change in a transactional workspace. More is not committed.
struct CommitRules {
  uint64_t changes = 10'000;
  uint64_t bytes = 256ULL << 20;  // of files, new and replaced together
  CommitExecutables executables = CommitExecutables::kAllow;
  CommitLinks links = CommitLinks::kInside;

  friend bool operator==(const CommitRules&, const CommitRules&) = default;
};

// Which wall stands between a call and the host's kernel. One that the host lacks is refused.
enum class Isolation { kNamespace = 0, kGvisor, kMicrovm };
const char* IsolationName(Isolation isolation);  // "namespace", "gvisor", "microvm"

struct SandboxLimits {
  std::chrono::milliseconds wall{30'000};
  std::chrono::seconds cpu{10};
  uint64_t memory_bytes = 512ULL << 20;
  uint32_t tasks = 64;
  uint32_t files = 256;
  uint64_t output_bytes = 1ULL << 20;
  uint64_t disk_bytes = 256ULL << 20;
  uint32_t inodes = 65'536;

  friend bool operator==(const SandboxLimits&, const SandboxLimits&) = default;
};

// What an allowed call may touch. The zero value grants nothing.
struct Grant {
  WorkspaceMode workspace = WorkspaceMode::kNone;
  std::vector<std::string> hide;  // globs relative to the workspace: read as if they were not there
  std::vector<std::string> protect;  // globs: readable, never writable
  CommitRules commit;
  std::string profile = "default";
  Isolation isolation = Isolation::kNamespace;
  SandboxLimits limits;
  int require_landlock_abi = 1;
  bool require_cgroup = true;
  bool require_id_maps = true;
  bool require_kvm = true;
  // The calls of a session may share one network namespace, which is empty. Never with the profile
  // network-client, whose sockets could meet in it.
  bool share_network = false;

  friend bool operator==(const Grant&, const Grant&) = default;
};

struct SourceLocation {
  std::string file;  // "builtin/coding", or a path
  int line = 0;
  int column = 0;

  friend bool operator==(const SourceLocation&, const SourceLocation&) = default;
};
// "policies/team.yaml:12:5"; empty for a location that says nothing.
std::string ToText(const SourceLocation& location);

// Who may say yes to a call that a rule asks for, and for how long their yes holds.
struct Approvers {
  // Accounts of the host, and a group whose members are meant too. Both empty: whoever runs nacre.
  std::vector<std::string> users = {};  // "alice"
  std::string role = {};                // "operator"
  int count = 1;                        // how many of them must say yes
  std::chrono::milliseconds expires{900'000};

  bool HaveNames() const { return !users.empty() || !role.empty(); }

  friend bool operator==(const Approvers&, const Approvers&) = default;
};

struct Decision {
  Verdict verdict = Verdict::kDeny;
  std::string rule;  // "tools.read-workspace", "workspace.protect", "default"
  // One clause for people and the model: "/etc/shadow is outside the workspace".
  std::string reason;
  SourceLocation source;  // where the rule stands; empty file for "default"
  // Never null. Of the policy when the verdict is kAllow or kAsk; else it grants nothing.
  std::shared_ptr<const Grant> grant = NoGrant();
  // Of kAsk, and then not empty: the yes of each of these is wanted.
  std::vector<Approvers> approvers = {};

  static const std::shared_ptr<const Grant>& NoGrant();

  friend bool operator==(const Decision& a, const Decision& b) {
    return a.verdict == b.verdict && a.rule == b.rule && a.reason == b.reason &&
           a.source == b.source && *a.grant == *b.grant && a.approvers == b.approvers;
  }
};

}  // namespace nacre::policy
