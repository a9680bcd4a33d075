// The newest signed state of a log, for those who read it without a lock: one idea of which that is.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/key_chain.h"

namespace nacre::audit {

struct NewestCheckpoint {
  Checkpoint checkpoint;
  std::string note;  // as it was signed
  uint64_t published_size =
      0;  // of `checkpoint`: partial tiles of this size may be there; 0 when there is none
};

// The larger one of `head` and `checkpoint` whose signature holds; both are read again when a writer is just
// replacing them. An error, that of `head`, when neither holds: which of them is wrong is `nacre audit verify`'s.
Result<NewestCheckpoint> ReadNewestCheckpoint(const std::string& directory, const KeyChain& keys);

}  // namespace nacre::audit
