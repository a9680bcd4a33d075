// What commands that reason about a policy need of the tools there are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/analysis/tool_model.h"
#include "policy/flow.h"
#include "policy/policy_loader.h"
#include "policy/request.h"
#include "policy/witness.h"
#include "tools/registry.h"

namespace nacre::cli {

std::vector<policy::ToolModel> ModelsOf(const tools::Registry& registry);
policy::LoadOptions LoadOptionsOf(const tools::Registry& registry);

// The call as the agent would read it from a model; nullopt when its tool does not take it.
std::optional<policy::Request> ReadCall(const policy::CandidateCall& call,
                                        const tools::Registry& registry,
                                        const std::string& workspace);

// A context as the flags for `nacre policy explain` that policy::ReadGivenContext() reads; empty without data
// rules.
std::string ExplainFlags(const policy::FlowFacts& facts);

}  // namespace nacre::cli
