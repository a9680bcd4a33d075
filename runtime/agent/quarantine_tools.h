// The two tools of a quarantine. The runtime does them itself: they have no program and no sandbox, and reach
// nothing but what was withheld in this session. Policies speak of them as of every other tool.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/agent/tool_call.h"
#include "tools/manifest.h"

namespace nacre::agent {

// data.extract, data.reveal and data.endorse.
std::vector<tools::Manifest> QuarantineTools();

// Why a call of one of these is none: a clause for the model. Nullopt for calls of other tools.
std::optional<std::string> QuarantineCallProblem(const ToolCall& call);

}  // namespace nacre::agent
