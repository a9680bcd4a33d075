#include "runtime/audit/newest_checkpoint.h"

#include <algorithm>

#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

struct Opened {
  Checkpoint checkpoint;
  std::string note;
};

Result<Opened> Open(const std::string& directory, const char* file, const KeyChain& keys) {
  constexpr int kTries = 3;  // `head` may be overwritten while we read it
  for (int i = 1;; ++i) {
    const auto note = ReadRegularFile(directory + "/" + file, kCheckpointBytesMax);
    if (!note.ok()) {
      return WithContext(file, note.error());
    }
    const auto checkpoint = keys.OpenCheckpoint(note.value());
    if (checkpoint.ok()) {
      return Opened{checkpoint.value(), note.value()};
    }
    if (i == kTries) {
      return WithContext(file, checkpoint.error());
    }
  }
}

}  // namespace

Result<NewestCheckpoint> ReadNewestCheckpoint(const std::string& directory, const KeyChain& keys) {
  const Result<Opened> published = Open(directory, kCheckpointFile, keys);
  const Result<Opened> head = Open(directory, kHeadFile, keys);
  if (!published.ok() && !head.ok()) {
    return head.error();
  }
  const uint64_t size = published.ok() ? published.value().checkpoint.size : 0;
  const Opened& newest =
      head.ok() && head.value().checkpoint.size >= size ? head.value() : published.value();
  return NewestCheckpoint{newest.checkpoint, newest.note, size};
}

}  // namespace nacre::audit
