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

// Reads the log when it is asked first, and only then: `content.erased` under the newest signature. Not thread-safe.
// Borrows `random`.
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
  void Load();
  void ExplainOne(const std::string& session, Json* entry);

  const std::string directory_;
  const std::string index_directory_;
  Random& random_;
  bool loaded_ = false;
  std::string problem_;  // not all of the log was to be read
  std::string pruned_;   // what went from it may have said so
  std::map<std::pair<std::string, std::string>, Erasure> erased_;  // by session and key
};

}  // namespace nacre::audit
