// Migrations: bring a database from whatever version it has to the one this program knows.
#pragma once

#include "base/result.h"
#include "memory/sqlite.h"

namespace nacre::memory {

constexpr int kSchemaVersion = 6;
// "nacr" in PRAGMA application_id: file(1) and we can tell our databases from others'.
constexpr int kApplicationId = 0x6E616372;

extern const char kSchema0001[];  // memory/schema/0001_initial.sql
extern const char kSchema0002[];  // 0002_withheld.sql
extern const char kSchema0003[];  // 0003_labels.sql
extern const char kSchema0004[];  // 0004_use.sql
extern const char kSchema0005[];  // 0005_tenant.sql
extern const char kSchema0006[];  // 0006_tool_use.sql

// kFailedPrecondition, and nothing is changed, for a database of another program or of a newer
// nacre. All steps are one transaction: a crash leaves the old version or the new one.
Status Migrate(Database& database);

// ok when the database is ours and of exactly this version.
Status CheckSchemaVersion(Database& database);

}  // namespace nacre::memory
