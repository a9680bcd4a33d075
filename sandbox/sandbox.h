// Sandbox: runs one call in a fresh kernel sandbox. The interface that the runtime sees.
//
//   KernelSandbox sandbox = ...;
//   Outcome outcome = NACRE_TRY(sandbox.Run(spec, io, cancel));
//
// The call's channel: standard input carries bytes from the host, descriptor 3 carries bytes to the
// host. Both are pipes, never sockets, so no descriptor can be smuggled through them.
#pragma once

#include <string>
#include <string_view>

#include "base/cancel_token.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/outcome.h"
#include "sandbox/sandbox_spec.h"
#include "sandbox/seccomp/observer.h"
#include "sandbox/workspace/call_layer.h"

namespace nacre::sandbox {

// The host's end of the channel. Called from the thread that called Run(). What arrives is hostile.
class CallIo {
 public:
  virtual ~CallIo() = default;

  struct Reply {
    std::string bytes;         // to the call's standard input
    bool close_input = false;  // after these bytes: end of its standard input
    bool kill = false;         // the peer broke the protocol: end the call now
  };

  // Once, before the call's first byte.
  virtual Reply OnStart() = 0;
  // Each time bytes arrive on descriptor 3.
  virtual Reply OnChannelBytes(std::string_view bytes) = 0;
  // Standard output (descriptor 1) or error (2) as it comes, already capped. For streaming only:
  // the Outcome holds it all.
  virtual void OnOutput(int descriptor, std::string_view bytes) {
    (void)descriptor;
    (void)bytes;
  }
  // For a call that is observed, each time: a system call that its profile refused, or a file that it
  // named. Hostile, for showing only.
  virtual void OnObserved(const seccomp::Observation& observation) { (void)observation; }
  // Once for a call with a terminal, before its first byte: our end of it. What is read from it is
  // hostile; it reports EIO when the call has ended.
  virtual void OnTerminal(UniqueFd terminal) { (void)terminal; }
  // Once for a call with a transactional mount, before its first byte: what its changes go to. Only
  // when Run() has returned does it stand still; what it then holds is hostile.
  virtual void OnCallLayer(CallLayer layer) { (void)layer; }
};

// Sends nothing, closes standard input at once, ignores the channel.
class NoCallIo final : public CallIo {
 public:
  Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
  Reply OnChannelBytes(std::string_view bytes) override {
    (void)bytes;
    return {};
  }
};

// Thread-safe: calls run side by side, each Run() on its caller's thread.
class Sandbox {
 public:
  virtual ~Sandbox() = default;

  // Runs to the end. On return nothing of the call can act any more: all processes that ran its
  // program, or that those started, are gone. What the kernel still holds for it (an idle process of
  // ours, mounts that only that one sees, a cgroup) goes soon after; see KernelSandbox.
  // An Error means that the runtime failed (out of descriptors, say); a host that lacks a required
  // layer is the Outcome kSetupFailed with the step named.
  virtual Result<Outcome> Run(const SandboxSpec& spec, CallIo& io, const CancelToken& cancel) = 0;

  // Calls like `spec` are to be expected: what can be prepared for them is, in the background.
  virtual void Expect(const SandboxSpec& spec) { (void)spec; }
};

}  // namespace nacre::sandbox
