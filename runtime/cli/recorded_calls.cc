#include "runtime/cli/recorded_calls.h"

#include <variant>

#include "memory/session_store.h"
#include "runtime/agent/tool_call.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"

namespace nacre::cli {

std::optional<policy::Request> RecordedCalls::RequestOf(const Json& record, std::string& why) {
  const Json* data = FindMember(record, "data");
  if (data == nullptr) {
    why = "the record has no data";
    return std::nullopt;
  }
  const std::string call = StringMember(record, "call");
  const Json* recorded = FindMember(*data, "arguments");
  if (recorded != nullptr && BoolMember(*recorded, "erased")) {
    why = "its arguments were erased";
    return std::nullopt;
  }
  if (recorded != nullptr && FindMember(*recorded, "unreadable") != nullptr) {
    why = "its arguments cannot be read: " + StringMember(*recorded, "unreadable");
    return std::nullopt;
  }
  std::string workspace = agent::kWorkspaceTarget;
  std::string arguments;
  const agent::Quarantine* quarantine = nullptr;
  if (recorded != nullptr && FindMember(*recorded, "content") != nullptr &&
      !BoolMember(*recorded, "cut")) {
    arguments = StringMember(*recorded, "content");
  } else {
    const Result<memory::SessionStore*> store = app_.Store();
    if (!store.ok()) {
      why = "the log has only a digest of the arguments, and there is no database";
      return std::nullopt;
    }
    const Result<memory::CallDetail> detail = store.value()->LoadCall(call);
    if (!detail.ok()) {
      why = "the log has only a digest of the arguments, and the database has no such call";
      return std::nullopt;
    }
    arguments = detail.value().call.arguments_json;
    const Session& session = SessionOf(*store.value(), StringMember(record, "session"));
    workspace = session.workspace;
    // The database has the model's own words, and the log the digest of what was put in place of handles.
    quarantine = session.quarantine.size() > 0 ? &session.quarantine : nullptr;
  }
  const std::variant<agent::ToolCall, agent::BadToolCall> parsed = agent::ParseToolCall(
      {StringMember(*data, "tool"), arguments}, registry_, {workspace, App::Home()}, quarantine);
  const auto* understood = std::get_if<agent::ToolCall>(&parsed);
  if (understood == nullptr) {
    why = "its tool is not there, or takes other arguments now";
    return std::nullopt;
  }
  if (recorded == nullptr ||
      !IsDigestOf(audit::ContentKeys(app_.audit_directory()), StringMember(record, "session"),
                  *recorded, DumpJson(understood->request.arguments))) {
    why = "its arguments are not those that the log has the digest of";
    return std::nullopt;
  }
  return understood->request;
}

const RecordedCalls::Session& RecordedCalls::SessionOf(memory::SessionStore& store,
                                                       const std::string& id) {
  const auto [known, added] = sessions_.emplace(id, Session{agent::kWorkspaceTarget, {}});
  if (added) {
    const Result<memory::SessionDetail> detail = store.LoadSession(id);
    if (detail.ok()) {
      known->second.workspace = detail.value().session.workspace;
      for (const memory::TurnRecord& turn : detail.value().turns) {
        for (const memory::StepRecord& step : turn.steps) {
          if (step.call.has_value() && !step.call->withheld.empty()) {
            known->second.quarantine.Keep(step.call->withheld, {});
          }
        }
      }
    }
  }
  return known->second;
}

}  // namespace nacre::cli
