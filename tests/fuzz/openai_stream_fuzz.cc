// The answer of a model server, cut at a byte of the input's choice.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/inference/openai_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  nacre::inference::OpenAiStream whole;
  nacre::inference::OpenAiStream cut;
  const size_t at = size == 0 ? 0 : data[0] % size;
  const auto text = whole.FeedEvents(bytes);
  const auto first = cut.FeedEvents(bytes.substr(0, at));
  if (text.ok() && first.ok()) {
    const auto second = cut.FeedEvents(bytes.substr(at));
    NACRE_CHECK(second.ok() && text.value() == first.value() + second.value());
  }
  const auto reply = whole.Finish();
  (void)reply;
  nacre::inference::OpenAiStream single;
  const auto answer = single.FeedWhole(bytes);
  (void)answer;
  return 0;
}
