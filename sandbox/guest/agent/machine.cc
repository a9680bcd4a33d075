#include "sandbox/guest/agent/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "sandbox/call_devices.h"
#include "sandbox/guest/agent/agent.h"

namespace nacre::sandbox::guest {
namespace {

constexpr char kStream[] = "/dev/vport0p1";
constexpr char kTree[] = "/tree";
constexpr char kTreeOptions[] =
    "trans=virtio,version=9p2000.L,msize=262144,cache=none,access=client";
constexpr int kLookEveryMs = 10;
constexpr int kLooksMax = 3000;        // for the stream: an emulated machine is slow
constexpr unsigned kLastSeconds = 10;  // for the host to end us

[[noreturn]] void EndMachine() {
  ::reboot(RB_AUTOBOOT);  // which the host has made the machine's end
  for (;;) {
    ::pause();
  }
}

void Must(int result) {
  if (result < 0) {
    EndMachine();  // there is no stream yet to say it on
  }
}

void LoadModules() {
  const std::string folder = std::string("/") + kModulesFolder + "/";
  std::vector<std::string> names;
  DIR* listing = ::opendir(folder.c_str());
  while (const struct dirent* entry = listing == nullptr ? nullptr : ::readdir(listing)) {
    if (entry->d_name[0] != '.') {
      names.emplace_back(entry->d_name);
    }
  }
  if (listing != nullptr) {
    ::closedir(listing);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const UniqueFd module(::open((folder + name).c_str(), O_RDONLY | O_CLOEXEC));
    Must(static_cast<int>(::syscall(SYS_finit_module, module.get(), "", 0)));
  }
}

// The device is there some time after its driver, and the host's end some time after the device.
UniqueFd OpenStream() {
  for (int looks = 0; looks < kLooksMax; ++looks) {
    UniqueFd stream(::open(kStream, O_RDWR | O_CLOEXEC));
    struct pollfd polled = {.fd = stream.get(), .events = POLLIN, .revents = 0};
    while (stream && looks++ < kLooksMax) {
      ::poll(&polled, 1, kLookEveryMs);
      if ((polled.revents & POLLHUP) == 0) {
        return stream;
      }
      ::usleep(kLookEveryMs * 1000);
    }
    ::usleep(kLookEveryMs * 1000);
  }
  EndMachine();
}

int Mount(const char* source, const char* target, const char* type, unsigned long flags,
          const std::string& options) {
  return ::mount(source, target, type, flags, options.c_str());
}

std::string Size(uint64_t bytes) {
  return ",size=" + std::to_string(bytes);
}

bool MakeDevices() {
  return std::all_of(kCallDevices.begin(), kCallDevices.end(),
                     [](const CallDevice& device) {
                       return ::mknod(device.path, S_IFCHR | 0666,
                                      makedev(kCallDeviceMajor, device.minor)) == 0;
                     }) &&
         std::all_of(
             kCallDeviceLinks.begin(), kCallDeviceLinks.end(),
             [](const CallDeviceLink& link) { return ::symlink(link.target, link.path) == 0; }) &&
         ::mkdir("/dev/shm", 01777) == 0;
}

Failed Failure(const std::string& step) {
  return {.step = step, .error = errno};
}

// A mount of its own over each of the spec's, so that it can have flags of its own.
bool Apply(const MountRule& rule) {
  const unsigned long flags =
      MS_NOSUID | MS_NODEV | (rule.writable ? 0 : MS_RDONLY) | (rule.executable ? 0 : MS_NOEXEC);
  const char* target = rule.target.c_str();
  return Mount(target, target, nullptr, MS_BIND, "") == 0 &&
         Mount(nullptr, target, nullptr, MS_REMOUNT | MS_BIND | flags, "") == 0;
}

std::optional<Failed> PrepareTree(const Task& task) {
  constexpr unsigned long kData = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mkdir(kTree, 0700) != 0 ||
      Mount(kTreeTag, kTree, "9p", MS_NOSUID | MS_NODEV, kTreeOptions) != 0) {
    return Failure("mount the call's tree");
  }
  if (::chdir(kTree) != 0 || Mount(".", "/", nullptr, MS_MOVE, "") != 0 || ::chroot(".") != 0 ||
      ::chdir("/") != 0) {
    return Failure("enter the call's tree");
  }
  if (Mount("dev", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=65536") != 0 ||
      !MakeDevices()) {
    return Failure("devices");
  }
  const std::string inodes = ",nr_inodes=" + std::to_string(task.limits.inodes);
  const std::string shared = Size(std::min(kShmBytes, task.limits.disk_bytes));
  if (Mount("proc", "/proc", "proc", kData, "subset=pid,hidepid=invisible") != 0 ||
      Mount("shm", "/dev/shm", "tmpfs", kData, "mode=1777" + shared + inodes) != 0 ||
      Mount("tmp", "/tmp", "tmpfs", kData, "mode=1777" + Size(task.limits.disk_bytes) + inodes) !=
          0) {
    return Failure("file systems");
  }
  for (const MountRule& rule : task.mounts) {
    if (!Apply(rule)) {
      return Failure("mount " + rule.target);
    }
  }
  if (Mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, "") !=
          0 ||
      Mount(nullptr, "/dev", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, "") != 0) {
    return Failure("read-only root");
  }
  ::umask(022);
  return std::nullopt;
}

}  // namespace

void RunMachine() {
  ::umask(0);
  ::mkdir("/dev", 0700);
  Must(Mount("dev", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, ""));
  LoadModules();
  const UniqueFd stream = OpenStream();
  RunAgent(stream.get(), stream.get(), PrepareTree);
  ::sleep(kLastSeconds);
  EndMachine();
}

}  // namespace nacre::sandbox::guest
