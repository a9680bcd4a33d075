// A whole log directory of hostile bytes: verified, read, searched, exported and opened for writing. Nothing may
// crash, what verifies must also be readable, and what is exported is what verifies. The input is the files one after another, each after its
// length in three bytes, big-endian, in the order below; one without bytes is no file. After them may come what is
// signed over them with a key of our own, as a fuzzer cannot: the number of records in eight bytes, big-endian, and
// the root, or else that of all records that are there.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/temp_dir.h"
#include "base/unique_fd.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/note_key.h"

namespace {

constexpr const char* kFiles[] = {"key.pub",
                                  "head",
                                  "checkpoints",
                                  "checkpoint",
                                  "tile/entries/000",
                                  "key",
                                  "tile/0/000",
                                  "tile/entries/001",
                                  "keys",
                                  "key.next",
                                  "pruned",
                                  "tile/entries/000.zst",
                                  "tile/7/000.p/1",
                                  "tile/entries/x001/000"};

// The same each time, so that a finding can be repeated.
class FixedRandom final : public nacre::Random {
 public:
  void Fill(std::span<uint8_t> bytes) override { std::fill(bytes.begin(), bytes.end(), 7); }
};

nacre::audit::Checkpoint CheckpointOf(const std::string& directory, std::string_view said) {
  constexpr size_t kSizeBytes = 8;
  nacre::audit::Checkpoint checkpoint;
  for (const char byte : said.substr(0, kSizeBytes)) {
    checkpoint.size = checkpoint.size << 8 | static_cast<uint8_t>(byte);
  }
  if (said.size() >= kSizeBytes + checkpoint.root.size()) {
    std::copy_n(said.begin() + kSizeBytes, checkpoint.root.size(), checkpoint.root.begin());
    return checkpoint;
  }
  nacre::audit::MerkleFrontier tree;
  nacre::audit::EntryReader reader(directory, 0);
  std::string_view entry;
  for (auto more = reader.Next(&entry); more.ok() && more.value(); more = reader.Next(&entry)) {
    tree.Append(nacre::audit::LeafHash(entry));
  }
  return {.size = tree.size(), .root = tree.Root()};
}

void Put(const std::string& path, std::string_view content) {
  const nacre::UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!nacre::WriteAll(out.get(), content).ok()) {
    std::abort();
  }
}

void Sign(const std::string& directory, std::string_view said) {
  FixedRandom random;
  static const nacre::audit::SigningKey key =
      nacre::audit::SigningKey::Generate("nacre/audit/01JD3Y5W0E9D3M6W8T1V2R4K5N", random).value();
  const std::string note = nacre::audit::SignCheckpoint(CheckpointOf(directory, said), key).value();
  Put(directory + "/key.pub", key.verifying_key().ToText());
  Put(directory + "/key", key.ToText());
  Put(directory + "/head", note);
  Put(directory + "/checkpoint", note);
  Put(directory + "/checkpoints", note + "\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const nacre::TempDir temp = nacre::TempDir::Create().value();
  static const std::string directory = temp.path() + "/audit";
  std::filesystem::remove_all(temp.path());
  std::filesystem::create_directories(directory + "/tile/entries/x001");
  std::filesystem::create_directories(directory + "/tile/7/000.p");
  std::filesystem::create_directories(directory + "/tile/0");
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (const char* file : kFiles) {
    size_t length = 0;
    for (int i = 0; i < 3 && !rest.empty(); ++i) {
      length = length << 8 | static_cast<uint8_t>(rest[0]);
      rest.remove_prefix(1);
    }
    const std::string_view content = rest.substr(0, length);
    rest.remove_prefix(content.size());
    if (!content.empty()) {
      Put(directory + "/" + file, content);
    }
  }
  if (!rest.empty()) {
    Sign(directory, rest);
  }
  const auto report = nacre::audit::VerifyAuditLog(directory, {.deep = true});
  uint64_t records = 0;
  const nacre::Status read =
      nacre::audit::ReadAuditLog(directory, 0, [&](uint64_t index, const nacre::Json&) {
        records = index + 1;
        return true;
      });
  if (!report.ok() || (report.value().ok && (!read.ok() || records != report.value().records))) {
    std::abort();
  }
  const nacre::SystemClock clock;
  nacre::SystemRandom random;
  const auto found = nacre::audit::QueryAuditLog(directory, {}, {}, random,
                                                 [](uint64_t, const nacre::Json&) { return true; });
  if (!found.ok() || (report.value().ok &&
                      (found.value().found != records - nacre::audit::FirstRecord(directory) ||
                       !found.value().problems.empty()))) {
    std::abort();
  }
  uint64_t lines = 0;
  const auto exported = nacre::audit::ExportLog(
      directory, {.format = nacre::audit::ExportFormat::kOcsf, .source = {}, .cursor_file = {}},
      [&](std::string_view text) {
        lines += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
        return nacre::Ok();
      });
  if (exported.ok() ? lines != exported.value() : report.value().ok) {
    std::abort();
  }
  const auto log = nacre::audit::OpenAuditLog(directory, clock, random);
  // Opening recovers, so what was good stays good.
  if (log.ok() && report.value().ok && !nacre::audit::VerifyAuditLog(directory).value().ok) {
    std::abort();
  }
  return 0;
}
