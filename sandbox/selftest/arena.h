// Arena: what a probe is let loose in, and a look at it afterwards. A workspace that it may write
// to, with one hidden and one protected file; a folder that it may only read; and a folder of the
// host that it is not given at all.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/temp_dir.h"
#include "base/unique_fd.h"

namespace nacre::sandbox {

// On the host, below a temporary folder that goes with it.
class Arena final {
 public:
  static Result<Arena> Create();

  std::string workspace() const { return root_.path() + "/workspace"; }
  std::string read_only() const { return root_.path() + "/readonly"; }
  std::string host() const { return host_.path(); }
  std::string host_file() const { return host() + "/file"; }

  // What is not as it was, or should not be there: on the host, after the call has ended.
  std::optional<std::string> Damage() const;

 private:
  Arena(TempDir root, TempDir host) : root_(std::move(root)), host_(std::move(host)) {}

  TempDir root_;
  TempDir host_;     // not in /tmp, where a call may do what it likes
  UniqueFd stream_;  // a socket of the host in the workspace, by path
  UniqueFd datagram_;
};

// What a host has that no call may reach: sockets that listen, a secret in the environment. One for
// all probes of a suite.
class HostBait final {
 public:
  // Sets NACRE_PROBE_SECRET in this process's environment: not while other threads read it.
  static Result<HostBait> Create();

  // For the probes' environment: where the bait lies.
  const std::vector<std::pair<std::string, std::string>>& variables() const { return variables_; }

 private:
  std::vector<UniqueFd> sockets_;
  std::vector<std::pair<std::string, std::string>> variables_;
};

}  // namespace nacre::sandbox
