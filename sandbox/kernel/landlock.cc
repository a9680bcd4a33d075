#include "sandbox/kernel/landlock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox::kernel {
namespace {

constexpr uint64_t kExecute = 1ULL << 0;
constexpr uint64_t kWriteFile = 1ULL << 1;
constexpr uint64_t kReadFile = 1ULL << 2;
constexpr uint64_t kReadDir = 1ULL << 3;
constexpr uint64_t kRemoveDir = 1ULL << 4;
constexpr uint64_t kRemoveFile = 1ULL << 5;
constexpr uint64_t kMakeDir = 1ULL << 7;
constexpr uint64_t kMakeRegular = 1ULL << 8;
constexpr uint64_t kMakeSocket = 1ULL << 9;
constexpr uint64_t kMakeFifo = 1ULL << 10;
constexpr uint64_t kMakeSymlink = 1ULL << 12;
constexpr uint64_t kRefer = 1ULL << 13;     // ABI 2
constexpr uint64_t kTruncate = 1ULL << 14;  // ABI 3
constexpr uint64_t kIoctlDev = 1ULL << 15;  // ABI 5
constexpr uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;

constexpr uint64_t kBindTcp = 1ULL << 0;            // ABI 4
constexpr uint64_t kConnectTcp = 1ULL << 1;         // ABI 4
constexpr uint64_t kScopeAbstractUnix = 1ULL << 0;  // ABI 6
constexpr uint64_t kScopeSignal = 1ULL << 1;        // ABI 6

constexpr uint32_t kQueryVersion = 1;

// Every file system right of an ABI. Rights newer than this file are not handled: an unknown right
// could not be granted where it is due.
uint64_t AllFileRights(int abi) {
  uint64_t rights = (1ULL << 13) - 1;
  if (abi >= 2) {
    rights |= kRefer;
  }
  if (abi >= 3) {
    rights |= kTruncate;
  }
  if (abi >= 5) {
    rights |= kIoctlDev;
  }
  return rights;
}

}  // namespace

int LandlockAbi() {
  const int abi = LandlockCreateRuleset(nullptr, 0, kQueryVersion);
  return abi < 0 ? 0 : abi;
}

int UsedLandlockAbi(int of_kernel) {
  return std::min(of_kernel, kLandlockNewestAbi);
}

uint64_t LandlockRights(LandlockGrant grant, int abi, bool is_directory) {
  uint64_t rights = 0;
  switch (grant) {
    case LandlockGrant::kList:
      rights = kReadDir;
      break;
    case LandlockGrant::kRead:
      rights = kReadDir | kReadFile;
      break;
    case LandlockGrant::kReadExecute:
      rights = kReadDir | kReadFile | kExecute;
      break;
    case LandlockGrant::kReadWrite:
    case LandlockGrant::kReadWriteExecute:
      rights = kReadDir | kReadFile | kWriteFile | kRemoveDir | kRemoveFile | kMakeDir |
               kMakeRegular | kMakeSocket | kMakeFifo | kMakeSymlink | kRefer | kTruncate |
               (grant == LandlockGrant::kReadWriteExecute ? kExecute : 0);
      break;
    case LandlockGrant::kUseDevice:
      rights = kReadFile | kWriteFile;
      break;
    case LandlockGrant::kControlDevice:
      rights = kReadFile | kWriteFile | kIoctlDev;
      break;
  }
  if (!is_directory) {
    rights &= kFileRights;
  }
  return rights & AllFileRights(abi);
}

int MakeLandlockRuleset(int abi, LandlockScope scope) {
  LandlockRulesetAttr attr;
  attr.handled_access_fs = AllFileRights(abi);
  size_t size = sizeof attr.handled_access_fs;
  if (abi >= 4) {
    attr.handled_access_net = kBindTcp | kConnectTcp;
    size = offsetof(LandlockRulesetAttr, scoped);
  }
  if (abi >= 6) {
    attr.scoped = kScopeAbstractUnix | (scope == LandlockScope::kAll ? kScopeSignal : 0);
    size = sizeof attr;
  }
  const int ruleset = LandlockCreateRuleset(&attr, size, 0);
  return ruleset < 0 ? -errno : ruleset;
}

int AddLandlockRules(int ruleset, int abi, const LandlockRule* rules, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const int path = ::open(rules[i].path.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW);
    struct stat info = {};
    if (path < 0 || ::fstat(path, &info) != 0) {
      return -errno;
    }
    LandlockPathBeneath rule;
    rule.allowed_access = LandlockRights(rules[i].grant, abi, S_ISDIR(info.st_mode));
    rule.parent_fd = path;
    if (LandlockAddPath(ruleset, rule) != 0) {
      return -errno;
    }
    ::close(path);
  }
  return 0;
}

int RestrictByLandlock(int ruleset, int abi) {
  // What a program is denied after its execve(2) is not logged anyway, unless one asks for it.
  const uint32_t flags = abi >= 7 ? kLandlockLogSameExecOff | kLandlockLogSubdomainsOff : 0;
  return LandlockRestrictSelf(ruleset, flags) != 0 ? -errno : 0;
}

}  // namespace nacre::sandbox::kernel
