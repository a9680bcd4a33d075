// An engine's reply to an extraction, from hostile bytes: whatever it is, what is believed of it is a value of
// the type that was asked for, and no longer than such a value is.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "runtime/agent/extraction.h"

namespace {

constexpr const char* kAsked[] = {
    R"({"question":"q","type":"boolean"})",
    R"({"question":"q","type":"integer"})",
    R"({"question":"q","type":"integer","minimum":-5,"maximum":100,"max_items":8})",
    R"({"question":"q","type":"number","max_items":3})",
    R"({"question":"q","type":"one_of","choices":["by train","by car"],"max_items":2})",
    R"({"question":"q","type":"date","max_items":8})",
    R"({"question":"q","type":"date"})",
};
constexpr size_t kLongestValue = 200;

bool IsValue(std::string_view text) {
  for (const char c : text) {
    // Digits, the letters of our own words and of the choices, and what stands between values.
    if (std::string_view("0123456789-+.e[], truefalsnobyicainf").find(c) ==
        std::string_view::npos) {
      return false;
    }
  }
  return text.size() <= kLongestValue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  const std::string_view reply(reinterpret_cast<const char*>(bytes), size);
  for (const char* asked : kAsked) {
    const auto extraction = agent::ReadExtraction(Json::parse(asked));
    const auto value = agent::ReadAnswer(extraction.value(), reply);
    if (value.ok() && !IsValue(value.value())) {
      std::abort();
    }
  }
  return 0;
}
