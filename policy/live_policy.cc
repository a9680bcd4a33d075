#include "policy/live_policy.h"

#include <thread>
#include <utility>

namespace nacre::policy {

LivePolicy::LivePolicy(std::shared_ptr<const Policy> policy)
    : current_(new std::shared_ptr<const Policy>(std::move(policy))) {}

LivePolicy::~LivePolicy() {
  delete current_.load();
}

LivePolicy::Readers& LivePolicy::MyReaders() const {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next++ % kStripes;
  return readers_[mine];
}

// The announcement comes before the pointer is read, and the writer reads announcements after it has
// written the pointer, all in one total order: so a reader whom the writer does not see reads the
// new pointer.
std::shared_ptr<const Policy> LivePolicy::Current() const {
  Readers& readers = MyReaders();
  readers.inside.fetch_add(1, std::memory_order_seq_cst);
  std::shared_ptr<const Policy> policy = *current_.load(std::memory_order_seq_cst);
  readers.inside.fetch_sub(1, std::memory_order_release);
  return policy;
}

void LivePolicy::Replace(std::shared_ptr<const Policy> policy) {
  const std::lock_guard<std::mutex> lock(writers_);
  const std::shared_ptr<const Policy>* old = current_.exchange(
      new std::shared_ptr<const Policy>(std::move(policy)), std::memory_order_seq_cst);
  for (Readers& readers : readers_) {
    // Once seen empty, whoever comes later reads the new pointer.
    while (readers.inside.load(std::memory_order_seq_cst) != 0) {
      std::this_thread::yield();
    }
  }
  delete old;
}

}  // namespace nacre::policy
