#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/result.h"

namespace nacre {

void SystemRandom::Fill(std::span<uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    NACRE_CHECK(count > 0);
    done += static_cast<size_t>(count);
  }
}

}  // namespace nacre
