#include "runtime/server/worker_pool.h"

#include <utility>

namespace nacre::server {

WorkerPool::WorkerPool(size_t threads, size_t waiting_max) : jobs_max_(threads + waiting_max) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

bool WorkerPool::Post(std::function<void()> work, std::function<void()> announce) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || running_ + waiting_.size() >= jobs_max_) {
      return false;
    }
    waiting_.push_back({std::move(work), std::move(announce)});
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    job.work();
    lock.lock();
    --running_;
    lock.unlock();
    job.announce();
    lock.lock();
  }
}

}  // namespace nacre::server
