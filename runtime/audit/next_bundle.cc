#include "runtime/audit/next_bundle.h"

#include <sys/stat.h>

#include <filesystem>
#include <utility>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {

void NextBundle::Expect(uint64_t number) {
  const std::lock_guard lock(mutex_);
  expected_ = number;
  due_ = true;
}

void NextBundle::Prepare() {
  if (!due_.load(std::memory_order_relaxed) || !due_.exchange(false)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!expected_.has_value()) {
    return;
  }
  const uint64_t number = *std::exchange(expected_, std::nullopt);
  // The first of a folder may have a folder whose own name is not on the disk yet. And this thread may come late, without
  // the log's lock: what another process has filled or compressed meanwhile is left alone.
  const bool compressed = HasBundle(directory_, number) && !HasPlainBundle(directory_, number);
  if (number % 1000 == 0 || compressed || HasBundle(directory_, number + 1)) {
    return;
  }
  const std::string path = directory_ + "/" + BundlePath(number);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) {
    return;
  }
  const auto file = storage_.Open(path, true);
  if (file.ok() && ::fstat(file.value().get(), &info) == 0 && storage_.SyncDirectory(folder).ok()) {
    prepared_ = number;
    device_ = info.st_dev;
    inode_ = info.st_ino;
  }
}

bool NextBundle::IsPrepared(uint64_t number, int bundle) {
  const std::lock_guard lock(mutex_);
  expected_.reset();
  due_ = false;
  struct stat info {};
  return inode_ != 0 && prepared_ == number && ::fstat(bundle, &info) == 0 &&
         info.st_dev == device_ && info.st_ino == inode_;
}

}  // namespace nacre::audit
