#include "runtime/cli/recorded_calls.h"

#include <variant>

#include "runtime/agent/followed_path.h"
#include "runtime/agent/tool_call.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/record_format.h"
#include "runtime/cli/audit_commands.h"

namespace nacre::cli {
namespace {

// The arguments that the record says were given withheld texts.
std::vector<policy::WithheldArgument> MarksOf(const Json& data) {
  std::vector<policy::WithheldArgument> marks;
  const Json* withheld = FindMember(data, "withheld");
  if (withheld != nullptr && withheld->is_array()) {
    for (const Json& mark : *withheld) {
      marks.push_back({StringMember(mark, "argument"), StringMember(mark, "handle"), {}});
    }
  }
  return marks;
}

// What the record has of a content, when it has all of it as it was.
std::optional<std::string> WholeContent(const Json& entry) {
  const bool whole = FindMember(entry, "content") != nullptr && !BoolMember(entry, "cut") &&
                     IntMember(entry, "redacted") == 0;
  return whole ? std::optional(StringMember(entry, "content")) : std::nullopt;
}

}  // namespace

// Where links led its paths then: by the record, or, where that has a digest only, by the workspace if it has it still.
bool RecordedCalls::FollowAsThen(const Json& record, const std::string& workspace,
                                 policy::Request& request) const {
  const Json* followed = FindMember(record.at("data"), "followed");
  if (followed == nullptr) {
    return true;
  }
  if (const auto content = WholeContent(*followed)) {
    const Result<Json> paths = ParseJson(*content);
    agent::SetFollowedPaths(paths.ok() ? paths.value() : Json(), request);
  } else if (!workspace.empty()) {
    agent::FollowLinks(workspace, request);
  }
  return IsDigestOf(keys_, StringMember(record, "session"), *followed,
                    DumpJson(agent::FollowedPaths(request)));
}

std::optional<policy::Request> RecordedCalls::RequestOf(const Json& record, std::string& why) {
  const Json* data = FindMember(record, "data");
  if (data == nullptr) {
    why = "the record has no data";
    return std::nullopt;
  }
  const std::string call = StringMember(record, "call");
  const Json* recorded = FindMember(*data, "arguments");
  if (recorded != nullptr && BoolMember(*recorded, "erased")) {
    const std::string on = StringMember(*recorded, "erased_on");
    why = on.empty() ? "its arguments were erased, or their key was lost"
                     : "its arguments were erased on " + on.substr(0, 10) + ": " +
                           StringMember(*recorded, "erased_reason");
    return std::nullopt;
  }
  if (recorded != nullptr && FindMember(*recorded, "unreadable") != nullptr) {
    why = "its arguments cannot be read: " + StringMember(*recorded, "unreadable");
    return std::nullopt;
  }
  std::string workspace;  // empty: not known
  std::string arguments;
  const agent::Quarantine* quarantine = nullptr;
  if (auto content = recorded != nullptr ? WholeContent(*recorded) : std::nullopt) {
    arguments = std::move(*content);
  } else {
    const Result<memory::SessionStore*> store = app_.Store();
    if (!store.ok()) {
      why = "the log has only a digest of the arguments, and there is no database";
      return std::nullopt;
    }
    if (!sessions_.has_value()) {
      sessions_.emplace(*store.value());
    }
    auto stored = sessions_->Find(StringMember(record, "session"), call);
    if (!stored.has_value()) {
      why = "the log has only a digest of the arguments, and the database has no such call";
      return std::nullopt;
    }
    arguments = std::move(stored->arguments);
    workspace = std::move(stored->workspace);
    // The database has the model's own words, and the log the digest of what was put in place of handles.
    quarantine = stored->quarantine;
  }
  std::variant<agent::ToolCall, agent::BadToolCall> parsed = agent::ParseToolCall(
      {StringMember(*data, "tool"), arguments}, registry_,
      {workspace.empty() ? agent::kWorkspaceTarget : workspace, App::Home()}, quarantine);
  auto* understood = std::get_if<agent::ToolCall>(&parsed);
  if (understood == nullptr) {
    why = "its tool is not there, or takes other arguments now";
    return std::nullopt;
  }
  if (recorded == nullptr || !IsDigestOf(keys_, StringMember(record, "session"), *recorded,
                                         DumpJson(understood->request.arguments))) {
    why = kOtherArguments;
    return std::nullopt;
  }
  if (!FollowAsThen(record, workspace, understood->request)) {
    why = "where links of the workspace led its paths is not known any more";
    return std::nullopt;
  }
  if (quarantine == nullptr) {
    understood->request.withheld = MarksOf(*data);
  }
  return std::move(understood->request);
}

Result<std::optional<Json>> FindDecision(App& app, const std::string& call) {
  const audit::LogChange change = ChangeOf(app);
  audit::RecordFilter filter;
  filter.call = call;
  filter.event = "call.decided";
  std::optional<Json> found;
  const audit::QueryReport report = NACRE_TRY(audit::QueryAuditLog(
      change.directory, filter, {.index_directory = change.index_directory, .progress = {}},
      change.random, [&](uint64_t /*index*/, const Json& record) {
        found = record;
        return false;
      }));
  if (!report.problems.empty()) {
    return Error{ErrorCode::kDataLoss, "the audit log: " + report.problems.front()};
  }
  return found;
}

JudgedIn ContextOf(const Json& record) {
  const Json* data = FindMember(record, "data");
  const Json* origins = data != nullptr ? FindMember(*data, "origins") : nullptr;
  std::vector<std::string> texts;
  if (origins != nullptr && origins->is_array()) {
    for (const Json& origin : *origins) {
      if (origin.is_string()) {
        texts.push_back(origin.get<std::string>());
      }
    }
  }
  return {.context = policy::RecordedContext(audit::LabelsOf(record), texts),
          .origins = origins != nullptr};
}

}  // namespace nacre::cli
