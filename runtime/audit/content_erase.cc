#include "runtime/audit/content_erase.h"

#include <optional>

#include "base/ids.h"
#include "runtime/audit/content_keys.h"

namespace nacre::audit {
namespace {

Status CheckRequest(const std::string& session, const std::string& reason) {
  if (!IsUlid(session)) {
    return Error{ErrorCode::kInvalidArgument, "name the session by its whole id"};
  }
  return reason.empty() ? Ok() : CheckReason(reason);
}

// Recorded and signed while nobody writes, and no hold is on the session.
Result<uint64_t> Record(const LogChange& change, const std::string& session, AuditRecord record) {
  auto writer = NACRE_TRY(LogWriter::Open(change.directory, change.clock, change.random,
                                          change.storage, change.sessions));
  NACRE_TRY(CheckNotHeld(change, session));
  // Once more with nobody writing, and quick by now: the index is there.
  return writer->CommitSigned([&]() -> Result<AuditRecord> {
    NACRE_TRY(CheckNotHeld(change, session));
    return record;
  });
}

}  // namespace

Status CheckNotHeld(const LogChange& change, const std::string& session) {
  std::vector<Hold> holds;
  NACRE_TRY(LoadHolds(change.directory, change.index_directory, change.random, 0, &holds));
  const auto refuse = [](const Hold& hold) {
    return Error{ErrorCode::kFailedPrecondition, "nothing is erased: " + hold.ToText() +
                                                     " is in force; nacre audit release ends it"};
  };
  bool ranges = false;
  for (const Hold& hold : holds) {
    if (hold.session == session) {
      return refuse(hold);
    }
    ranges = ranges || hold.session.empty();
  }
  if (!ranges) {
    return Ok();
  }
  RecordFilter filter;
  filter.session = session;
  const Hold* holding = nullptr;
  const auto look = [&](uint64_t index, const Json&) {
    for (const Hold& hold : holds) {
      if (hold.session.empty() && hold.Holds(index, {})) {
        holding = &hold;
      }
    }
    return holding == nullptr;
  };
  const QueryOptions options{.index_directory = change.index_directory, .progress = {}};
  const QueryReport report =
      NACRE_TRY(QueryAuditLog(change.directory, filter, options, change.random, look));
  if (holding != nullptr) {
    return refuse(*holding);
  }
  if (!report.problems.empty()) {
    return Error{ErrorCode::kDataLoss, "nothing is erased: " + report.problems.front()};
  }
  return Ok();
}

Result<TenantSessions> SessionsOfTenant(const LogChange& change, const std::string& tenant,
                                        const std::vector<std::string>& sessions) {
  TenantSessions found;
  const QueryOptions options{
      .index_directory = change.index_directory, .explain_erased = false, .progress = {}};
  for (const std::string& session : sessions) {
    RecordFilter filter;
    filter.session = session;
    std::optional<std::string> said;
    const auto look = [&](uint64_t, const Json& record) {
      said = StringMember(record, "tenant");
      return false;
    };
    const QueryReport report =
        NACRE_TRY(QueryAuditLog(change.directory, filter, options, change.random, look));
    if (!said.has_value() && !report.problems.empty()) {
      return Error{ErrorCode::kDataLoss,
                   "whose session " + session + " is cannot be told: " + report.problems.front()};
    }
    if (!said.has_value()) {
      found.pruned.push_back(session);
    } else if (said->empty()) {
      found.unnamed.push_back(session);
    } else if (*said == tenant) {
      found.own.push_back(session);
    }
  }
  return found;
}

Result<std::vector<std::string>> EraseContents(const LogChange& change, const std::string& session,
                                               const std::string& reason) {
  NACRE_TRY(CheckRequest(session, reason));
  const ContentKeys keys(change.directory);
  std::vector<std::string> ids = NACRE_TRY(keys.IdsOf(session));
  if (ids.empty()) {
    return Error{ErrorCode::kNotFound,
                 "session " + session +
                     " has no contents under a key here: they were erased, or the policy's "
                     "audit: {content: full} was not set"};
  }
  NACRE_TRY(Record(change, session,
                   {.event = kContentErasedEvent,
                    .data = {{"session", session}, {"keys", ids}, {"reason", reason}}}));
  NACRE_TRY(keys.Destroy(session, change.storage));
  return ids;
}

Result<uint64_t> RecordSessionDeleted(const LogChange& change, const std::string& session,
                                      const std::string& reason, Json data) {
  NACRE_TRY(CheckRequest(session, reason));
  data["session"] = session;
  data["reason"] = reason;
  return Record(change, session, {.event = kSessionDeletedEvent, .data = std::move(data)});
}

}  // namespace nacre::audit
