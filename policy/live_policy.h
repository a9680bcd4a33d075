// LivePolicy: the policy that is in force now, exchanged as a whole while others decide.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

#include "policy/policy.h"

namespace nacre::policy {

// Who decides takes Current() once and keeps it for as long as one decision must not change: a call,
// a turn, a session. A policy is freed with its last holder.
//
// std::atomic<std::shared_ptr> takes a lock in libstdc++. Here a reader only announces itself, copies
// the pointer, and leaves; a writer exchanges the pointer and then waits until each announcement
// that was there has gone, before it lets go of the old one. Thread-safe.
class LivePolicy final {
 public:
  explicit LivePolicy(std::shared_ptr<const Policy> policy);
  ~LivePolicy();
  LivePolicy(const LivePolicy&) = delete;
  LivePolicy& operator=(const LivePolicy&) = delete;

  // Wait-free: two atomic additions and the copy.
  std::shared_ptr<const Policy> Current() const;
  // Returns when no reader can still be copying the old one: as a rule at once.
  void Replace(std::shared_ptr<const Policy> policy);

 private:
  // Readers in the middle of Current(), spread so that few share a cache line.
  struct alignas(64) Readers {
    std::atomic<uint32_t> inside{0};
  };
  static constexpr size_t kStripes = 32;

  Readers& MyReaders() const;

  mutable std::array<Readers, kStripes> readers_;
  std::atomic<const std::shared_ptr<const Policy>*> current_;
  std::mutex writers_;
};

}  // namespace nacre::policy
