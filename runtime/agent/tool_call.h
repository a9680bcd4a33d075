// ToolCall: a call that the model wrote, after it has been parsed into a bounded, typed value.
#pragma once

#include <string>
#include <variant>

#include "base/json.h"
#include "policy/request.h"
#include "runtime/inference/engine.h"
#include "tools/registry.h"

namespace nacre::agent {

class Quarantine;

// Where the workspace is mounted in every sandbox.
inline constexpr const char* kWorkspaceTarget = "/workspace";

struct ToolCall {
  const tools::Manifest* tool = nullptr;  // never null; owned by the registry
  policy::Request request;                // tool name, arguments with normalised paths, path list
};

// Why a call was not understood: one clause for the model.
struct BadToolCall {
  std::string reason;
};

// How host paths that people use map to what the sandbox shows.
struct PathContext {
  std::string workspace;  // host path: absolute, normalised
  std::string home;       // what a leading "~" means
};

// "./a/../b" -> "/workspace/b"; "/home/u/project/x" -> "/workspace/x" when /home/u/project is the
// workspace; "../x" -> "/x", which no rule lets be read. Purely lexical: symlinks are the sandbox's.
std::string NormalizePath(const std::string& path, const PathContext& context);

// Checks name, size, JSON, schema and paths. With a quarantine, handles of withheld texts stand for these:
// what is checked, and judged afterwards, are the texts. Null: they are texts like any other, and the tools
// of a quarantine are not named to the model.
std::variant<ToolCall, BadToolCall> ParseToolCall(const inference::EmittedCall& emitted,
                                                  const tools::Registry& registry,
                                                  const PathContext& context,
                                                  const Quarantine* quarantine = nullptr);

}  // namespace nacre::agent
