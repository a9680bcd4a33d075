#include "runtime/agent/workspace_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"
#include "policy/path_glob.h"

namespace nacre::agent {
namespace {

// To ask whether to stop costs as much as some names, and as opening a folder.
constexpr size_t kNamesBetweenLooks = 128;

using Stream = std::unique_ptr<DIR, int (*)(DIR*)>;

// A folder that is being read, and what of the globs can still match in it.
struct Level {
  Stream stream{nullptr, &::closedir};
  size_t path_size = 0;  // of the folder's path
  policy::GlobWalk::State hide;
  policy::GlobWalk::State protect;
};

Error Unreadable(const std::string& path) {
  return {ErrorCode::kUnavailable, SysError("read the workspace " + path, errno).message};
}

Stream OpenStream(int at, const char* name) {
  UniqueFd folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  Stream stream(folder ? ::fdopendir(folder.get()) : nullptr, &::closedir);
  if (stream != nullptr) {
    (void)folder.release();  // the stream's now
  }
  return stream;
}

// S_IFDIR, S_IFLNK, or another; 0 when it is gone.
mode_t TypeOf(int folder, const struct dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) {
    return DTTOIF(entry.d_type);
  }
  struct stat info = {};
  return ::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? info.st_mode & S_IFMT
                                                                          : 0;
}

class Scanner {
 public:
  Scanner(const std::string& workspace, const std::vector<std::string>& hide,
          const std::vector<std::string>& protect, const CancelToken& stop)
      : workspace_(workspace), hide_(hide), protect_(protect), stop_(stop) {}

  Result<WorkspaceMatches> Scan() {
    Level root;
    NACRE_TRY(MayGoOn());
    // The workspace itself may be named by a link.
    UniqueFd folder(::open(workspace_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder) {
      root.stream = OpenStream(folder.get(), ".");
    }
    if (root.stream == nullptr) {
      return Unreadable(workspace_);
    }
    root.hide = hide_.Start();
    root.protect = protect_.Start();
    levels_.push_back(std::move(root));
    while (!levels_.empty()) {
      NACRE_TRY(Next());
    }
    std::sort(matches_.hidden.begin(), matches_.hidden.end());
    std::sort(matches_.read_only.begin(), matches_.read_only.end());
    return std::move(matches_);
  }

 private:
  Status MayGoOn() const {
    if (stop_.cancelled()) {
      return Error{ErrorCode::kCancelled, "the workspace " + workspace_ +
                                              " was not looked through for what the policy hides "
                                              "and protects: there was no time, or it was "
                                              "cancelled"};
    }
    return Ok();
  }

  // The next name of the innermost folder.
  Status Next() {
    Level& level = levels_.back();
    path_.resize(level.path_size);
    errno = 0;
    const struct dirent* entry = ::readdir(level.stream.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return Unreadable(workspace_ + "/" + path_);
      }
      levels_.pop_back();
      return Ok();
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") {
      return Ok();
    }
    if (++seen_ > kWorkspaceEntriesMax) {
      return Error{ErrorCode::kResourceExhausted,
                   workspace_ + " holds more than " + std::to_string(kWorkspaceEntriesMax) +
                       " entries, too many to apply the policy's hide and protect globs; choose a "
                       "smaller --workspace"};
    }
    if (seen_ % kNamesBetweenLooks == 0) {
      NACRE_TRY(MayGoOn());
    }
    const int folder = ::dirfd(level.stream.get());
    const bool hidden = hide_.Matches(level.hide, name);
    const bool read_only = !hidden && protect_.Matches(level.protect, name);
    const mode_t type = TypeOf(folder, *entry);
    if (!hidden && !read_only && type != S_IFDIR) {
      return Ok();
    }
    path_ += path_.empty() ? "" : "/";
    path_ += name;
    // What a link points to has a name of its own, or is not in the sandbox at all.
    if ((hidden || read_only) && type != S_IFLNK) {
      (hidden ? matches_.hidden : matches_.read_only).push_back(path_);
    }
    if (hidden || type != S_IFDIR) {
      return Ok();
    }
    hide_.Enter(level.hide, name, below_hide_);
    protect_.Enter(level.protect, name, below_protect_);
    if (read_only) {
      below_protect_.clear();  // all below is protected with it; it may hold what is hidden
    }
    return below_hide_.empty() && below_protect_.empty() ? Ok() : Enter(folder, entry->d_name);
  }

  Status Enter(int folder, const char* name) {
    NACRE_TRY(MayGoOn());
    // A folder that we cannot look into may hold what is to be hidden, and the call, which owns it,
    // could open it again.
    Level level;
    if (::faccessat(folder, name, R_OK | X_OK, 0) == 0) {
      level.stream = OpenStream(folder, name);
    }
    if (level.stream == nullptr) {
      if (errno == EACCES) {
        matches_.hidden.push_back(path_);
        return Ok();
      }
      const bool gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
      return gone ? Status(Ok()) : Status(Unreadable(workspace_ + "/" + path_));
    }
    level.path_size = path_.size();
    level.hide = below_hide_;
    level.protect = below_protect_;
    levels_.push_back(std::move(level));
    return Ok();
  }

  const std::string& workspace_;
  const policy::GlobWalk hide_;
  const policy::GlobWalk protect_;
  const CancelToken& stop_;
  WorkspaceMatches matches_;
  std::vector<Level> levels_;
  std::string path_;  // of the entry that is looked at
  policy::GlobWalk::State below_hide_;
  policy::GlobWalk::State below_protect_;
  size_t seen_ = 0;
};

}  // namespace

Result<WorkspaceMatches> ScanWorkspace(const std::string& workspace,
                                       const std::vector<std::string>& hide,
                                       const std::vector<std::string>& protect,
                                       const CancelToken& stop) {
  if (hide.empty() && protect.empty()) {
    return WorkspaceMatches();
  }
  return Scanner(workspace, hide, protect, stop).Scan();
}

}  // namespace nacre::agent
