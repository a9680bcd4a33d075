#include "runtime/audit/tenant.h"

#include <algorithm>

namespace nacre::audit {
namespace {

std::string& Name() {
  static std::string name;
  return name;
}

}  // namespace

Status SetOwnTenant(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
  });
  if (name.empty() || name.size() > kTenantBytesMax || !plain) {
    return Error{ErrorCode::kInvalidArgument, "a tenant's name is 1 to " +
                                                  std::to_string(kTenantBytesMax) +
                                                  " letters, digits, '.', '_' or '-'"};
  }
  Name() = name;
  return Ok();
}

const std::string& OwnTenant() {
  return Name();
}

}  // namespace nacre::audit
