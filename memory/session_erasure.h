// Erasing a session from the store, so that its texts are in none of the store's files any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::memory {

struct ErasedSession {
  int64_t turns = 0;
  int64_t calls = 0;
  int64_t notes = 0;
};

// Removes the session with its turns, steps and calls from the database at `path`, and those notes of its workspace
// whose digest ("sha256:...") is among `note_digests`: notes belong to a workspace, and which session wrote one is in
// the audit log only. Then the database is written anew and its write-ahead log emptied, so that no free page and no
// word of the notes' index is left of them.
//
// The caller holds the session's lease. The rows go at once or not at all; when only the cleaning failed (kUnavailable:
// another process was reading for too long), the same call completes it. kNotFound when there is no such session; the
// files are cleaned then as well. What the file system or the device kept of the bytes elsewhere is beyond it.
Result<ErasedSession> EraseSession(const std::string& path, const std::string& session_id,
                                   const std::vector<std::string>& note_digests);

}  // namespace nacre::memory
