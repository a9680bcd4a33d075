// What a taken-over engine worker could send. An event that is understood survives being written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/inference/worker_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto event = nacre::inference::ParseEvent({reinterpret_cast<const char*>(data), size});
  if (event.ok()) {
    NACRE_CHECK(nacre::inference::ParseEvent(nacre::inference::EncodeEvent(event.value())).ok());
  }
  return 0;
}
