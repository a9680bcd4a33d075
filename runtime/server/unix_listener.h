// UnixListener: a listening Unix socket that only its own user and root can use, or a group as well.
//
// Two fences, each sufficient alone: the socket is born with mode 0600, so the kernel refuses
// others at connect(2); and each connection's peer credentials, which the kernel fills in, are
// compared with our own user id. The credentials hold even where the file's mode was changed. A group
// is let in by the file's mode alone (0660): what its members may do is for others to judge, by the
// user id that each connection comes with.
//
//   UnixListener listener = NACRE_TRY(UnixListener::Listen("/run/user/1000/nacre/nacre.sock"));
//   Connection connection = NACRE_TRY(listener.Accept());   // invalid: nobody, or a refused peer
//
// Source: unix(7), socket(7) SO_PEERCRED.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::server {

struct Connection {
  UniqueFd socket;           // non-blocking and O_CLOEXEC
  uid_t user = 0;            // who connected, by the kernel's word
  pid_t process = 0;         // and with which process; it may have gone since
  std::string refused = {};  // why they were turned away; then there is no socket

  bool valid() const { return socket.valid(); }
};

// Thread-compatible.
class UnixListener final {
 public:
  // The path must be absolute. Its directory is made, 0700, when it is not there; one that is there
  // must belong to us or root and be writable by nobody else, unless it is sticky as /tmp is. A
  // socket that a killed server left behind is replaced. kInvalidArgument: the path is relative or
  // longer than sun_path (107 bytes). kAlreadyExists: a server answers there, or what is there is
  // no socket of ours. kPermissionDenied: others could replace the socket; or we are neither root nor in
  // `group`, or it cannot enter the folder.
  static Result<UnixListener> Listen(const std::string& path,
                                     std::optional<gid_t> group = std::nullopt);

  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&&) = delete;
  // Removes the socket, if it is still the one that was made here.
  ~UnixListener();

  // Becomes readable when a client waits.
  int poll_fd() const { return socket_.get(); }
  // The next connection. Invalid when nobody waits, the client has gone again, or, without a group, its
  // user is neither ours nor root: it is then closed before a byte of it was read, and `refused` says so.
  // kResourceExhausted when the process has used half of its descriptors (a quarter, with a group): the
  // rest are for turns.
  Result<Connection> Accept();

 private:
  UnixListener(UniqueFd socket, std::string path, bool for_group, dev_t device, ino_t inode);

  UniqueFd socket_;
  std::string path_;  // empty once moved from
  bool for_group_;
  dev_t device_;
  ino_t inode_;
};

}  // namespace nacre::server
