// Calls of the audit log as they were judged then, for who judges them again or learns from them.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "policy/given_context.h"
#include "policy/request.h"
#include "runtime/app.h"
#include "runtime/audit/content_keys.h"
#include "runtime/cli/recorded_sessions.h"
#include "tools/registry.h"

namespace nacre::cli {

// Why a record's arguments are not shown: those of the database are others than those that were judged.
inline constexpr const char* kOtherArguments =
    "its arguments are not those that the log has the digest of";

// Not thread-safe. Borrows both.
class RecordedCalls final {
 public:
  RecordedCalls(App& app, const tools::Registry& registry)
      : app_(app), registry_(registry), keys_(app.audit_directory()) {}

  // The call of a `call.decided` record: its arguments are those of the log where it has them, else those
  // of the database, and only when the recorded digest is theirs. Otherwise nullopt, and `why` in words.
  // Arguments in which a withheld text stands for its handle are marked as they were then.
  std::optional<policy::Request> RequestOf(const Json& record, std::string& why);

 private:
  bool FollowAsThen(const Json& record, const std::string& workspace,
                    policy::Request& request) const;

  App& app_;
  const tools::Registry& registry_;
  const audit::ContentKeys keys_;
  std::optional<RecordedSessions> sessions_;  // once the database is needed
};

// The `call.decided` record of a call, by its whole id; nullopt where the log has none any more.
Result<std::optional<Json>> FindDecision(App& app, const std::string& call);

// The context that a call was judged in, by its record.
struct JudgedIn {
  policy::GivenContext context;
  bool origins = false;  // the record says who named its arguments
};
JudgedIn ContextOf(const Json& record);

}  // namespace nacre::cli
