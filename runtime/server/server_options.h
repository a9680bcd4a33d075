// What a gateway is started with.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "policy/policy.h"

namespace nacre::server {

struct SessionServiceOptions {
  // Clients may use this directory and those below it. Absolute, symlinks resolved, existing.
  std::string workspace_root;
  // The one policy of this server, by the name that sessions record ...
  std::string policy_name;
  // ... and as it applies to a workspace. Called for each turn, on any thread.
  std::function<Result<std::shared_ptr<const policy::Policy>>(const std::string& workspace)>
      make_policy;

  size_t turns_max = 4;     // running at once
  size_t streams_max = 64;  // open at once: running, and ended but not yet read to their end
  size_t queue_bytes_max = 1 << 20;  // per stream: events that the client has not read
};

struct ApprovalOptions {
  // A call that a rule asks for waits for an answer, instead of being refused.
  bool wait = false;
  // Where the members of `group` answer, besides whoever may use the server's own socket. Absolute, at
  // most 107 bytes; empty: nowhere. Needs `wait`.
  std::string socket_path;
  std::string group;  // of the host
};

struct ServerOptions {
  std::string socket_path;  // absolute, at most 107 bytes
  ApprovalOptions approvals = {};
  SessionServiceOptions sessions;
};

}  // namespace nacre::server
