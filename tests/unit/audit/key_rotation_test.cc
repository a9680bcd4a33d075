// A log that gets new keys: what old keys signed still verifies, and each key vouches for the next only.
#include <catch2/catch.hpp>

#include <cstdlib>

#include "runtime/audit/key_chain.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/newest_checkpoint.h"
#include "runtime/audit/record_lookup.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

std::string Rotate(LogDirectory& log) {
  auto writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage());
  REQUIRE(writer.ok());
  const auto key = writer.value()->RotateKey();
  INFO((key.ok() ? "" : key.error().message));
  REQUIRE(key.ok());
  return key.value();
}

bool Says(const VerifyReport& report, const std::string& text) {
  for (const std::string& problem : report.problems) {
    if (problem.find(text) != std::string::npos) {
      return true;
    }
  }
  UNSCOPED_INFO((report.problems.empty() ? "no problem" : report.problems.front()));
  return false;
}

}  // namespace

TEST_CASE("a log goes on under a new key, and what old keys signed still verifies") {
  LogDirectory log;
  log.Append(3);
  const std::string first = log.Read(kPublicKeyFile);
  const std::string kept = log.Read(kCheckpointFile);
  const std::string old_private = log.Read(kKeyFile);
  const std::string second = Rotate(log);
  CHECK(log.Read(kPublicKeyFile) == second);
  CHECK(log.Read(kKeyFile) != old_private);
  CHECK_FALSE(std::filesystem::exists(log.File(kNextKeyFile)));
  CHECK(log.Verify().problems.empty());  // also while the old key has signed last
  log.Append(300);
  const std::string third = Rotate(log);
  log.Append(2);

  const VerifyReport report = log.Verify();
  INFO(log.Problems());
  CHECK(report.ok);
  CHECK(report.keys == 3);
  CHECK(report.covered == report.records);
  for (const std::string& trusted : {first, second, third}) {
    const VerifyReport since =
        VerifyAuditLog(log.path, {.trusted_key = trusted, .since = kept}).value();
    CHECK(since.ok);
    CHECK(since.read < report.read);
  }
  CHECK(log.Events().find("call.decided log.opened log.key_rotated log.opened") !=
        std::string::npos);
  const KeyChain keys = KeyChain::Load(log.path).value();
  CHECK(keys.KeyFor(0).ToText() == first);
  CHECK(keys.KeyFor(keys.changes()[0].at.size).ToText() == first);
  CHECK(keys.KeyFor(keys.changes()[0].at.size + 1).ToText() == second);
  CHECK(keys.current().ToText() == third);
  CHECK(FindRecord(log.path, "5").value().unproven_because == "");

  // A program that is not ours follows the keys as well.
  const std::string directory = " '" + log.path + "' > /dev/null";
  CHECK(std::system(
            ("python3 -B '" NACRE_SOURCE_DIR "/tests/unit/audit/verify.py'" + directory).c_str()) ==
        0);  // Go: tile_test.cc
}

TEST_CASE("whoever has the log open goes on with the new key") {
  LogDirectory log;
  const auto open = log.Open();
  REQUIRE(open->Append(Record(1)).ok());
  Rotate(log);
  REQUIRE(open->Append(Record(2)).ok());
  REQUIRE(open->WriteCheckpoint().ok());
  REQUIRE(open->WriteCheckpoint().ok());
  Rotate(log);
  REQUIRE(open->WriteCheckpoint().ok());
  REQUIRE(open->Append(Record(3)).ok());
  INFO(log.Problems());
  CHECK(log.Verify().ok);
}

TEST_CASE("nothing signed at the change is signed twice") {
  LogDirectory log;
  log.Append(1);
  auto writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value();
  REQUIRE(writer->RotateKey().ok());
  const std::string before = log.Read(kCheckpointsFile);
  REQUIRE(writer->WriteCheckpoint().ok());
  CHECK(log.Read(kCheckpointsFile) == before);
  CHECK(log.Verify().ok);
}

TEST_CASE(
    "a key that was never introduced is named, and an old key signs nothing newer than its "
    "change") {
  LogDirectory log;
  log.Append(3);
  const SigningKey old = SigningKey::Parse(log.Read(kKeyFile)).value();
  const std::string old_public = log.Read(kPublicKeyFile);
  const SigningKey foreign = SigningKey::Generate(old.verifying_key().name(), log.random).value();
  const std::string foreign_public = foreign.verifying_key().ToText();
  Rotate(log);
  log.Append(3);
  REQUIRE(log.Verify().ok);
  const Checkpoint newest =
      ReadNewestCheckpoint(log.path, KeyChain::Load(log.path).value()).value().checkpoint;
  const std::string head = log.Read(kHeadFile);
  const std::string keys = log.Read(kKeysFile);

  SECTION("another key in key.pub") {
    log.Write(kPublicKeyFile, foreign_public);
    CHECK(Says(log.Verify(), "was never introduced"));
    CHECK(log.TryOpen().error().code == ErrorCode::kDataLoss);
  }
  SECTION("a checkpoint of a key that nobody knows") {
    log.Write(kHeadFile, SignCheckpoint(newest, foreign).value());
    CHECK(Says(log.Verify(), "never introduced"));
  }
  SECTION("a checkpoint of the old key, newer than the change") {
    log.Write(kHeadFile, SignCheckpoint(newest, old).value());
    CHECK(Says(log.Verify(), "head: it is signed by the key "));
  }
  SECTION("a change that the old key did not sign") {
    const Checkpoint at = KeyChain::Load(log.path).value().changes()[0].at;
    log.Write(kKeysFile, old_public + "\n" + SignKeyChange(at, foreign, foreign).value() + "\n");
    log.Write(kPublicKeyFile, foreign_public);
    CHECK(Says(log.Verify(), "keys: change 1"));
  }
  SECTION("a change that the log does not tell of: the old key was stolen") {
    log.Write(kKeysFile, old_public + "\n" + SignKeyChange(newest, foreign, old).value() + "\n");
    log.Write(kPublicKeyFile, foreign_public);
    log.Write(kKeyFile, foreign.ToText());
    CHECK_FALSE(log.Verify().ok);
    CHECK(Says(log.Verify(), "change 1 of the key is not recorded in it"));
  }
  SECTION("another past, made with a stolen old key, that ends in the genuine new key") {
    const std::string genuine = log.Read(kPublicKeyFile);
    const std::string text =
        CheckpointText(newest, old.verifying_key().name()) + "next-key " + genuine;
    const std::string by_old = SignNote(text, old).value();
    const std::string line = SignNote(text, foreign).value().substr(text.size() + 1);
    log.Write(kKeysFile, old_public + "\n" + by_old + "\n");
    CHECK(Says(log.Verify(), "keys: change 1"));
    log.Write(kKeysFile, old_public + "\n" + by_old + line + "\n");
    CHECK(Says(log.Verify(), "keys: change 1: the key that it introduces did not sign it"));
  }
  SECTION("no changes, or another trusted key") {
    CHECK(Says(VerifyAuditLog(log.path, {.trusted_key = foreign_public}).value(),
               "not the trusted key"));
    std::filesystem::remove(log.File(kKeysFile));
    CHECK_FALSE(log.Verify().ok);
  }
  SECTION("any byte") {
    for (size_t i = 0; i < keys.size(); ++i) {
      CAPTURE(i);
      std::string changed = keys;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      log.Write(kKeysFile, changed);
      REQUIRE_FALSE(log.Verify().ok);
      log.Write(kKeysFile, keys.substr(0, i));
      REQUIRE_FALSE(log.Verify().ok);
    }
  }
}

}  // namespace nacre::audit
