// A log in a temporary directory, for tests.
#pragma once

#include <fcntl.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temp_dir.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/layout.h"
#include "runtime/audit/note_key.h"
#include "tests/support/counting_random.h"
#include "tests/support/manual_clock.h"

namespace nacre::audit {

inline const std::string kFirstBundle = BundlePath(0);

// Without the zeros at its end, which are place for the next records.
inline std::string WithoutPlace(std::string bundle) {
  bundle.resize(bundle.find_last_not_of('\0') + 1);  // npos + 1 is 0
  return bundle;
}
// The records of a whole bundle.
inline std::vector<std::string> EntriesOf(std::string_view bundle) {
  std::vector<std::string> entries;
  std::string_view entry;
  while (FirstEntry(bundle, &entry) == EntryState::kWhole) {
    entries.emplace_back(entry);
    bundle.remove_prefix(kEntryPrefixBytes + entry.size());
  }
  REQUIRE(bundle.find_first_not_of('\0') == std::string_view::npos);
  return entries;
}
inline std::string BundleOf(const std::vector<std::string>& entries) {
  std::string bundle;
  for (const std::string& entry : entries) {
    AppendEntry(entry, &bundle);
  }
  return bundle;
}

inline AuditRecord Record(int number) {
  AuditRecord record;
  record.event = "call.decided";
  record.session = "01J00000000000000000000001";
  record.turn = "01J00000000000000000000002";
  record.call = "01J00000000000000000000003";
  record.policy_digest = "sha256:00";
  record.data = {{"tool", "fs.read"}, {"number", number}};
  return record;
}

// In memory where the host has it: the tests cut and change files themselves, thousands of times,
// and a real disk would only make that slow.
inline TempDir FastTempDir() {
  const std::string here = [] {
    const char* set = std::getenv("TMPDIR");
    return std::string(set != nullptr ? set : "/tmp");
  }();
  ::setenv("TMPDIR", "/dev/shm", 1);
  Result<TempDir> fast = TempDir::Create();
  ::setenv("TMPDIR", here.c_str(), 1);
  return fast.ok() ? std::move(fast).value() : TempDir::Create().value();
}

struct LogDirectory {
  TempDir temp = FastTempDir();
  std::string path = temp.path() + "/audit";
  testing::ManualClock clock;
  SystemRandom random;

  std::string File(const std::string& name) const { return path + "/" + name; }
  std::string Read(const std::string& name) const { return ReadFile(File(name), 1 << 24).value(); }
  void Write(const std::string& name, const std::string& content) const {
    const UniqueFd file(::open(File(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    REQUIRE(file.valid());
    REQUIRE(WriteAll(file.get(), content).ok());
  }

  Result<std::unique_ptr<AuditLog>> TryOpen() { return OpenAuditLog(path, clock, random); }
  std::unique_ptr<AuditLog> Open() {
    auto log = TryOpen();
    INFO((log.ok() ? "" : log.error().message));
    REQUIRE(log.ok());
    return std::move(log).value();
  }
  // Opens, appends `count` records and a checkpoint, closes.
  void Append(int count) {
    const auto log = Open();
    for (int i = 0; i < count; ++i) {
      REQUIRE(log->Append(Record(i)).ok());
    }
    REQUIRE(log->WriteCheckpoint().ok());
  }
  // As the log's key would sign it, whether or not it is true: what who has a key of their own can do.
  void Sign(const Checkpoint& checkpoint) const {
    const SigningKey key = SigningKey::Parse(Read(kKeyFile)).value();
    const std::string note = SignCheckpoint(checkpoint, key).value();
    Write(kHeadFile, note);
    Write(kCheckpointFile, note);
    Write(kCheckpointsFile, note + "\n");
  }
  VerifyReport Verify() const { return VerifyAuditLog(path).value(); }
  std::string Problems() const {
    std::string text;
    const VerifyReport report = Verify();
    for (const std::string& problem : report.problems) {
      text += problem + "\n";
    }
    return text;
  }
  // "log.opened call.decided ..."
  std::string Events() const {
    std::string text;
    REQUIRE(ReadAuditLog(path, 0, [&](uint64_t, const Json& record) {
              text += StringMember(record, "event") + " ";
              return true;
            }).ok());
    return text;
  }
  // With what was seen of it.
  void CopyTo(const std::string& other) const { Copy(path, other); }
  // As it was then, as if nothing had been seen since.
  void PutBack(const std::string& other) const { Copy(other, path); }

 private:
  static void Copy(const std::string& from, const std::string& to) {
    const std::string seen = LatestSeen(from).path();
    std::filesystem::remove_all(to);
    std::filesystem::remove(LatestSeen(to).path());
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    if (std::filesystem::exists(seen)) {
      std::filesystem::copy(seen, LatestSeen(to).path());
    }
  }
};

}  // namespace nacre::audit
