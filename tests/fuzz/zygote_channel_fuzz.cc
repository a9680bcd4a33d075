// What the runtime, its zygote, a slot and an interpreter make of bytes that claim to come from the other: each either
// refuses them, or has exactly the value that encodes to the same bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sandbox/zygote/messages.h"

namespace {

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nacre::sandbox::zygote;  // NOLINT: four names of one header
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      if (const auto command = DecodeCommand(bytes); command.ok()) {
        Require(Encode(command.value()) == bytes);
      }
      break;
    case 1:
      if (const auto event = DecodeEvent(bytes); event.ok()) {
        Require(Encode(event.value()) == bytes);
      }
      break;
    case 2:
      if (const auto plan = DecodePlan(bytes); plan.ok()) {
        Require(EncodePlan(plan.value()) == bytes);
      }
      break;
    case 3:
      if (const auto slot = DecodeInterpreterSlot(bytes); slot.ok()) {
        Require(Encode(slot.value()) == bytes);
      }
      break;
    case 4:
      if (const auto part = DecodeInterpreterPart(bytes); part.ok()) {
        Require(Encode(part.value()) == bytes);
      }
      break;
  }
  return 0;
}
