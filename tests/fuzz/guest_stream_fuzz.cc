// The host's end of a guest's stream (gVisor, microVM), fed what a guest that its call has taken over
// may send, in pieces of a size that the first byte chooses. Output must stay within its bound, and
// after a breach nothing more is taken.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "sandbox/guest/guest_io.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kOutputBytes = 1000;
  if (size == 0) {
    return 0;
  }
  nacre::sandbox::NoCallIo io;
  nacre::sandbox::guest::Task task;
  task.token.assign(nacre::sandbox::guest::kTokenBytes, 't');
  nacre::sandbox::guest::GuestIo guest(io, std::move(task), kOutputBytes);
  guest.OnStart();
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece = size_t{data[0]} + 1;
  while (!bytes.empty() && !guest.OnChannelBytes(bytes.substr(0, piece)).kill) {
    bytes.remove_prefix(bytes.size() < piece ? bytes.size() : piece);
  }
  const nacre::sandbox::Outcome outcome = guest.Conclude("gvisor", {});
  if (outcome.output.size() > kOutputBytes || outcome.error_output.size() > kOutputBytes) {
    std::abort();
  }
  return 0;
}
