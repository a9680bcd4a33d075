// Runs tool programs: by hand (--call), and as the runtime does, over the channel.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace nacre::testing {

struct Ran {
  int status = -1;  // the exit status; 128 + N for signal N
  std::string out;
  std::string err;
};

// PROGRAM --call ARGUMENTS in `directory`.
Ran RunByHand(const std::string& program, const Json& arguments, const std::string& directory);
Ran Run(const std::vector<std::string>& argv, const std::string& directory);

// Starts the program with the channel and sends `first`; what it sends goes to `on_bytes`, whose
// answer is sent back. Until it closes its channel.
Ran RunWithChannel(const std::string& program, const std::string& directory,
                   const std::string& first,
                   const std::function<std::string(std::string_view)>& on_bytes);

// The built program of a built-in tool.
std::string BuiltinProgram(std::string name);

}  // namespace nacre::testing
