// The escape suite's catalogue: what each probe says of itself (tests/security/probes/probe.h), as
// the build wrote it to probes.json beside the program nacre-probes.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sandbox/selftest/layer.h"

namespace nacre::sandbox {

struct Probe {
  enum class Calls { kOne = 0, kTogether, kInTurn };

  std::string name;           // "files/absolute_path"
  std::string kind;           // "files": the class of attack
  std::string attack;         // what it tries
  std::string escaped;        // what would show that it worked
  std::vector<Layer> layers;  // what is meant to stop it; more than one where hosts differ
  // By profile, or by isolation, where it is another than `default` or `namespace` that counts.
  struct Elsewhere {
    std::vector<Layer> layers;  // what is meant to stop it there
    std::string allowed;        // not empty: it is meant to succeed there, and why
    std::string not_tried;      // not empty: it cannot be tried there, and why
  };
  std::map<std::string, Elsewhere> elsewhere;
  std::string control;  // how it is known that it can succeed
  std::string source;   // a CVE, a technique
  Calls calls = Calls::kOne;
  std::chrono::milliseconds wall{0};  // its deadline; 0: the usual one
};

// Pure. kInvalidArgument with the reason for anything that is not a catalogue.
Result<std::vector<Probe>> ParseProbes(std::string_view json);
// From `directory`/probes.json.
Result<std::vector<Probe>> LoadProbes(const std::string& directory);

}  // namespace nacre::sandbox
