// What commands that reason about a policy need of the tools there are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
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

// A context, as `--label untrusted,secret,pii` and `--origin recipient=stranger` say it.
// kInvalidArgument names what is wrong.
Result<policy::Label> ParseLabel(const std::string& text);
Result<policy::ArgumentOrigin> ParseRoleOrigin(const std::string& text);
// The same way round: the flags for `nacre policy explain`; empty without data rules.
std::string ExplainFlags(const policy::FlowFacts& facts);

}  // namespace nacre::cli
