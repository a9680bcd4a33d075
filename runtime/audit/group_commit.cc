#include "runtime/audit/group_commit.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace nacre::audit {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Of the time of a commit; and never longer than this.
constexpr int kPatiencePart = 4;
constexpr std::chrono::milliseconds kLongestPatience{2};

// futex(2) itself: std::atomic's wait() calls sched_yield(2) four times before it sleeps, for everybody who waits.
void SleepWhile(const std::atomic<uint32_t>& state, uint32_t value) {
  static_assert(sizeof state == sizeof value && std::atomic<uint32_t>::is_always_lock_free);
  (void)::syscall(SYS_futex, &state, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void Wake(const std::atomic<uint32_t>& state, int threads) {
  (void)::syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

}  // namespace

Result<uint64_t> GroupCommit::Append(const EncodedRecord& record) {
  Lock lock(mutex_);
  const std::shared_ptr<Batch> batch = OpenBatch();
  const uint64_t place = batch->records.size();
  batch->records.push_back(&record);
  if (!taken_) {
    taken_ = true;
    lock.unlock();
    Lead(batch);
  } else {
    if (gathering_ && Missing(*waiting_.front()) == 0) {
      gathered_.notify_one();
    }
    lock.unlock();
    if (meanwhile_) {
      meanwhile_();
    }
    for (uint32_t state = batch->state.load(); state != kDone; state = batch->state.load()) {
      if (state == kToBeLed && batch->state.compare_exchange_strong(state, kLed)) {
        Lead(batch);
      } else if (state != kDone) {
        SleepWhile(batch->state, state);
      }
    }
  }
  return batch->error.has_value() ? Result<uint64_t>(*batch->error)
                                  : Result<uint64_t>(batch->first + place);
}

const std::shared_ptr<GroupCommit::Batch>& GroupCommit::OpenBatch() {
  if (waiting_.empty() || waiting_.back()->records.size() >= waiting_.back()->room) {
    // One that another is before begins a bundle: only a full one has another behind it.
    waiting_.push_back(std::make_shared<Batch>(waiting_.empty() ? width_ - end_ % width_ : width_));
    waiting_.back()->records.reserve(wanted_);
  }
  return waiting_.back();
}

size_t GroupCommit::Waiting() const {
  size_t records = 0;
  for (const auto& batch : waiting_) {
    records += batch->records.size();
  }
  return records;
}

void GroupCommit::Lead(const std::shared_ptr<Batch>& batch) {
  Lock lock(mutex_);
  Gather(lock, *batch);
  waiting_.pop_front();
  end_ += batch->records.size();
  lock.unlock();

  const auto begin = SteadyClock::now();
  const Result<uint64_t> first = commit_(batch->records);
  if (first.ok()) {
    batch->first = first.value();
  } else {
    batch->error = first.error();
  }

  lock.lock();
  commit_took_ = SteadyClock::now() - begin;
  wanted_ = batch->records.size() + Waiting();
  if (first.ok()) {
    end_ = first.value() + batch->records.size();  // others may have written as well
  }
  PassOn(lock, false);
  batch->state.store(kDone);
  Wake(batch->state, INT_MAX);
}

void GroupCommit::Gather(Lock& lock, const Batch& batch) {
  const auto patience =
      std::min<SteadyClock::duration>(commit_took_ / kPatiencePart, kLongestPatience);
  gathering_ = true;
  // Again while most of those who were missing came meanwhile.
  for (size_t before = 0, now = Missing(batch); now > 0 && (before == 0 || now <= before / 2);) {
    gathered_.wait_for(lock, patience, [&] { return Missing(batch) == 0; });
    before = std::exchange(now, Missing(batch));
  }
  gathering_ = false;
}

void GroupCommit::PassOn(Lock& lock, bool was_alone) {
  const bool batch_waits = !waiting_.empty();
  if (alone_waiting_ > 0 && !(was_alone && batch_waits)) {
    alone_granted_ = true;
    lock.unlock();
    alone_turn_.notify_one();
    return;
  }
  if (!batch_waits) {
    taken_ = false;
    lock.unlock();
    return;
  }
  const std::shared_ptr<Batch> batch = waiting_.front();
  lock.unlock();
  batch->state.store(kToBeLed);
  Wake(batch->state, 1);
}

Status GroupCommit::Alone(const std::function<Status()>& act) {
  Lock lock(mutex_);
  if (taken_) {
    ++alone_waiting_;
    alone_turn_.wait(lock, [&] { return alone_granted_; });
    alone_granted_ = false;
    --alone_waiting_;
  }
  taken_ = true;
  lock.unlock();
  Status done = act();
  lock.lock();
  PassOn(lock, true);
  return done;
}

}  // namespace nacre::audit
