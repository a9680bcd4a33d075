#include "base/cancel_token.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cstdint>

#include "base/result.h"

namespace nacre {

bool CancelToken::cancelled() const {
  if (event_ == nullptr) {
    return false;
  }
  pollfd waiting{event_->get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

CancelToken CancelToken::WithTimeout(std::chrono::milliseconds timeout) const {
  // An epoll descriptor is readable when anything it watches is: one descriptor for "either".
  const auto epoll = std::make_shared<const UniqueFd>(::epoll_create1(EPOLL_CLOEXEC));
  const auto timer = std::make_shared<const UniqueFd>(
      ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  NACRE_CHECK(epoll->valid() && timer->valid());
  // Zero would disarm the timer.
  const auto wait = std::max(timeout, std::chrono::milliseconds(1));
  itimerspec when{};
  when.it_value.tv_sec = wait.count() / 1000;
  when.it_value.tv_nsec = wait.count() % 1000 * 1'000'000;
  NACRE_CHECK(::timerfd_settime(timer->get(), 0, &when, nullptr) == 0);
  epoll_event readable{};
  readable.events = EPOLLIN;
  NACRE_CHECK(::epoll_ctl(epoll->get(), EPOLL_CTL_ADD, timer->get(), &readable) == 0);
  if (event_ != nullptr) {
    NACRE_CHECK(::epoll_ctl(epoll->get(), EPOLL_CTL_ADD, event_->get(), &readable) == 0);
  }
  CancelToken token(epoll);
  token.timer_ = timer;
  token.parent_ = event_;
  return token;
}

CancelSource::CancelSource()
    : event_(std::make_shared<const UniqueFd>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {
  NACRE_CHECK(event_->valid());
}

void CancelSource::Cancel() {
  const uint64_t one = 1;
  // Can only fail when the counter is already at its maximum, that is, cancelled.
  [[maybe_unused]] const ssize_t written = ::write(event_->get(), &one, sizeof one);
}

}  // namespace nacre
