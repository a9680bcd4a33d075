#include "base/cancel_token.h"

#include <poll.h>
#include <sys/eventfd.h>

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
