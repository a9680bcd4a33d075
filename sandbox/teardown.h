// Teardown: takes down what is left of a call while its caller already goes on.
//
// Removing a call's namespaces, mounts and cgroup takes the kernel longer than most calls. When a
// call's outcome is known, none of its processes is left but PID 1, which is our own code and can
// only end: so nothing waits for the rest.
//
//   Teardown teardown;
//   teardown.Add(std::move(call));   // returns at once, unless too much is waiting
//   teardown.Wait();                 // until nothing of them is left
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "sandbox/launcher.h"

namespace nacre::sandbox {

// Thread-safe. Its thread starts with the first call.
class Teardown final {
 public:
  // Calls that may wait to be taken down: one more waits with its caller.
  static constexpr size_t kTeardownBacklogMax = 32;

  Teardown() = default;
  Teardown(const Teardown&) = delete;
  Teardown& operator=(const Teardown&) = delete;
  ~Teardown();

  void Add(RunningCall call);
  void Wait();

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<RunningCall> waiting_;  // guarded by mutex_, as all below
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace nacre::sandbox
