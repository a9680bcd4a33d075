// Deleting a session: its texts in the database and what its calls left for being taken back. The audit log keeps its
// records.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "memory/session_erasure.h"
#include "runtime/app.h"

namespace nacre::cli {

struct DeletedSession {
  memory::ErasedSession rows;
  uint64_t transactions = 0;
  uint64_t record = 0;  // of the log, that says so
};

// Records `session.deleted`, under a checkpoint, then deletes; the same call completes what a crash interrupted. The
// caller holds the session's lease. kInvalidArgument unless `session` is a whole id; kFailedPrecondition, naming it, while
// a hold is on the session or on one of its records, or one of its calls is not settled; kNotFound when there is none.
Result<DeletedSession> DeleteSession(App& app, const std::string& session,
                                     const std::string& reason);

OrderedJson ToJson(const DeletedSession& deleted);

}  // namespace nacre::cli
