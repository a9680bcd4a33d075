// From a tool's manifest to what the policy knows of it: the one place that translates.
#pragma once

#include "policy/tool_traits.h"
#include "tools/manifest.h"

namespace nacre::agent {

// A manifest without a flow section has the effect that it names, and says nothing of its results.
policy::ToolTraits TraitsOf(const tools::Manifest& manifest);

}  // namespace nacre::agent
