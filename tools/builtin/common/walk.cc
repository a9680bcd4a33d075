#include "tools/builtin/common/walk.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/unique_fd.h"
#include "nacre/sdk/tool.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

struct Child {
  std::string name;
  struct stat info {};

  // With its slash a directory sorts exactly where the paths below it do.
  std::string SortKey() const { return S_ISDIR(info.st_mode) ? name + "/" : name; }
};

class Walker final {
 public:
  Walker(UniqueFd root, const std::string& root_path, WalkDepth depth,
         const std::function<void(const WalkEntry&)>& visit)
      : root_(std::move(root)), root_path_(root_path), depth_(depth), visit_(visit) {}

  // `path` is empty for the root. Directories are opened by their path from the root and closed
  // before going deeper: depth costs no descriptors.
  void Enter(const std::string& path, int level) {
    std::vector<Child> children;
    if (level > kWalkDepthMax || !Read(path, &children)) {
      ++unreadable_;
      return;
    }
    for (const Child& child : children) {
      const std::string child_path = path.empty() ? child.name : path + "/" + child.name;
      visit_({.path = child_path, .info = child.info});
      if (depth_ == WalkDepth::kWholeTree && S_ISDIR(child.info.st_mode) && child.name != ".git") {
        Enter(child_path, level + 1);
      }
    }
  }

  uint64_t unreadable() const { return unreadable_; }

 private:
  bool Read(const std::string& path, std::vector<Child>* children) {
    UniqueFd fd(::openat(root_.get(), path.empty() ? "." : path.c_str(),
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const std::unique_ptr<DIR, CloseDirectory> directory(fd ? ::fdopendir(fd.get()) : nullptr);
    if (!directory) {
      return false;
    }
    const int number = fd.release();  // now owned by `directory`
    while (const dirent* entry = ::readdir(directory.get())) {
      Child child{.name = entry->d_name};
      if (child.name == "." || child.name == ".." ||
          ::fstatat(number, entry->d_name, &child.info, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;  // itself, its parent, or gone meanwhile
      }
      if (++entries_ > kWalkEntriesMax) {
        throw sdk::ToolError("more than " + std::to_string(kWalkEntriesMax) + " entries below " +
                             ShownPath(root_path_));
      }
      children->push_back(std::move(child));
    }
    std::sort(children->begin(), children->end(), [](const Child& left, const Child& right) {
      return left.SortKey() < right.SortKey();
    });
    return true;
  }

  UniqueFd root_;
  const std::string& root_path_;
  WalkDepth depth_;
  const std::function<void(const WalkEntry&)>& visit_;
  uint64_t entries_ = 0;
  uint64_t unreadable_ = 0;
};

}  // namespace

uint64_t Walk(const std::string& root, WalkDepth depth,
              const std::function<void(const WalkEntry&)>& visit) {
  UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    ThrowErrno(errno, root, "directory");
  }
  Walker walker(std::move(fd), root, depth, visit);
  walker.Enter("", 0);
  return walker.unreadable();
}

std::string UnreadableNote(uint64_t directories) {
  return directories == 0
             ? ""
             : "(" + Count(directories, "directory", "directories") + " could not be read)";
}

}  // namespace nacre::tools::builtin
