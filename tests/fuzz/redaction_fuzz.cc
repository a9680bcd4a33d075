// Contents from hostile bytes: a secret that is put behind or before them is taken out all the same, and what has no mark
// is as it was.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "runtime/audit/redaction.h"

namespace {

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using nacre::audit::Redacted;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const Redacted redacted = nacre::audit::RedactText(text, false);
  Require((redacted.marks == 0) == (redacted.content == text));
  const std::string secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
  for (const std::string& with : {text + "\n" + secret, secret + "\n" + text}) {
    const Redacted one = nacre::audit::RedactText(with, false);
    Require(one.marks > 0 && one.content.find(secret) == std::string::npos);
  }
  if (const auto json = nacre::ParseJson(text); json.ok()) {
    for (const bool confidential : {false, true}) {
      const Redacted arguments = nacre::audit::RedactArguments(json.value(), confidential);
      Require(nacre::ParseJson(arguments.content, {.bytes_max = 1U << 26}).ok());
    }
  }
  return 0;
}
