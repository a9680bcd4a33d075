// DiffText: a diff as lines, for tests: "+PATH", "-PATH", "=PATH" (touched), "~PATH", "!PATH: REASON".
#pragma once

#include <string>

#include "sandbox/workspace/change.h"

namespace nacre::sandbox {

inline std::string DiffText(const Diff& diff) {
  std::string text;
  for (const Change& change : diff.changes) {
    text += (change.created()   ? "+"
             : change.deleted() ? "-"
             : change.touched() ? "="
                                : "~") +
            change.path + "\n";
  }
  for (const Refusal& refusal : diff.refusals) {
    text += "!" + refusal.path + ": " + refusal.reason + "\n";
  }
  return text;
}

}  // namespace nacre::sandbox
