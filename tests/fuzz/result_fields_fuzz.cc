// A tool's result from hostile bytes: taking it apart never crashes; and a text that stands quoted in
// one field, as an encoder of JSON or YAML writes it, comes out in that field and in no other.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "policy/result_fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre::policy;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const ResultFormat format :
       {ResultFormat::kText, ResultFormat::kJson, ResultFormat::kYaml}) {
    (void)ReadResultFields(format, text);
  }
  // JSON's strings are YAML's double-quoted ones. A value on one line, whatever it says.
  const std::string quoted = nacre::DumpJson(nacre::Json(std::string(text)));
  const auto fields = ReadResultFields(ResultFormat::kYaml, "body: " + quoted + "\nsender: bank\n");
  if (!fields.has_value()) {
    return 0;  // nothing is believed then
  }
  if (fields->size() != 2 || (*fields)[0].keys != std::vector<std::string>{"body"} ||
      (*fields)[1] != ResultField{{"sender"}, "bank"}) {
    std::abort();
  }
  return 0;
}
