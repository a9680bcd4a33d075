// GroupCommit: what many threads want written at the same time becomes durable with one commit. It decides only
// who writes when; what a commit is, it is given.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "runtime/audit/record_format.h"

namespace nacre::audit {

// Thread-safe. There is no thread of its own: of those that wait one leads, writes for all of its batch, passes the
// lead to one of the next batch, and only then wakes its own. So a batch costs one wake-up call, and none of the
// woken needs a lock to learn its answer.
//
// A batch ends where a bundle of the log does, as far as it is known beforehand where that is: a commit over two
// bundles makes everybody in it wait for one sync more.
class GroupCommit final {
 public:
  using Records = std::vector<const EncodedRecord*>;
  // Makes them durable in this order, without gaps; the index of the first. One thread at a time calls it.
  using Commit = std::function<Result<uint64_t>(const Records&)>;

  // So many records are there already, and so many are in a bundle.
  struct Bundles {
    uint64_t records = 0;
    uint64_t width = UINT64_MAX;
  };

  // `meanwhile`, unless null, is called by each who waits for another's commit, before it sleeps, and by several at once:
  // what it does takes no time of anybody while it is over before that commit is.
  explicit GroupCommit(Commit commit, Bundles bundles = {0, UINT64_MAX},
                       std::function<void()> meanwhile = nullptr)
      : commit_(std::move(commit)),
        meanwhile_(std::move(meanwhile)),
        width_(bundles.width),
        end_(bundles.records) {}

  // The record's index once it is durable, or the error of its commit. Borrows the record until then.
  Result<uint64_t> Append(const EncodedRecord& record);

  // Runs `act` between two commits.
  Status Alone(const std::function<Status()>& act);

 private:
  enum State : uint32_t { kWaiting, kToBeLed, kLed, kDone };
  // Those that one commit takes, not more than `room`. `error` and `first` are written before kDone, and read after it.
  struct Batch {
    explicit Batch(uint64_t most) : room(most) {}
    const uint64_t room;
    Records records;
    std::atomic<uint32_t> state{kWaiting};
    uint64_t first = 0;
    std::optional<Error> error;
  };
  using Lock = std::unique_lock<std::mutex>;

  void Lead(const std::shared_ptr<Batch>& batch);
  // Those who were just answered often come back at once. A sync that they miss they wait for twice: so the lead
  // gives them a part of the time that a sync takes.
  void Gather(Lock& lock, const Batch& batch);
  // Passes the turn on, or leaves it free. To those who want to be alone first, unless one of them had it.
  void PassOn(Lock& lock, bool was_alone);
  // The batch that the next record goes into.
  const std::shared_ptr<Batch>& OpenBatch();
  size_t Waiting() const;
  // How many more are to be waited for.
  size_t Missing(const Batch& batch) const {
    const size_t enough = std::min<uint64_t>(wanted_, batch.room);
    return enough - std::min(enough, batch.records.size());
  }

  const Commit commit_;
  const std::function<void()> meanwhile_;
  const uint64_t width_;
  std::mutex mutex_;
  bool taken_ = false;  // somebody writes, or was told to
  // Only the last one takes more. Empty only when nobody waits.
  std::deque<std::shared_ptr<Batch>> waiting_;
  uint64_t end_;       // where the log will end when those that are being written are
  size_t wanted_ = 0;  // how many threads were writing or waiting when the last commit ended
  bool gathering_ = false;
  std::condition_variable gathered_;
  std::chrono::steady_clock::duration commit_took_{};
  int alone_waiting_ = 0;
  bool alone_granted_ = false;
  std::condition_variable alone_turn_;
};

}  // namespace nacre::audit
