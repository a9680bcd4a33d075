#include "memory/migrations.h"

#include <string>
#include <utility>

namespace nacre::memory {
namespace {

Error WrongVersion(const Database& database, int64_t version) {
  return {ErrorCode::kFailedPrecondition,
          "session store " + database.path() + " has schema version " + std::to_string(version) +
              ", this nacre knows " + std::to_string(kSchemaVersion) +
              ": use the newer nacre that wrote it, or another state directory"};
}

Error ForeignDatabase(const Database& database) {
  return {ErrorCode::kFailedPrecondition,
          database.path() + " is the database of another program: choose another state directory"};
}

}  // namespace

Status Migrate(Database& database) {
  Transaction transaction = NACRE_TRY(Transaction::Begin(database));
  const int64_t application = NACRE_TRY(database.QueryInt("PRAGMA application_id"));
  const int64_t version = NACRE_TRY(database.QueryInt("PRAGMA user_version"));
  if (application == kApplicationId && version == kSchemaVersion) {
    return Ok();
  }
  if (application == kApplicationId) {
    if (version < 1 || version > kSchemaVersion) {
      return WrongVersion(database, version);
    }
  } else {
    const int64_t tables = NACRE_TRY(database.QueryInt("SELECT count(*) FROM sqlite_schema"));
    if (application != 0 || version != 0 || tables != 0) {
      return ForeignDatabase(database);
    }
    NACRE_TRY(database.Execute(kSchema0001));
    NACRE_TRY(database.Execute("PRAGMA application_id = " + std::to_string(kApplicationId)));
  }
  // A new database is at version 1 here.
  const int64_t from = application == kApplicationId ? version : 1;
  for (const auto& [to, schema] :
       {std::pair(2, kSchema0002), std::pair(3, kSchema0003), std::pair(4, kSchema0004),
        std::pair(5, kSchema0005), std::pair(6, kSchema0006)}) {
    if (from < to) {
      NACRE_TRY(database.Execute(schema));
    }
  }
  NACRE_TRY(database.Execute("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  return transaction.Commit();
}

Status CheckSchemaVersion(Database& database) {
  const int64_t application = NACRE_TRY(database.QueryInt("PRAGMA application_id"));
  if (application != kApplicationId) {
    return ForeignDatabase(database);
  }
  const int64_t version = NACRE_TRY(database.QueryInt("PRAGMA user_version"));
  return version == kSchemaVersion ? Ok() : Status(WrongVersion(database, version));
}

}  // namespace nacre::memory
