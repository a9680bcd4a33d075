#include "runtime/audit/latest_seen.h"

#include <sys/stat.h>
#include <unistd.h>

#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

constexpr size_t kCheckpointLines = 3;

Result<SeenCheckpoint> Parse(std::string note) {
  size_t end = 0;
  for (size_t line = 0; line < kCheckpointLines; ++line) {
    end = note.find('\n', end);
    if (end == std::string::npos) {
      return Error{ErrorCode::kDataLoss, "it is not a checkpoint"};
    }
    ++end;
  }
  SeenCheckpoint seen;
  seen.origin = note.substr(0, note.find('\n'));
  seen.checkpoint =
      NACRE_TRY(ParseCheckpointText(std::string_view(note).substr(0, end), seen.origin));
  if (seen.checkpoint.size == 0) {
    return Error{ErrorCode::kDataLoss, "it is a checkpoint of no records"};
  }
  seen.note = std::move(note);
  return seen;
}

}  // namespace

std::string SeenCheckpoint::Missing(uint64_t size) const {
  return "records " + std::to_string(size) + " to " + std::to_string(checkpoint.size - 1) + " of " +
         origin;
}

std::string SessionsWithoutRecords(uint64_t sessions) {
  return std::to_string(sessions) + (sessions == 1 ? " session" : " sessions") +
         " whose records are gone";
}

LatestSeen::LatestSeen(const std::string& directory)
    : directory_(directory), path_(BesideLog(directory, "-latest")) {}

Result<std::optional<SeenCheckpoint>> LatestSeen::Read() const {
  auto note = ReadRegularFile(path_, kCheckpointBytesMax);
  if (!note.ok()) {
    return note.error().code == ErrorCode::kNotFound
               ? Result<std::optional<SeenCheckpoint>>(std::nullopt)
               : WithContext(path_, note.error());
  }
  auto seen = Parse(std::move(note).value());
  if (!seen.ok()) {
    return WithContext(path_, seen.error());
  }
  return std::optional(std::move(seen).value());
}

Status LatestSeen::Remember(const std::string& note, Storage& storage) const {
  if (const auto there = ReadRegularFile(path_, kCheckpointBytesMax);
      there.ok() && there.value() == note) {
    return Ok();
  }
  return storage.Replace(path_, note, 0600);
}

Status LatestSeen::RememberNewer(const std::string& note, Storage& storage) const {
  struct stat info {};
  if (::stat(directory_.c_str(), &info) != 0 || info.st_uid != ::geteuid()) {
    return Ok();
  }
  const std::optional<SeenCheckpoint> there = NACRE_TRY(Read());
  const SeenCheckpoint seen = NACRE_TRY(Parse(note));
  const bool newer = !there.has_value() || (there->origin == seen.origin &&
                                            there->checkpoint.size < seen.checkpoint.size);
  return newer ? Remember(note, storage) : Ok();
}

}  // namespace nacre::audit
