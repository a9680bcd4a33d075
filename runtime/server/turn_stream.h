// TurnStream: the server's end of one stream of events. It stands between the thread that drives
// the turn, which must not wait for a client, and gRPC, which sends one message at a time.
//
// What the client has not read yet is bounded. A client that falls further behind loses the stream
// and the turn is cancelled: a slow reader costs no memory, and the session can be resumed.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "base/cancel_token.h"
#include "base/result.h"
#include "nacre/v1/session.pb.h"
#include "runtime/agent/events.h"

namespace nacre::server {

// Owns itself: gRPC calls OnDone() after End() and when nothing of it is in use any more, and there
// it deletes itself. Thread-safe.
class TurnStream final : public grpc::ServerWriteReactor<v1::TurnEvent>, public agent::EventSink {
 public:
  // `on_done` is called just before the object dies.
  TurnStream(size_t queue_bytes_max, std::function<void(TurnStream*)> on_done);

  // Sends the event after those before it. Never blocks; nothing is sent after an overflow or when
  // the client has gone.
  void OnEvent(const agent::Event& event) override;

  // Ends the stream once what was sent has been written. Exactly once; the object may be gone when
  // it returns.
  void End(const Status& status);

  // Fires when the client cancels or goes away, on overflow, and on Cancel().
  CancelToken cancel_token() const { return cancel_.token(); }
  void Cancel() { cancel_.Cancel(); }

  // gRPC's.
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  struct Waiting {
    v1::TurnEvent event;
    size_t bytes;
  };

  // With the lock held: takes the next message, or tells that the stream can be finished.
  enum class Next { kNothing, kWrite, kFinish };
  Next TakeNext();
  // Without the lock: gRPC may call back, or end this object, from within.
  void Perform(Next next);
  void DropQueue();

  const size_t queue_bytes_max_;
  const std::function<void(TurnStream*)> on_done_;
  CancelSource cancel_;

  std::mutex mutex_;  // guards what follows
  std::deque<Waiting> queue_;
  size_t queue_bytes_ = 0;
  bool writing_ = false;  // `current_` belongs to gRPC until OnWriteDone()
  bool gone_ = false;     // the client
  bool overflowed_ = false;
  bool ended_ = false;
  bool finishing_ = false;
  grpc::Status status_;
  v1::TurnEvent current_;
};

}  // namespace nacre::server
