#include "sandbox/workspace/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/digest.h"
#include "base/file.h"

namespace nacre::sandbox {
namespace {

constexpr std::string_view kMagic = "NACRETX1";
constexpr size_t kFooterBytes = 48;
constexpr size_t kHeaderBytesMax = 64 << 20;
constexpr int kHeaderDepthMax = 8;

Error Damaged(const std::string& what) {
  return {ErrorCode::kDataLoss, what};
}

Result<std::string> ReadWhole(const UniqueFd& file, uint64_t offset, uint64_t size) {
  Result<std::string> bytes = ReadAt(file.get(), offset, size);
  if (!bytes.ok()) {
    return WithContext("a journal", bytes.error());
  }
  if (bytes.value().size() < size) {
    return Damaged("a journal ends too early");
  }
  return bytes;
}

OrderedJson ExtentToJson(const Extent& extent) {
  return OrderedJson::array({extent.offset, extent.size});
}

Result<Extent> ExtentFromJson(const Json& change, std::string_view key, const EntryState& state,
                              uint64_t contents_bytes) {
  Extent extent;
  const Json* json = FindMember(change, key);
  if (state.type != EntryType::kFile || json == nullptr) {
    return extent;
  }
  if (!json->is_array() || json->size() != 2 || !(*json)[0].is_number_unsigned() ||
      !(*json)[1].is_number_unsigned()) {
    return Damaged("an extent of a journal is malformed");
  }
  extent = {(*json)[0].get<uint64_t>(), (*json)[1].get<uint64_t>()};
  if (extent.size != state.size || extent.offset > contents_bytes ||
      extent.size > contents_bytes - extent.offset) {
    return Damaged("an extent of a journal lies outside of it");
  }
  return extent;
}

std::string HeaderText(const JournalHeader& header) {
  OrderedJson changes = OrderedJson::array();
  for (const JournalChange& each : header.changes) {
    OrderedJson json = {{"path", EncodePath(each.change.path)},
                        {"before", EntryToJson(each.change.before)},
                        {"after", EntryToJson(each.change.after)}};
    if (!each.change.touched()) {
      json["before_at"] = ExtentToJson(each.before);
      json["after_at"] = ExtentToJson(each.after);
    }
    changes.push_back(std::move(json));
  }
  return DumpJson(OrderedJson{{"version", 1},
                              {"id", header.id},
                              {"workspace", EncodePath(header.workspace)},
                              {"created_ms", header.created_ms},
                              {"kind", header.kind == JournalKind::kUndo ? "undo" : "call"},
                              {"note", header.note},
                              {"changes", std::move(changes)}});
}

Status Finish(const UniqueFd& file, const JournalHeader& header, const StepHook& hook) {
  const std::string text = HeaderText(header);
  if (text.size() > kHeaderBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "the change is too large to be recorded"};
  }
  std::string footer(8, '\0');
  for (size_t i = 0; i < 8; ++i) {
    footer[i] = static_cast<char>(text.size() >> (8 * i) & 0xFFU);
  }
  const Sha256Digest digest = Sha256(text);
  footer.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  footer += kMagic;
  if (hook) {
    NACRE_TRY(hook("journal header"));
  }
  NACRE_TRY(WriteAll(file.get(), text));
  NACRE_TRY(WriteAll(file.get(), footer));
  if (hook) {
    NACRE_TRY(hook("journal fsync"));
  }
  if (::fsync(file.get()) != 0) {
    return SysError("fsync a journal", errno);
  }
  return Ok();
}

// Appends the content of a file and says where it lies.
Result<Extent> Append(const UniqueFd& file, uint64_t& end, const TreeRoot& tree,
                      const std::string& path, const EntryState& state, const StepHook& hook) {
  Extent extent{end, state.size};
  if (state.type != EntryType::kFile || state.size == 0) {
    return state.type == EntryType::kFile ? extent : Extent{};
  }
  if (hook) {
    NACRE_TRY(hook("journal content"));
  }
  const UniqueFd from = NACRE_TRY(tree.OpenFile(path));
  const Result<std::string> digest = CopyExtent(from, {0, state.size}, file);
  if (!digest.ok() && digest.error().code != ErrorCode::kDataLoss) {
    return digest.error();
  }
  if (!digest.ok() || digest.value() != state.digest) {
    return Error{ErrorCode::kAborted, EncodePath(path) + " changed while it was read"};
  }
  end += state.size;
  return extent;
}

}  // namespace

Result<std::string> CopyExtent(const UniqueFd& from, const Extent& extent, const UniqueFd& to) {
  Sha256Stream digest;
  std::array<char, 64 * 1024> buffer;
  uint64_t done = 0;
  while (done < extent.size) {
    const size_t want = std::min<uint64_t>(buffer.size(), extent.size - done);
    const ssize_t got =
        ::pread(from.get(), buffer.data(), want, static_cast<off_t>(extent.offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return SysError("read content", errno);
    }
    if (got == 0) {
      return Damaged("content ends too early");
    }
    const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
    digest.Update(bytes);
    NACRE_TRY(WriteAll(to.get(), bytes));
    done += static_cast<uint64_t>(got);
  }
  return "sha256:" + ToHex(digest.Finish());
}

Result<JournalHeader> ParseJournalHeader(std::string_view text, uint64_t contents_bytes) {
  const Json json =
      NACRE_TRY(ParseJson(text, {.bytes_max = kHeaderBytesMax, .depth_max = kHeaderDepthMax}));
  if (IntMember(json, "version") != 1) {
    return Damaged("a journal of another version");
  }
  JournalHeader header;
  header.id = StringMember(json, "id");
  header.workspace = NACRE_TRY(DecodePath(StringMember(json, "workspace")));
  header.created_ms = IntMember(json, "created_ms");
  const std::string kind = StringMember(json, "kind");
  if (kind != "call" && kind != "undo") {
    return Damaged("a journal of another kind");
  }
  header.kind = kind == "undo" ? JournalKind::kUndo : JournalKind::kCall;
  header.note = StringMember(json, "note");
  const Json* changes = FindMember(json, "changes");
  if (changes == nullptr || !changes->is_array()) {
    return Damaged("a journal without changes");
  }
  for (const Json& each : *changes) {
    JournalChange change;
    change.change.path = NACRE_TRY(DecodePath(StringMember(each, "path")));
    if (!IsTreePath(change.change.path) ||
        (!header.changes.empty() && change.change.path <= header.changes.back().change.path)) {
      return Damaged("a path of a journal is out of order or leads elsewhere");
    }
    const Json* before = FindMember(each, "before");
    const Json* after = FindMember(each, "after");
    if (before == nullptr || after == nullptr) {
      return Damaged("a change of a journal is incomplete");
    }
    change.change.before = NACRE_TRY(EntryFromJson(*before));
    change.change.after = NACRE_TRY(EntryFromJson(*after));
    change.before =
        NACRE_TRY(ExtentFromJson(each, "before_at", change.change.before, contents_bytes));
    change.after = NACRE_TRY(ExtentFromJson(each, "after_at", change.change.after, contents_bytes));
    for (const auto& [extent, state] :
         {std::pair(change.before, change.change.before), {change.after, change.change.after}}) {
      if (!change.change.touched() && state.type == EntryType::kFile && extent.size != state.size) {
        return Damaged("a change of a journal has no content");
      }
    }
    header.changes.push_back(std::move(change));
  }
  return header;
}

Result<Journal> Journal::Open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    return SysError("open " + path, errno);
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode) || size < kFooterBytes) {
    return Damaged(path + " is no journal");
  }
  const std::string footer = NACRE_TRY(ReadWhole(file, size - kFooterBytes, kFooterBytes));
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) {
    length |= static_cast<uint64_t>(static_cast<unsigned char>(footer[i])) << (8 * i);
  }
  if (!footer.ends_with(kMagic) || length > kHeaderBytesMax || length > size - kFooterBytes) {
    return Damaged(path + " is torn");
  }
  const uint64_t contents = size - kFooterBytes - length;
  const std::string text = NACRE_TRY(ReadWhole(file, contents, length));
  const Sha256Digest digest = Sha256(text);
  if (std::memcmp(digest.data(), footer.data() + 8, digest.size()) != 0) {
    return Damaged(path + " was changed");
  }
  Result<JournalHeader> header = ParseJournalHeader(text, contents);
  if (!header.ok()) {
    return WithContext(path, header.error());
  }
  return Journal(std::move(file), std::move(header).value());
}

Result<std::string> Journal::Content(const Extent& extent, uint64_t bytes_max) const {
  if (extent.size > bytes_max) {
    return Error{ErrorCode::kResourceExhausted,
                 "larger than " + std::to_string(bytes_max) + " bytes"};
  }
  return ReadWhole(file_, extent.offset, extent.size);
}

Status WriteJournal(const UniqueFd& file, JournalHeader header, const TreeRoot& before,
                    const TreeRoot& after, const StepHook& hook) {
  uint64_t end = 0;
  for (JournalChange& each : header.changes) {
    const Change& change = each.change;
    if (change.touched()) {
      continue;  // its content stays where it is: only its time is set
    }
    each.before = NACRE_TRY(Append(file, end, before, change.path, change.before, hook));
    each.after = NACRE_TRY(Append(file, end, after, change.path, change.after, hook));
  }
  return Finish(file, header, hook);
}

Status WriteInverse(const UniqueFd& file, const Journal& journal, int64_t now_ms,
                    const StepHook& hook) {
  JournalHeader header = journal.header();
  header.kind = JournalKind::kUndo;
  header.created_ms = now_ms;
  uint64_t end = 0;
  for (JournalChange& each : header.changes) {
    std::swap(each.change.before, each.change.after);
    std::swap(each.before, each.after);
    if (each.change.touched()) {
      continue;
    }
    for (auto [extent, state] : {std::pair(&each.before, &each.change.before),
                                 std::pair(&each.after, &each.change.after)}) {
      if (state->type != EntryType::kFile) {
        continue;
      }
      if (hook) {
        NACRE_TRY(hook("journal content"));
      }
      const std::string digest = NACRE_TRY(CopyExtent(journal.file(), *extent, file));
      if (digest != state->digest) {
        return Damaged("the content of " + EncodePath(each.change.path) + " was changed");
      }
      *extent = {end, state->size};
      end += state->size;
    }
  }
  return Finish(file, header, hook);
}

}  // namespace nacre::sandbox
