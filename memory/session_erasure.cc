#include "memory/session_erasure.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "memory/migrations.h"
#include "memory/sqlite.h"

namespace nacre::memory {
namespace {

Result<int64_t> EraseNotes(Database& database, const std::string& workspace,
                           const std::vector<std::string>& digests) {
  std::vector<std::pair<int64_t, std::string>> notes;
  {
    Statement row =
        NACRE_TRY(database.Query("SELECT id, text FROM notes WHERE workspace = ?", workspace));
    while (NACRE_TRY(row.Next())) {
      std::string text = row.Text(1);
      if (std::find(digests.begin(), digests.end(), Sha256Text(text)) != digests.end()) {
        notes.emplace_back(row.Int(0), std::move(text));
      }
    }
  }
  for (const auto& [id, text] : notes) {
    NACRE_TRY(database.Run("DELETE FROM notes WHERE id = ?", id));
  }
  if (!notes.empty()) {
    // A deletion of single words would leave them in the index's older parts until these are merged.
    NACRE_TRY(database.Run("INSERT INTO notes_words (notes_words) VALUES ('rebuild')"));
  }
  return static_cast<int64_t>(notes.size());
}

Result<ErasedSession> EraseRows(Database& database, const std::string& id,
                                const std::vector<std::string>& note_digests) {
  Transaction transaction = NACRE_TRY(Transaction::Begin(database));
  std::string workspace;
  {
    Statement row = NACRE_TRY(database.Query("SELECT workspace FROM sessions WHERE id = ?", id));
    const bool found = NACRE_TRY(row.Next());
    if (!found) {
      return Error{ErrorCode::kNotFound, "no session " + id};
    }
    workspace = row.Text(0);
  }
  ErasedSession erased;
  erased.notes = NACRE_TRY(EraseNotes(database, workspace, note_digests));
  NACRE_TRY(database.Run(
      "DELETE FROM calls WHERE turn_id IN (SELECT id FROM turns WHERE session_id = ?)", id));
  erased.calls = database.changes();
  NACRE_TRY(database.Run(
      "DELETE FROM steps WHERE turn_id IN (SELECT id FROM turns WHERE session_id = ?)", id));
  NACRE_TRY(database.Run("DELETE FROM turns WHERE session_id = ?", id));
  erased.turns = database.changes();
  NACRE_TRY(database.Run("DELETE FROM sessions WHERE id = ?", id));
  NACRE_TRY(transaction.Commit());
  return erased;
}

// Deleted content is overwritten with zeros (secure_delete), but pages that were split have copies in their gaps.
Status Clean(Database& database) {
  NACRE_TRY(database.Vacuum());
  Statement row = NACRE_TRY(database.Query("PRAGMA wal_checkpoint(TRUNCATE)"));
  const bool answered = NACRE_TRY(row.Next());
  if (!answered || row.Int(0) != 0) {
    return Error{ErrorCode::kUnavailable,
                 "the session is deleted, but " + database.path() +
                     "-wal still has parts of it, since another process is reading: do it again"};
  }
  return Ok();
}

}  // namespace

Result<ErasedSession> EraseSession(const std::string& path, const std::string& session_id,
                                   const std::vector<std::string>& note_digests) {
  Database database = NACRE_TRY(Database::Open(path));
  NACRE_TRY(CheckSchemaVersion(database));
  auto erased = EraseRows(database, session_id, note_digests);
  if (erased.ok() || erased.error().code == ErrorCode::kNotFound) {
    NACRE_TRY(Clean(database));
  }
  return erased;
}

}  // namespace nacre::memory
