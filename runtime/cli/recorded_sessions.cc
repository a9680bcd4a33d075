#include "runtime/cli/recorded_sessions.h"

#include <utility>

#include "base/json.h"
#include "runtime/agent/tool_call.h"

namespace nacre::cli {
namespace {

constexpr size_t kEntryBytes = 128;  // of a call, beside its texts

size_t BytesOf(const memory::CallRecord& call) {
  return kEntryBytes + call.id.size() + call.arguments_json.size() + call.withheld.size();
}

}  // namespace

std::optional<RecordedSessions::Stored> RecordedSessions::Find(const std::string& session,
                                                               const std::string& call) {
  const Session& known = Load(session);
  if (known.large) {
    return FindInLarge(known, call);
  }
  const auto arguments = known.arguments.find(call);
  if (arguments == known.arguments.end()) {
    return std::nullopt;
  }
  return Stored{known.workspace, arguments->second,
                known.quarantine.size() > 0 ? &known.quarantine : nullptr};
}

RecordedSessions::Session& RecordedSessions::Load(const std::string& id) {
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    sessions_.splice(sessions_.begin(), sessions_, known->second);
    return sessions_.front();
  }
  Session session{.id = id, .workspace = agent::kWorkspaceTarget, .bytes = kEntryBytes};
  if (Result<memory::SessionDetail> detail = store_.LoadSession(id); detail.ok()) {
    session.workspace = detail.value().session.workspace;
    std::vector<memory::CallRecord> calls;
    for (memory::TurnRecord& turn : detail.value().turns) {
      for (memory::StepRecord& step : turn.steps) {
        if (step.call.has_value()) {
          session.bytes += BytesOf(*step.call);
          calls.push_back(std::move(*step.call));
        }
      }
    }
    session.large = session.bytes > bytes_max_;
    for (memory::CallRecord& call : calls) {
      if (!call.withheld.empty()) {
        agent::StoredWithheld stored = agent::ReadStoredWithheld(call.withheld, call.outcome_json);
        if (session.large) {
          session.withheld.emplace_back(call.id, stored.texts.size());
        } else {
          for (std::string& text : stored.texts) {
            session.quarantine.Keep(std::move(text), {});
          }
        }
      }
      if (!session.large) {
        session.arguments.emplace(std::move(call.id), std::move(call.arguments_json));
      }
    }
    if (session.large) {
      session.bytes = kEntryBytes * (1 + session.withheld.size());
    }
  }
  bytes_ += session.bytes;
  sessions_.push_front(std::move(session));
  by_id_[id] = sessions_.begin();
  while (bytes_ > bytes_max_ && sessions_.size() > 1) {
    bytes_ -= sessions_.back().bytes;
    by_id_.erase(sessions_.back().id);
    sessions_.pop_back();
  }
  return sessions_.front();
}

std::optional<RecordedSessions::Stored> RecordedSessions::FindInLarge(const Session& session,
                                                                      const std::string& call) {
  const Result<memory::CallDetail> detail = store_.LoadCall(call);
  // An id of the log may be any text, and so the beginning of another.
  if (!detail.ok() || detail.value().call.id != call || detail.value().session_id != session.id) {
    return std::nullopt;
  }
  const std::string& arguments = detail.value().call.arguments_json;
  // Of all that was withheld, only what this call may name is read: a handle can be written in no other way.
  const Result<Json> parsed = ParseJson(arguments);
  const std::string plain = parsed.ok() ? DumpJson(parsed.value()) : std::string();
  of_large_ = {};
  for (const auto& [from, count] : session.withheld) {
    std::vector<std::string> texts(count);
    bool named = false;
    for (size_t i = 0; i < count; ++i) {
      named = named || plain.find('"' + of_large_.NextHandle(i) + '"') != std::string::npos;
    }
    if (named) {
      if (const Result<memory::CallDetail> read = store_.LoadCall(from); read.ok()) {
        const memory::CallRecord& call_then = read.value().call;
        texts = agent::ReadStoredWithheld(call_then.withheld, call_then.outcome_json).texts;
        texts.resize(count);
      }
    }
    for (std::string& text : texts) {
      of_large_.Keep(std::move(text), {});
    }
  }
  return Stored{session.workspace, arguments, of_large_.size() > 0 ? &of_large_ : nullptr};
}

}  // namespace nacre::cli
