// Contents in records, encrypted under a key of their session, so that they can be erased while the record stays as it
// was signed: AES-256-GCM, with the place of the content as associated data. docs/audit-log.md has the form.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/audit_record.h"
#include "runtime/audit/content_keys.h"

namespace nacre::audit {

// Each member of the record's data that has a `content` gets it as `sealed`, and a digest that tells nothing without
// the key. Digests of a call's arguments elsewhere in it become such digests as well.
Status SealContents(const ContentKey& key, Random& random, AuditRecord* record);

bool HasContent(const Json& data);
// In the bytes of a record: nothing is decrypted where this is false.
bool MayBeSealed(std::string_view record);

// Puts back what SealContents() sealed, as far as the keys are there: `content` and the key's id as `key`. Where one is
// not among the others, `erased`: true takes its place, which Erasures explains; where it is not here or does not fit, `unreadable` says why. What is in the
// record is hostile: nothing else is touched, and nothing is an error.
void OpenContents(const ContentKeys& keys, Json* record);

// Whether `entry`, a member of an opened record, has the digest of `text`.
bool IsDigestOf(const ContentKeys& keys, const std::string& session, const Json& entry,
                const std::string& text);

// A log whose records' contents are sealed before they reach `log`, under keys that are durable before. Thread-safe when
// `log` is. `on_failure` is told of each record that is refused because its key could not be made or found; what it answers
// does not matter: the next record is tried.
std::unique_ptr<AuditLog> SealingLog(std::unique_ptr<AuditLog> log, const std::string& directory,
                                     Random& random, Storage& storage = DiskStorage(),
                                     OnLogFailure on_failure = nullptr);

}  // namespace nacre::audit
