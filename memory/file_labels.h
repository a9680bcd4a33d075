// FileLabels: what is known of files beyond the session that wrote them, kept where no call can reach it.
//
//   before = NACRE_TRY(labels.Join(workspace, written));    // before the files change: what was, and what will be
//   ... the files change ...
//   NACRE_TRY(labels.Settle(call, after));                  // now what will be is all there is
//
// A label is a set of words that mean something to the policy and nothing here. Joining is their union, so a crash
// between the two leaves a file with more words than it needs, never with fewer. Settle() touches only what nobody
// else has joined to since, so of two calls that write one file neither takes the other's words off.
//
// Paths are of the host: absolute, without links, ".", ".." or a trailing slash. They are bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::memory {

struct FileLabel {
  std::string path;
  std::vector<std::string> labels;  // sorted; in the store there is no row without any
  bool below = false;               // of all that lies below the path, too
  std::string
      digest;        // of the file as it was written: tells later whether somebody else changed it
  std::string call;  // the last that wrote it
  int64_t changed_ms = 0;

  friend bool operator==(const FileLabel&, const FileLabel&) = default;
};

// Of one workspace. One more, and the folder has one label for all that is below it: the union of theirs.
inline constexpr int64_t kFileLabelsMax = 10'000;

// Thread-safe; each call is one durable transaction, as with SessionStore.
class FileLabels {
 public:
  virtual ~FileLabels() = default;

  // The union for all paths: each one's own, those of what lies below it, and of folders above it that speak
  // for what is below.
  virtual Result<std::vector<std::string>> LabelsOf(const std::vector<std::string>& paths) = 0;

  // Answers what stood at those paths before. An entry without words only says who wrote last.
  virtual Result<std::vector<FileLabel>> Join(const std::string& workspace,
                                              const std::vector<FileLabel>& written) = 0;

  // Replaces the words, and with none the whole entry, where `call` was the last that joined.
  virtual Status Settle(const std::string& call, const std::vector<FileLabel>& after) = 0;

  // At the path and below it, sorted by path; and what speaks for it from above.
  virtual Result<std::vector<FileLabel>> ListFileLabels(const std::string& path) = 0;

  // Takes the labels off: exactly those that were listed, and not what a call has joined since. Answers how
  // many that were.
  virtual Result<int64_t> ClearFileLabels(const std::vector<FileLabel>& listed) = 0;
};

// Sorted words, one a line, and back.
std::string JoinWords(const std::vector<std::string>& words);
std::vector<std::string> SplitWords(const std::string& text);
// Sorted, each once.
std::vector<std::string> UnionOfWords(std::vector<std::string> a,
                                      const std::vector<std::string>& b);

}  // namespace nacre::memory
