// TerminalRelay: connects the person's terminal with the terminal of a call.
//
// While it runs, the person's terminal is raw: every key, Ctrl-C too, is a byte for the call's own
// terminal, which turns it into signals for the call's processes. The window size follows. The
// terminal is put back as it was on every way out: the end of the call, an error, a signal that ends
// nacre, a crash. (Not SIGKILL: `reset` helps then.)
//
// What the call writes goes to the person's terminal as it is, escape sequences included: they chose
// to be connected. It cannot type into it: its terminal is another one.
#pragma once

#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::cli {

// The size of the terminal on standard input or output, or the usual one.
sandbox::TerminalSize WindowSize();

// One per process at a time. Not thread-safe.
class TerminalRelay final {
 public:
  TerminalRelay() = default;
  TerminalRelay(const TerminalRelay&) = delete;
  TerminalRelay& operator=(const TerminalRelay&) = delete;
  ~TerminalRelay() { Finish(); }

  // Takes our end of the call's terminal and starts a thread that relays until the call has ended.
  void Start(UniqueFd terminal);
  // Waits for the last bytes of a call that has ended, and puts the terminal back. Idempotent.
  void Finish();

 private:
  void Relay();

  UniqueFd terminal_;
  UniqueFd stop_read_;
  UniqueFd stop_write_;
  std::thread thread_;
};

}  // namespace nacre::cli
