// WorkerPool: a fixed number of threads with a bounded queue. gRPC's own threads must not block, so
// its reactors post their work here; when there is no room they refuse the request instead of
// letting work pile up.
//
//   WorkerPool pool(4, 0);  // four jobs at a time, none waiting
//   if (!pool.Post([&] { result = Work(); }, [&] { reply->Finish(result); })) { refuse; }
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace nacre::server {

// Thread-safe.
class WorkerPool final {
 public:
  WorkerPool(size_t threads, size_t waiting_max);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  // Runs what was posted, then joins.
  ~WorkerPool();

  // False, with nothing kept, when `threads` jobs are running and `waiting_max` are waiting.
  //
  // `announce` runs after `work` on the same thread, when the place of the job is already free: a
  // client that hears of the end and comes back at once must not be refused for its own old job.
  // It must not block.
  [[nodiscard]] bool Post(std::function<void()> work, std::function<void()> announce);

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> announce;
  };

  void Run();

  const size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  // guarded by mutex_, as are the next two
  size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace nacre::server
