// ToolRunner: runs one authorized call in a sandbox of its own and answers how it ended.
#pragma once

#include <string>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/agent/authorizer.h"
#include "sandbox/sandbox.h"
#include "tools/tool_channel.h"

namespace nacre::agent {

struct CallResult {
  sandbox::Outcome outcome;
  std::string text;  // for the model: the tool's text, or what became of the call
  bool error = false;
};

// Borrows both. Thread-safe if they are.
class ToolRunner final {
 public:
  ToolRunner(sandbox::Sandbox& sandbox, std::string workspace)
      : sandbox_(sandbox), workspace_(std::move(workspace)) {}

  Result<CallResult> Run(const AuthorizedCall& call, tools::HostServices& services,
                         const CancelToken& cancel);

 private:
  sandbox::Sandbox& sandbox_;
  std::string workspace_;  // host path
};

// Everything of an outcome but its output: for the audit log and the store.
Json OutcomeToJson(const sandbox::Outcome& outcome);

}  // namespace nacre::agent
