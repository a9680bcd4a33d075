// Reads a policy of NVIDIA OpenShell or NemoClaw (`version: 1` YAML) and writes the nacre policy that
// grants the same or less. What it cannot say without granting more is left out, and every place where
// that format means something else than it seems to say is named.
//
// What a container's policy allows becomes what a call may: the work folder is the workspace, and its
// endpoints are rules for a tool of yours that makes requests, if you name one. A connection that
// cannot be told from its tool's arguments (tcp, mcp, graphql, ...) is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/decision.h"

namespace nacre::policy {

struct OpenShellFinding {
  // "T1" to "T12", the traps that docs/policy-reference.md lists, "left-out": nacre grants none
  // of it, or "covered": another part says it already.
  std::string code;
  std::string key;  // "network_policies.github.endpoints[0].rules[1]"
  SourceLocation source;
  std::string what;  // what stands there, what comes of it in OpenShell, what was written instead
};

struct OpenShellImport {
  std::string yaml;  // loads
  std::vector<OpenShellFinding> findings;
  size_t endpoints = 0;           // in the file
  size_t endpoints_imported = 0;  // with a rule of their own
};

struct OpenShellOptions {
  // A tool with the arguments host, port, method and path, for which endpoints become rules. Empty:
  // there is none, and every endpoint is left out.
  std::string http_tool;
};

// As strict as the loader: an unknown key, a wrong type, or a value that OpenShell would refuse is
// kInvalidArgument with the first 20 mistakes at file:line:column. `file` stands in them, and gives
// the policy its name.
Result<OpenShellImport> ImportOpenShell(const std::string& file, std::string_view text,
                                        const OpenShellOptions& options = {});

}  // namespace nacre::policy
