#include "runtime/server/turn_stream.h"

#include <utility>

#include "runtime/server/event_conversion.h"

namespace nacre::server {
namespace {

// What a small message costs beside its bytes, so that a flood of tiny ones is bounded too.
constexpr size_t kMessageOverheadBytes = 256;

}  // namespace

TurnStream::TurnStream(size_t queue_bytes_max, std::function<void(TurnStream*)> on_done)
    : queue_bytes_max_(queue_bytes_max), on_done_(std::move(on_done)) {}

void TurnStream::OnEvent(const agent::Event& event) {
  v1::TurnEvent message = ToProto(event);
  const size_t bytes = message.ByteSizeLong() + kMessageOverheadBytes;
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || overflowed_) {
      return;
    }
    // One message is always taken, however large: the queue is what must not grow.
    if (!queue_.empty() && queue_bytes_ + bytes > queue_bytes_max_) {
      overflowed_ = true;
      DropQueue();
      cancel_.Cancel();
      return;
    }
    queue_.push_back({std::move(message), bytes});
    queue_bytes_ += bytes;
    next = TakeNext();
  }
  Perform(next);
}

void TurnStream::End(const Status& status) {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    status_ =
        overflowed_
            ? grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                           "the client reads too slowly; the turn was cancelled and can be resumed")
            : ToGrpc(status);
    next = TakeNext();
  }
  if (next != Next::kNothing) {  // else a write is under way, and its end may already have ended us
    Perform(next);
  }
}

void TurnStream::OnWriteDone(bool ok) {
  Next next = Next::kNothing;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) {
      gone_ = true;
      DropQueue();
      cancel_.Cancel();
    }
    next = TakeNext();
  }
  Perform(next);
}

void TurnStream::OnCancel() {
  const std::lock_guard lock(mutex_);
  gone_ = true;
  DropQueue();
  cancel_.Cancel();
}

void TurnStream::OnDone() {
  on_done_(this);
  delete this;
}

TurnStream::Next TurnStream::TakeNext() {
  if (writing_ || finishing_) {
    return Next::kNothing;
  }
  if (!queue_.empty()) {
    current_ = std::move(queue_.front().event);
    queue_bytes_ -= queue_.front().bytes;
    queue_.pop_front();
    writing_ = true;
    return Next::kWrite;
  }
  if (!ended_) {
    return Next::kNothing;
  }
  finishing_ = true;
  return Next::kFinish;
}

void TurnStream::Perform(Next next) {
  if (next == Next::kWrite) {
    StartWrite(&current_);
  } else if (next == Next::kFinish) {
    Finish(status_);
  }
}

void TurnStream::DropQueue() {
  queue_.clear();
  queue_bytes_ = 0;
}

}  // namespace nacre::server
