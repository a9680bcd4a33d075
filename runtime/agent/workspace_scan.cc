#include "runtime/agent/workspace_scan.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "policy/path_glob.h"

namespace nacre::agent {
namespace {

// "a/**" names everything below a: masking the directory itself does that for all time, also for
// files that do not exist yet.
bool Matches(const std::vector<std::string>& globs, const std::string& path, bool is_directory) {
  constexpr std::string_view kBelow = "/**";
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return policy::GlobMatches(glob, path) ||
           (is_directory && glob.ends_with(kBelow) &&
            policy::GlobMatches(glob.substr(0, glob.size() - kBelow.size()), path));
  });
}

}  // namespace

Result<WorkspaceMatches> ScanWorkspace(const std::string& workspace,
                                       const std::vector<std::string>& hide,
                                       const std::vector<std::string>& protect) {
  namespace fs = std::filesystem;
  WorkspaceMatches matches;
  if (hide.empty() && protect.empty()) {
    return matches;
  }
  std::error_code error;
  fs::recursive_directory_iterator entry(workspace, fs::directory_options::skip_permission_denied,
                                         error);
  size_t seen = 0;
  for (; !error && entry != fs::end(entry); entry.increment(error)) {
    if (++seen > kWorkspaceEntriesMax) {
      return Error{ErrorCode::kResourceExhausted,
                   workspace + " holds more than " + std::to_string(kWorkspaceEntriesMax) +
                       " entries, too many to apply the policy's hide and protect globs; choose a "
                       "smaller --workspace"};
    }
    std::error_code ignored;
    const fs::file_type type = entry->symlink_status(ignored).type();
    if (type == fs::file_type::symlink) {
      continue;  // what it points to has a name of its own, or is not in the sandbox at all
    }
    const bool is_directory = type == fs::file_type::directory;
    const std::string path = entry->path().lexically_relative(workspace).string();
    // A folder that we cannot look into may hold what is to be hidden, and the call, which owns it,
    // could open it again.
    const bool opaque = is_directory && ::access(entry->path().c_str(), R_OK | X_OK) != 0;
    if (opaque || Matches(hide, path, is_directory)) {
      matches.hidden.push_back(path);
    } else if (Matches(protect, path, is_directory)) {
      matches.read_only.push_back(path);
    } else {
      continue;
    }
    if (is_directory) {
      entry.disable_recursion_pending();
    }
  }
  if (error) {
    return Error{ErrorCode::kUnavailable,
                 "read the workspace " + workspace + ": " + error.message()};
  }
  std::sort(matches.hidden.begin(), matches.hidden.end());
  std::sort(matches.read_only.begin(), matches.read_only.end());
  return matches;
}

}  // namespace nacre::agent
