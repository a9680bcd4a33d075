// Layer: the walls of a call's sandbox by name, as probes expect them and reports name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/plan.h"

namespace nacre::sandbox {

enum class Layer {
  kNone = 0,
  kSeccomp,
  kMount,  // a root of its own, read-only, noexec; hidden and protected paths
  kLandlock,
  kUserNamespace,
  kPidNamespace,
  kNetworkNamespace,
  kIpcNamespace,
  kUtsNamespace,
  kCgroupNamespace,
  kTimeNamespace,
  kCgroup,
  kRlimit,
  kCapabilities,
  kNoNewPrivileges,
  kDescriptors,
  kEnvironment,
  kSession,
  kDumpable,
  kMonitor,  // deadlines, output cap and watchdog of the process that waits for the call
  kKernel,   // none of ours: this kernel does not do it
  kTier,     // the kernel of its own that the call has in another tier than namespace
};

// All but kNone, in the order of the enum.
const std::vector<Layer>& AllLayers();
// "seccomp", "pid-namespace", ...: the names that probes use. Stable.
const char* LayerName(Layer layer);
std::optional<Layer> ParseLayer(std::string_view name);

// The layer that does in another tier what `layer` does in namespaces: what the host's kernel keeps for
// a call there, the call's own kernel keeps here. Others (the filter, the monitor) are the same.
Layer InTier(Layer layer);

// Why the layer cannot be switched off alone, or an empty text: then Without() can.
std::string WhyNotAlone(Layer layer);

// The plan with one layer left out, for tests that ask what stands behind it. Not reachable from a
// spec or a policy: only who holds a plan can call it, and nothing shipped runs such a plan. Pure;
// the layer must be one that can be switched off.
LaunchPlan Without(LaunchPlan plan, Layer layer);

}  // namespace nacre::sandbox
