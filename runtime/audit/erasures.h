// Erasures: which keys of contents were destroyed on purpose, by whose reason. A key that is not there says only that its
// content cannot be read: that somebody erased it is what a signed record says, and without one it was lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/random.h"
#include "base/result.h"

namespace nacre::audit {

// Reads the log when it is asked first: `content.erased` under the newest signature. What was signed since then is
// read as well when a key is asked for that none of them names. Not thread-safe. Borrows `random`.
class Erasures final {
 public:
  // `index_directory` as in QueryOptions: with none, that reading takes the whole log.
  Erasures(std::string directory, std::string index_directory, Random& random)
      : directory_(std::move(directory)),
        index_directory_(std::move(index_directory)),
        random_(random) {}

  // Of what OpenContents() has told as `erased`: when (`erased_on`), why (`erased_reason`) and which record says so
  // (`erased_record`); or, where none does, `unreadable` in its place.
  void Explain(Json* record);

 private:
  struct Erasure {
    uint64_t record = 0;
    std::string time;
    std::string reason;
  };
  // What is under the newest signature and was not yet under the one before.
  void Load();
  // Since it was asked before; true the first time.
  bool HasGrown();
  void ExplainOne(const std::string& session, Json* entry);

  const std::string directory_;
  const std::string index_directory_;
  Random& random_;
  std::optional<uint64_t> hint_;  // what `head` said then
  uint64_t known_ = 0;            // so many records were signed when they were read
  std::string problem_;           // not all of the log was to be read
  std::string pruned_;            // what went from it may have said so
  std::map<std::pair<std::string, std::string>, Erasure> erased_;  // by session and key
};

}  // namespace nacre::audit
