// Erasing a session's contents from a log: its keys are destroyed, the records stay as they were signed.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/audit/legal_hold.h"

namespace nacre::audit {

inline constexpr char kContentErasedEvent[] = "content.erased";
inline constexpr char kSessionDeletedEvent[] = "session.deleted";

// Records it first (`content.erased`, under a checkpoint), then destroys the keys; a crash in between leaves keys, and the
// same call completes it. Answers the ids of the keys. kNotFound when the session has none here, kFailedPrecondition,
// naming it, when a hold is on the session or one of its records, kInvalidArgument for what is no session or reason.
Result<std::vector<std::string>> EraseContents(const LogChange& change, const std::string& session,
                                               const std::string& reason);

// That nothing forbids either: kFailedPrecondition, naming it, when a hold is on the session or one of its records.
Status CheckNotHeld(const LogChange& change, const std::string& session);

struct TenantSessions {
  std::vector<std::string> own;      // their first record that is still there says this tenant
  std::vector<std::string> pruned;   // no record of them is there any more
  std::vector<std::string> unnamed;  // that record is from before records said a tenant
};

// Whose `sessions` are; those of other tenants are in no list. kDataLoss when the records are not as they were signed.
Result<TenantSessions> SessionsOfTenant(const LogChange& change, const std::string& tenant,
                                        const std::vector<std::string>& sessions);

// For who is about to delete a session elsewhere: `session.deleted`, with the members of `data`, the session and the
// reason, under a checkpoint. Answers the record's index. Fails as EraseContents() does.
Result<uint64_t> RecordSessionDeleted(const LogChange& change, const std::string& session,
                                      const std::string& reason, Json data);

}  // namespace nacre::audit
