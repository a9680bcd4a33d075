// A set of tools (tools.yaml) from hostile bytes: reading never crashes, and what is read is bounded.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/tool_traits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto tools = policy::ParseToolTraits("fuzz.yaml", text);
  if (!tools.ok()) {
    return tools.error().message.empty() ? (std::abort(), 0) : 0;
  }
  for (const auto& [name, traits] : tools.value()) {
    // What the file does not say of a tool with effects is looked at.
    if (name != traits.tool || (traits.HasEffect() && traits.roles.count("?") == 0 &&
                                traits.RoleOf("?") != policy::ArgumentRole::kSetting)) {
      std::abort();
    }
  }
  return 0;
}
