// CancelSource and CancelToken: "stop this, soon". The token is an eventfd, so that a poll(2) loop
// can wait for it beside its other descriptors, and a loop without one can ask cancelled().
//
// Thread-safe. Cancel() is async-signal-safe: a SIGINT handler may call it.
#pragma once

#include <chrono>
#include <memory>

#include "base/unique_fd.h"

namespace nacre {

class CancelToken final {
 public:
  // A token that is never cancelled.
  CancelToken() = default;

  bool cancelled() const;
  // Readable once cancelled; -1 for a token that never is. Only for poll(2): do not read it.
  int poll_fd() const { return event_ == nullptr ? -1 : event_->get(); }

  // A token that fires with this one, or when `timeout` has passed, whichever is first. Aborts when
  // the process is out of descriptors, as CancelSource does.
  CancelToken WithTimeout(std::chrono::milliseconds timeout) const;

 private:
  friend class CancelSource;
  explicit CancelToken(std::shared_ptr<const UniqueFd> event) : event_(std::move(event)) {}

  std::shared_ptr<const UniqueFd> event_;
  // Of WithTimeout(): what event_, an epoll(7) descriptor then, watches.
  std::shared_ptr<const UniqueFd> timer_;
  std::shared_ptr<const UniqueFd> parent_;
};

class CancelSource final {
 public:
  // Aborts when the process is out of descriptors: a call that cannot be cancelled must not start.
  CancelSource();

  CancelToken token() const { return CancelToken(event_); }
  void Cancel();

 private:
  std::shared_ptr<const UniqueFd> event_;
};

}  // namespace nacre
