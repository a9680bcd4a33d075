// A policy of OpenShell from hostile bytes: importing never crashes, and what it writes loads.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/openshell_import.h"
#include "policy/policy_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const char* tool : {"", "http.request"}) {
    const auto imported = policy::ImportOpenShell("fuzz.yaml", text, {tool});
    if (imported.ok() && !policy::LoadPolicyText("again.yaml", imported.value().yaml).ok()) {
      std::abort();
    }
  }
  return 0;
}
