#include "runtime/cli/session_deletion.h"

#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "runtime/audit/content_erase.h"
#include "runtime/audit/log_query.h"
#include "runtime/cli/audit_commands.h"

namespace nacre::cli {
namespace {

// Of the notes that the calls say they wrote. With a withheld text in it a note is another than the call's arguments.
std::vector<std::string> DigestsByCalls(const memory::SessionDetail& detail) {
  std::vector<std::string> digests;
  for (const memory::TurnRecord& turn : detail.turns) {
    for (const memory::StepRecord& step : turn.steps) {
      if (step.call.has_value() && step.call->tool == "memory.note" &&
          step.call->state == memory::CallState::kFinished && !step.call->result_error) {
        const auto arguments = ParseJson(step.call->arguments_json);
        digests.push_back(
            Sha256Text(arguments.ok() ? StringMember(arguments.value(), "text") : ""));
      }
    }
  }
  return digests;
}

// Of the notes that the session wrote, by the log; where records of it may be pruned, by its calls as well.
Result<std::vector<std::string>> NoteDigests(const audit::LogChange& change,
                                             const memory::SessionDetail& detail) {
  std::vector<std::string> digests;
  audit::RecordFilter filter;
  filter.session = detail.session.id;
  filter.event = "memory.noted";
  const audit::QueryOptions options{.index_directory = change.index_directory, .progress = {}};
  const audit::QueryReport report = NACRE_TRY(audit::QueryAuditLog(
      change.directory, filter, options, change.random, [&](uint64_t, const Json& record) {
        if (const Json* data = FindMember(record, "data")) {
          digests.push_back(StringMember(*data, "digest"));
        }
        return true;
      }));
  if (!report.problems.empty()) {
    return Error{ErrorCode::kDataLoss,
                 "nobody knows which notes are the session's: " + report.problems.front()};
  }
  if (report.pruned.has_value()) {
    const std::vector<std::string> more = DigestsByCalls(detail);
    digests.insert(digests.end(), more.begin(), more.end());
  }
  return digests;
}

// The calls of which something is kept.
Result<std::vector<std::string>> KeptCalls(sandbox::TransactionLog& transactions,
                                           const memory::SessionDetail& detail) {
  std::vector<std::string> kept;
  for (const memory::TurnRecord& turn : detail.turns) {
    for (const memory::StepRecord& step : turn.steps) {
      if (!step.call.has_value()) {
        continue;
      }
      const auto found = NACRE_TRY(transactions.Find(step.call->id));
      if (found.has_value() && found->state == sandbox::TransactionState::kPending) {
        return Error{ErrorCode::kFailedPrecondition,
                     "call " + step.call->id + " is not settled yet; nacre call show says more"};
      }
      if (found.has_value()) {
        kept.push_back(step.call->id);
      }
    }
  }
  return kept;
}

}  // namespace

OrderedJson ToJson(const DeletedSession& deleted) {
  return {{"turns", deleted.rows.turns},
          {"calls", deleted.rows.calls},
          {"notes", deleted.rows.notes},
          {"transactions", deleted.transactions},
          {"record", deleted.record}};
}

Result<DeletedSession> DeleteSession(App& app, const std::string& session,
                                     const std::string& reason) {
  if (!IsUlid(session)) {
    return Error{ErrorCode::kInvalidArgument,
                 "name the session by its whole id: nacre session list shows it"};
  }
  memory::SessionStore* store = NACRE_TRY(app.Store());
  const auto detail = store->LoadSession(session);
  if (!detail.ok()) {
    // A crash, or a reader, may have kept the files from being cleaned.
    if (detail.error().code == ErrorCode::kNotFound) {
      NACRE_TRY(memory::EraseSession(app.database_path(), session, {}));
    }
    return detail.error();
  }
  sandbox::TransactionLog* transactions = NACRE_TRY(app.Transactions());
  const audit::LogChange change = ChangeOf(app);
  const std::vector<std::string> notes = NACRE_TRY(NoteDigests(change, detail.value()));
  const std::vector<std::string> calls = NACRE_TRY(KeptCalls(*transactions, detail.value()));
  DeletedSession deleted;
  deleted.record = NACRE_TRY(audit::RecordSessionDeleted(
      change, session, reason,
      {{"turns", detail.value().turns.size()}, {"transactions", calls.size()}}));
  for (const std::string& call : calls) {
    const bool erased = NACRE_TRY(transactions->Erase(call));
    deleted.transactions += erased ? 1 : 0;
  }
  deleted.rows = NACRE_TRY(memory::EraseSession(app.database_path(), session, notes));
  return deleted;
}

}  // namespace nacre::cli
