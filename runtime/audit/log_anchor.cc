#include "runtime/audit/log_anchor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "runtime/audit/cosignature.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/newest_checkpoint.h"

namespace nacre::audit {
namespace {

// What a crash leaves of a note of the log with this name. Anything else is somebody's, and is not ours to cut off.
bool IsUnfinishedNote(std::string_view text, const std::string& name) {
  const std::string first_line = name + "\n";
  return text.size() < kCheckpointBytesMax &&
         (text.starts_with(first_line) || first_line.starts_with(text));
}

// Cuts off what is behind the first `at` bytes.
Status Append(const std::string& file, uint64_t at, const std::string& text) {
  const UniqueFd out(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600));
  if (!out) {
    return SysError("open " + file, errno);
  }
  if (::ftruncate(out.get(), static_cast<off_t>(at)) != 0 ||
      ::lseek(out.get(), static_cast<off_t>(at), SEEK_SET) < 0) {
    return SysError("append to " + file, errno);
  }
  NACRE_TRY(WriteAll(out.get(), text));
  return ::fdatasync(out.get()) == 0 ? Ok() : Status(SysError("sync " + file, errno));
}

}  // namespace

Result<AnchorReport> AnchorLog(const std::string& directory, const std::string& file,
                               const AnchorOptions& options, WallTime now) {
  auto kept = file.empty() ? Result<std::string>(std::string())
                           : ReadRegularFile(file, kAnchorBytesMax, Links::kFollow);
  if (!kept.ok() && kept.error().code != ErrorCode::kNotFound) {
    return kept.error();
  }
  auto loaded = KeyChain::Load(directory);
  if (!loaded.ok() && loaded.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kDataLoss, loaded.error().message};
  }
  const KeyChain keys = NACRE_TRY(std::move(loaded));
  const std::string before = kept.ok() ? std::move(kept).value() : std::string();
  std::string text = before;
  // An unfinished note has up to one empty line. More is no crash, and stays as it is; so does a whole note
  // that only lacks the empty line behind it, as `checkpoint` itself does.
  for (int cuts = 0; cuts < 2 && !SplitNotes(text).ok() && !text.empty(); ++cuts) {
    const size_t whole = std::string_view(text).substr(0, text.size() - 1).rfind("\n\n");
    text.resize(whole == std::string::npos ? 0 : whole + 2);
  }
  const std::string_view unfinished = std::string_view(before).substr(text.size());
  if (!unfinished.empty() && !IsUnfinishedNote(unfinished, keys.name())) {
    return Error{ErrorCode::kDataLoss, file + ": it is no anchor of the log " + keys.name() +
                                           ": what is in it after " + std::to_string(text.size()) +
                                           " bytes is no note; nothing of it was changed"};
  }
  auto notes = SplitNotes(text);
  if (!notes.ok()) {
    return WithContext(file, notes.error());
  }
  const NewestCheckpoint newest = NACRE_TRY(ReadNewestCheckpoint(directory, keys));
  AnchorReport report;
  report.log = keys.name();
  report.verified = NACRE_TRY(
      VerifyAuditLog(directory, {.trusted_key = options.trusted_key,
                                 .since = text.empty() ? std::nullopt : std::optional(text),
                                 .seen = options.seen,
                                 .expected = newest.note}));
  report.records = newest.checkpoint.size;
  if (!report.verified.ok) {
    return report;
  }
  report.note = newest.note;
  if (options.witness != nullptr) {
    report.note = NACRE_TRY(Cosign(report.note, *options.witness, now));
  }
  if (!notes.value().empty()) {
    const std::string& last = notes.value().back();
    const bool same = WithSignatureOf(last, keys.name()) == newest.note;
    const bool signed_already =
        options.witness == nullptr ||
        CosignedAt(last, CosignerLine(options.witness->verifying_key())).ok();
    if (same && signed_already) {
      report.note = last;
      return report;
    }
  }
  if (file.empty()) {
    return report;
  }
  const std::string gap = text.empty() || text.ends_with("\n\n") ? "" : "\n";
  NACRE_TRY(Append(file, text.size(), gap + report.note + "\n"));
  report.added = true;
  report.cut_bytes = unfinished.size();
  return report;
}

}  // namespace nacre::audit
