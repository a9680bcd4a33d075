#include "runtime/audit/event_names.h"

#include <algorithm>
#include <string>
#include <vector>

#include "runtime/audit/export_format.h"

namespace nacre::audit {
namespace {

std::string_view FamilyOf(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::span<const std::string_view> EventNames() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names = ExportedEvents();
    std::sort(names.begin(), names.end());
    return names;
  }();
  return kNames;
}

Status CheckEventName(std::string_view name) {
  const std::span<const std::string_view> all = EventNames();
  if (std::binary_search(all.begin(), all.end(), name)) {
    return Ok();
  }
  const bool family = std::any_of(all.begin(), all.end(), [&](std::string_view known) {
    return FamilyOf(known) == FamilyOf(name);
  });
  std::string names;
  for (const std::string_view known : all) {
    if (!family || FamilyOf(known) == FamilyOf(name)) {
      names += (names.empty() ? "" : ", ") + std::string(known);
    }
  }
  return Error{ErrorCode::kInvalidArgument,
               "'" + std::string(name.substr(0, 60)) + "' is no event; there are " + names};
}

}  // namespace nacre::audit
