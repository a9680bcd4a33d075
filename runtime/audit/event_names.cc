#include "runtime/audit/event_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace nacre::audit {
namespace {

constexpr std::array<std::string_view, 45> kNames = {"alert.failed",
                                                     "alert.raised",
                                                     "approval.refused",
                                                     "call.approval",
                                                     "call.decided",
                                                     "call.finished",
                                                     "call.interrupted",
                                                     "call.malformed",
                                                     "call.recovered",
                                                     "call.started",
                                                     "client.refused",
                                                     "content.erased",
                                                     "data.endorsed",
                                                     "data.extracted",
                                                     "data.revealed",
                                                     "hold.placed",
                                                     "hold.released",
                                                     "log.key_rotated",
                                                     "log.opened",
                                                     "log.pruned",
                                                     "log.recovered",
                                                     "memory.noted",
                                                     "model.asked",
                                                     "model.replied",
                                                     "policy.loaded",
                                                     "policy.refused",
                                                     "retention.failed",
                                                     "sandbox.exec.finished",
                                                     "sandbox.exec.started",
                                                     "selftest.finished",
                                                     "server.started",
                                                     "server.stopped",
                                                     "session.created",
                                                     "session.deleted",
                                                     "session.resumed",
                                                     "turn.abandoned",
                                                     "turn.finished",
                                                     "turn.resumed",
                                                     "turn.started",
                                                     "workspace.commit",
                                                     "workspace.labels_cleared",
                                                     "workspace.recovered",
                                                     "workspace.undo",
                                                     "workspace.undo_refused",
                                                     "workspace.undone"};

std::string_view FamilyOf(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::span<const std::string_view> EventNames() {
  return kNames;
}

Status CheckEventName(std::string_view name) {
  if (std::binary_search(kNames.begin(), kNames.end(), name)) {
    return Ok();
  }
  const bool family = std::any_of(kNames.begin(), kNames.end(), [&](std::string_view known) {
    return FamilyOf(known) == FamilyOf(name);
  });
  std::string names;
  for (const std::string_view known : kNames) {
    if (!family || FamilyOf(known) == FamilyOf(name)) {
      names += (names.empty() ? "" : ", ") + std::string(known);
    }
  }
  return Error{ErrorCode::kInvalidArgument,
               "'" + std::string(name.substr(0, 60)) + "' is no event; there are " + names};
}

}  // namespace nacre::audit
