// A copy of a log for somebody else: all that verifies it, and nothing that could sign it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::audit {

// Of what a damaged log is like.
constexpr size_t kCopyProblemsMax = 100;

struct CopyReport {
  uint64_t records = 0;  // up to the newest signature; later ones are not copied
  uint64_t files = 0;
  uint64_t bytes = 0;
  // Of a damaged log: what was left out of the copy, and why the copy does not verify; the first kCopyProblemsMax.
  std::vector<std::string> problems = {};
};

// Copies the log in `directory` to `destination`, which is made (0700) or is an empty folder; durable when it answers.
// Needs no lock, and may run while others write, prune and compress: the signatures are read first, and what they
// cover is there. `key`, `key.next` and `lock` are never copied, nor are keys of contents.
//
// The copy is verified: kDataLoss, with the first problem, when it does not. kAlreadyExists when the destination is not
// empty. After an error nothing is in it.
Result<CopyReport> CopyLog(const std::string& directory, const std::string& destination);

// As evidence: the log as it is, whether or not it verifies, with all files of one that can be read. What is no file of a
// log, a link or too large is left out and named. Without a lock, so of a log that is written meanwhile it may have more
// of one file than of another.
Result<CopyReport> CopyDamagedLog(const std::string& directory, const std::string& destination);

// Does it hold what signs its records? Whoever passes such a copy on passes on that as well.
bool HoldsPrivateKey(const std::string& directory);

}  // namespace nacre::audit
