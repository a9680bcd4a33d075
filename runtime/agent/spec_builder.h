// The one place that translates between modules that do not know each other: what the policy
// granted and what the tool is, into what the sandbox does. Pure.
#pragma once

#include <string>

#include "policy/decision.h"
#include "runtime/agent/workspace_scan.h"
#include "sandbox/sandbox_spec.h"
#include "tools/manifest.h"

namespace nacre::agent {

struct SpecInputs {
  const policy::Grant& grant;
  const tools::Manifest& tool;
  const std::string& call_id;
  const std::string& workspace;  // host path
  const WorkspaceMatches& matches;
  std::string session_id = {};  // names those that may share what the policy lets a session share
};

// A tool that only reads gets the workspace read-only, whatever the policy would allow others.
sandbox::SandboxSpec BuildSpec(const SpecInputs& inputs);

// The grant's limits and environment around any command: for `nacre sandbox exec`.
sandbox::SandboxSpec BuildCommandSpec(const policy::Grant& grant, const std::string& call_id,
                                      const std::string& workspace, const WorkspaceMatches& matches,
                                      std::vector<std::string> argv);

}  // namespace nacre::agent
