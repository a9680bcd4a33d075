// The host's side of a tool's channel, fed what a hostile tool may send, in pieces of a size that
// the first byte chooses. It must answer or refuse; a result it accepts must be within its bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/tool_channel.h"

namespace {

class Services final : public nacre::tools::HostServices {
 public:
  nacre::Result<nacre::Json> Call(const std::string& method, const nacre::Json&) override {
    return method == "memory.search" ? nacre::Json{"a note"} : nacre::Json();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  nacre::tools::Manifest manifest;
  manifest.name = "fuzzed";
  if (data[0] % 2 == 0) {
    manifest.host_services = {nacre::tools::HostService::kMemory};
  }
  Services services;
  nacre::tools::ToolChannel channel(manifest, "call", nacre::Json::object(), services);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece = size_t{data[0]} + 1;
  while (!bytes.empty() && channel.OnBytes(bytes.substr(0, piece)).ok()) {
    bytes.remove_prefix(bytes.size() < piece ? bytes.size() : piece);
  }
  if (channel.result() && channel.result()->text.size() > nacre::tools::kToolTextBytesMax) {
    std::abort();
  }
  return 0;
}
