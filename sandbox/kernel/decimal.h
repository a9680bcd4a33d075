// Numbers as text where snprintf(3) may not be called: it is not async-signal-safe.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nacre::sandbox::kernel {

inline constexpr size_t kDecimalBytes = 21;  // of 2^64 - 1, with its NUL

// Writes the digits and a NUL, and answers how many digits. `out` has kDecimalBytes bytes.
inline size_t WriteDecimal(uint64_t value, char* out) {
  char digits[kDecimalBytes];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (size_t i = 0; i < count; ++i) {
    out[i] = digits[count - 1 - i];
  }
  out[count] = '\0';
  return count;
}

}  // namespace nacre::sandbox::kernel
