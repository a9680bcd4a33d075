// A log in a temporary directory that commands which change logs can be tried on.
#pragma once

#include <cstdlib>
#include <string>

#include "runtime/audit/legal_hold.h"
#include "tests/unit/audit/recording_storage.h"

namespace nacre::audit {

class ChangeableLog : public LogDirectory {
 public:
  std::string index = temp.path() + "/index";

  LogChange Change(Storage& storage = DiskStorage()) {
    return {.directory = path,
            .index_directory = index,
            .clock = clock,
            .random = random,
            .storage = storage};
  }
  // By the program that shares nothing with ours.
  bool VerifiedByPython() const {
    return std::system(("python3 -B '" NACRE_SOURCE_DIR "/tests/unit/audit/verify.py' '" + path +
                        "' > /dev/null 2>&1")
                           .c_str()) == 0;
  }
};

}  // namespace nacre::audit
