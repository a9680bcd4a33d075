// ToolRunner: runs one authorized call in a sandbox of its own and answers how it ended.
#pragma once

#include <optional>
#include <string>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/agent/authorizer.h"
#include "runtime/agent/workspace_change.h"
#include "sandbox/sandbox.h"
#include "tools/tool_channel.h"

namespace nacre::agent {

struct CallResult {
  sandbox::Outcome outcome;
  std::string text;  // for the model: the tool's text, or what became of the call
  bool error = false;
  // `text` is nacre's own, about how the call ended: nothing in it is the tool's.
  bool own_words = false;
  // Of a call that saw a transactional workspace. Its changes are judged; to commit them, if it wants
  // that, is the caller's.
  std::optional<WorkspaceChange> change;
};

// Borrows both. Thread-safe if they are.
class ToolRunner final {
 public:
  ToolRunner(sandbox::Sandbox& sandbox, std::string workspace, std::string session_id)
      : sandbox_(sandbox), workspace_(std::move(workspace)), session_id_(std::move(session_id)) {}

  // That calls of the tool are to be expected: their sandboxes are prepared, in the background.
  void Expect(const policy::Grant& grant, const tools::Manifest& tool);

  Result<CallResult> Run(const AuthorizedCall& call, tools::HostServices& services,
                         const CancelToken& cancel);

 private:
  sandbox::Sandbox& sandbox_;
  std::string workspace_;  // host path
  std::string session_id_;
};

bool MountsTransactionally(const sandbox::SandboxSpec& spec);
// For the model, of a change that was refused or conflicts.
std::string NotKeptText(const WorkspaceReport& report);

// Everything of an outcome but its output: for the audit log and the store.
Json OutcomeToJson(const sandbox::Outcome& outcome);

// The end of what the tool of a failed call wrote on standard error, from the beginning of a line or at least of a
// character: for a person who has to mend it. Hostile text; neither the model nor the audit log is given any of it.
constexpr size_t kErrorOutputBytesMax = 2048;
std::string ErrorOutputEnd(const std::string& error_output);

}  // namespace nacre::agent
