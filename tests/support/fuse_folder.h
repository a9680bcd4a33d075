// FuseFolder: a file system of our own with one empty folder, `w`, which answers only whom the test says:
// to all others it is a server that hangs. Root's, since it is seen by other users.
//
// The server is a process of its own, which ends with us: whoever waits for a server that has ended gets
// an error, while nobody can end who waits for one that lives.
//
// Source: linux/fuse.h; Documentation/filesystems/fuse.rst.
#pragma once

#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/unique_fd.h"

namespace nacre {

class FuseFolder final {
 public:
  // `answers` is asked, in the server, with the id of the thread that waits. Mounted at `place`, in the
  // mount namespace of the caller.
  FuseFolder(const std::string& place, std::function<bool(pid_t)> answers)
      : answers_(std::move(answers)) {
    Pipe told = MakePipe().value();
    server_ = ::fork();
    if (server_ == 0) {
      told.read.reset();
      // An ordinary user then, so that we can end it when we are one too.
      if (Mount(place) && ::setresuid(64321, 64321, 64321) == 0 &&
          ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0) {
        told_ = std::move(told.write);
        Tell();
        Serve();
      }
      ::_exit(0);
    }
    told.write.reset();
    told_ = std::move(told.read);
    mounted_ = server_ > 0 && Hear();
  }
  ~FuseFolder() { End(); }
  FuseFolder(const FuseFolder&) = delete;
  FuseFolder& operator=(const FuseFolder&) = delete;

  bool mounted() const { return mounted_; }
  // Until somebody waits for an answer that does not come; false: the server has ended.
  bool AwaitWaiter() { return Hear(); }
  // Whoever waits gets an error.
  void End() {
    if (server_ > 0) {
      ::kill(server_, SIGKILL);
      ::waitpid(server_, nullptr, 0);
      server_ = -1;
    }
  }

 private:
  bool Mount(const std::string& place) {
    device_.reset(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    const std::string options =
        "fd=" + std::to_string(device_.get()) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    return device_.valid() &&
           ::mount("nacre-test", place.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
  }
  void Tell() { (void)!::write(told_.get(), "x", 1); }
  bool Hear() {
    char byte = 0;
    return ::read(told_.get(), &byte, 1) == 1;
  }

  static constexpr uint64_t kFolder = 2;

  void Serve() {
    std::vector<char> request(FUSE_MIN_READ_BUFFER * 4);
    for (;;) {
      const ssize_t size = ::read(device_.get(), request.data(), request.size());
      if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) {
        continue;
      }
      if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) {
        return;  // unmounted
      }
      fuse_in_header header = {};
      std::memcpy(&header, request.data(), sizeof header);
      Answer(header, request.data() + sizeof header);
    }
  }

  void Answer(const fuse_in_header& header, const char* body) {
    switch (header.opcode) {
      case FUSE_INIT: {
        fuse_init_out out = {};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = 31;
        out.max_write = 4096;
        return Reply(header, out);
      }
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        return;
      default:
        break;
    }
    if (!answers_(static_cast<pid_t>(header.pid))) {
      Tell();
      return;
    }
    switch (header.opcode) {
      case FUSE_LOOKUP: {
        fuse_entry_out out = {};
        out.nodeid = kFolder;
        out.attr = Attributes(kFolder);
        return std::strcmp(body, "w") == 0 ? Reply(header, out) : Fail(header, ENOENT);
      }
      case FUSE_GETATTR: {
        fuse_attr_out out = {};
        out.attr = Attributes(header.nodeid);
        return Reply(header, out);
      }
      default:
        return Fail(header, ENOSYS);
    }
  }

  static fuse_attr Attributes(uint64_t node) {
    fuse_attr attr = {};
    attr.ino = node;
    attr.mode = S_IFDIR | 0777;
    attr.nlink = 2;
    return attr;
  }

  void Fail(const fuse_in_header& header, int error) { Write(header, error, nullptr, 0); }
  template <typename Body>
  void Reply(const fuse_in_header& header, const Body& body) {
    Write(header, 0, &body, sizeof body);
  }
  void Write(const fuse_in_header& header, int error, const void* body, size_t size) {
    std::vector<char> message(sizeof(fuse_out_header) + size);
    fuse_out_header out = {};
    out.len = static_cast<uint32_t>(message.size());
    out.error = -error;
    out.unique = header.unique;
    std::memcpy(message.data(), &out, sizeof out);
    if (size > 0) {
      std::memcpy(message.data() + sizeof out, body, size);
    }
    (void)!::write(device_.get(), message.data(), message.size());
  }

  const std::function<bool(pid_t)> answers_;
  UniqueFd device_;  // the server's
  UniqueFd told_;    // a byte when it is mounted, and for each that waits
  pid_t server_ = -1;
  bool mounted_ = false;
};

}  // namespace nacre
