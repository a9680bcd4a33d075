#include "sandbox/isolation.h"

namespace nacre::sandbox {

const char* IsolationName(Isolation isolation) {
  switch (isolation) {
    case Isolation::kNamespace:
      return "namespace";
    case Isolation::kGvisor:
      return "gvisor";
    case Isolation::kMicrovm:
      return "microvm";
  }
  return "namespace";
}

std::optional<Isolation> ParseIsolation(std::string_view name) {
  for (const Isolation each : {Isolation::kNamespace, Isolation::kGvisor, Isolation::kMicrovm}) {
    if (name == IsolationName(each)) {
      return each;
    }
  }
  return std::nullopt;
}

}  // namespace nacre::sandbox
