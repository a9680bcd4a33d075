#include "policy/decision.h"

namespace nacre::policy {

const char* VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kDeny:
      return "deny";
    case Verdict::kAsk:
      return "ask";
    case Verdict::kAllow:
      return "allow";
  }
  return "deny";
}

std::string ToText(const SourceLocation& location) {
  return location == SourceLocation() ? std::string()
                                      : location.file + ":" + std::to_string(location.line) + ":" +
                                            std::to_string(location.column);
}

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

const char* WorkspaceModeName(WorkspaceMode mode) {
  switch (mode) {
    case WorkspaceMode::kNone:
      return "none";
    case WorkspaceMode::kReadOnly:
      return "read-only";
    case WorkspaceMode::kTransactional:
      return "transactional";
    case WorkspaceMode::kDirect:
      return "direct";
  }
  return "none";
}

const std::shared_ptr<const Grant>& Decision::NoGrant() {
  static const auto kNothing = std::make_shared<const Grant>();
  return kNothing;
}

}  // namespace nacre::policy
