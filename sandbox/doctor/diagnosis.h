// What is there, what is missing, why that matters, and the command that mends it. Pure.
#pragma once

#include <string>
#include <vector>

#include "sandbox/doctor/host_facts.h"
#include "sandbox/host_support.h"

namespace nacre::sandbox {

struct Finding {
  std::string part;  // "user namespace"
  LayerState state = LayerState::kMissing;
  std::string found;   // "works", "mount: Operation not permitted"
  std::string why;     // what it is for; what is lost without it
  std::string advice;  // what to do: a command where there is one. Empty when all is well

  friend bool operator==(const Finding&, const Finding&) = default;
};

// kMissing: no call starts without it. kWeaker: calls run, with what `why` says lost.
std::vector<Finding> Diagnose(const HostFacts& facts);

}  // namespace nacre::sandbox
