// What `run` and `session resume` share: drive one turn here, or through a gateway, and print it.
#pragma once

#include <optional>
#include <string>

#include "runtime/cli/command.h"

namespace nacre::cli {

struct TurnRequest {
  std::string session;              // empty: a new one
  std::optional<std::string> text;  // none: continue the unfinished turn
  std::string connect;              // a gateway's socket; empty: here
  // Whether the person named them: a session keeps its own, and naming others is an error.
  bool policy_given = false;
  bool workspace_given = false;
};

// With --connect, a flag that says what is the gateway's to say is an error: it would be passed over, and above all a
// policy must never be thought to hold where it does not. kInvalidArgument.
Status RefuseFlagsOfGateway(const CLI::App& command);

// Answers the exit code; errors are already printed.
int RunTurnCommand(Globals& globals, const TurnRequest& request);

}  // namespace nacre::cli
