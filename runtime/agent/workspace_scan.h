// Which files of the workspace the policy's hide and protect globs name right now. A mount needs
// names, a policy speaks in patterns: this is where one becomes the other, before each call.
#pragma once

#include <string>
#include <vector>

#include "base/cancel_token.h"
#include "base/result.h"

namespace nacre::agent {

struct WorkspaceMatches {
  // Relative to the workspace, sorted. What lies below a hidden directory is not listed, and of what
  // lies below a protected one only what is hidden.
  std::vector<std::string> hidden;
  std::vector<std::string> read_only;
};

// Entries looked at. A larger workspace is an error, since what was not looked at is not protected.
constexpr size_t kWorkspaceEntriesMax = 1'000'000;

// Does not follow symlinks. Enters only folders in which a glob can match. Nothing is remembered from
// call to call: times tell too little of what a call, which may set them, has done since.
// kCancelled when `stop` fires before all is looked at.
Result<WorkspaceMatches> ScanWorkspace(const std::string& workspace,
                                       const std::vector<std::string>& hide,
                                       const std::vector<std::string>& protect,
                                       const CancelToken& stop);

}  // namespace nacre::agent
