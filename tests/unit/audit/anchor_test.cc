// Checkpoints that are kept and signed elsewhere: what they show that the log alone cannot.
#include <catch2/catch.hpp>

#include "runtime/audit/cosignature.h"
#include "runtime/audit/key_chain.h"
#include "runtime/audit/log_anchor.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/newest_checkpoint.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

const WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

AnchorReport Anchor(LogDirectory& log, const std::string& file,
                    const SigningKey* witness = nullptr) {
  const auto report = AnchorLog(log.path, file, {.witness = witness}, kNow);
  INFO((report.ok() ? "" : report.error().message));
  REQUIRE(report.ok());
  return report.value();
}

}  // namespace

TEST_CASE("an anchor shows that the end was cut off, and that an older copy took the log's place") {
  LogDirectory log;
  const std::string file = log.temp.path() + "/anchor";
  log.Append(3);
  CHECK(Anchor(log, file).added);
  const std::string older = log.temp.path() + "/older";
  log.CopyTo(older);
  CHECK_FALSE(Anchor(log, file).added);  // nothing new
  log.Append(300);
  CHECK(Anchor(log, file).added);
  {
    REQUIRE(
        LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value()->RotateKey().ok());
  }
  log.Append(2);
  const AnchorReport last = Anchor(log, file);
  CHECK(last.added);
  CHECK(last.records == log.Verify().records);
  const std::string anchor = ReadFile(file, 1 << 20).value();
  CHECK(SplitNotes(anchor).value().size() == 3);
  const VerifyReport good = VerifyAuditLog(log.path, {.since = anchor}).value();
  CHECK(good.ok);
  CHECK(good.read == 0);

  // The older copy verifies by itself, and not against the anchor; nothing is added for it.
  CHECK(VerifyAuditLog(older).value().ok);
  const VerifyReport replaced = VerifyAuditLog(older, {.since = anchor}).value();
  CHECK_FALSE(replaced.ok);
  const auto refused = AnchorLog(older, file, {}, kNow);
  REQUIRE(refused.ok());
  CHECK_FALSE(refused.value().verified.ok);
  CHECK(ReadFile(file, 1 << 20).value() == anchor);

  // Another history of the same length, with the same key: the older copy that went on differently.
  LogDirectory other;
  std::filesystem::create_directories(other.path);
  std::filesystem::remove_all(other.path);
  std::filesystem::copy(older, other.path, std::filesystem::copy_options::recursive);
  other.Append(600);
  CHECK(other.Verify().ok);
  const std::string two = anchor.substr(0, anchor.rfind(SplitNotes(anchor).value()[2]));
  const VerifyReport forked = VerifyAuditLog(other.path, {.since = two}).value();
  CHECK_FALSE(forked.ok);
  CHECK(forked.first_bad.has_value());
}

TEST_CASE("a file that is no anchor is refused and kept; an unfinished end is cut off") {
  LogDirectory log;
  log.Append(3);
  const std::string file = log.temp.path() + "/anchor";
  Anchor(log, file);
  const std::string anchor = ReadFile(file, 1 << 20).value();
  REQUIRE(WriteFileAtomically(file, anchor + anchor.substr(0, 40)).ok());
  log.Append(1);
  CHECK(Anchor(log, file).added);
  const std::string longer = ReadFile(file, 1 << 20).value();
  CHECK(longer.starts_with(anchor));
  CHECK(SplitNotes(longer).value().size() == 2);
  // A whole note is kept where the empty line behind it is missing: a copy of `checkpoint` is a beginning.
  REQUIRE(WriteFileAtomically(file, log.Read(kCheckpointFile)).ok());
  const std::string copied = ReadFile(file, 1 << 20).value();
  log.Append(1);
  CHECK(Anchor(log, file).added);
  CHECK(ReadFile(file, 1 << 20).value().starts_with(copied + "\n"));
  CHECK(SplitNotes(ReadFile(file, 1 << 20).value()).value().size() == 2);
  REQUIRE(WriteFileAtomically(file, longer).ok());
  // A note of it that was changed is no unfinished end.
  std::string changed = longer;
  changed[anchor.size() / 2] ^= 1;
  REQUIRE(WriteFileAtomically(file, changed).ok());
  const auto report = AnchorLog(log.path, file, {}, kNow);
  CHECK((!report.ok() || !report.value().verified.ok));
  CHECK(ReadFile(file, 1 << 20).value() == changed);
  CHECK_FALSE(AnchorLog(log.path, log.temp.path() + "/none/anchor", {}, kNow).ok());
  CHECK_FALSE(AnchorLog(log.temp.path() + "/none", file, {}, kNow).ok());
  for (const char* text : {"x", "x\n", "x\n\n", "x\n\ny\n", "\n\n\n", "x\n\n\xe2\x80\x94 a b"}) {
    CAPTURE(text);
    CHECK_FALSE(SplitNotes(text).ok());
    CHECK_FALSE(VerifyAuditLog(log.path, {.since = text}).value().ok);
  }
}

TEST_CASE(
    "a file of anybody else is not cut, and an anchor that lost its end is not taken for a new "
    "one") {
  LogDirectory log;
  log.Append(3);
  LogDirectory other;
  other.Append(3);
  const std::string file = log.temp.path() + "/anchor";
  const std::string foreign = other.Read(kCheckpointFile);
  const std::string own = log.Read(kCheckpointFile);
  for (const std::string& text :
       {std::string("precious\n"), std::string("x"), std::string("a\n\nb\n\nc"),
        std::string(300, '\x7f'), std::string("\0\n\n\1", 4), foreign.substr(0, foreign.size() - 3),
        own + "\n" + foreign.substr(0, 50), own + "\nprecious\n",
        own.substr(0, 50) + std::string(kCheckpointBytesMax, 'x')}) {
    CAPTURE(text);
    REQUIRE(WriteFileAtomically(file, text).ok());
    const auto refused = AnchorLog(log.path, file, {}, kNow);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kDataLoss);
    CHECK(ReadFile(file, 1 << 20).value() == text);
  }
  // Its own unfinished note is what a crash leaves, wherever it was cut.
  for (size_t size = 1; size + 1 < own.size(); ++size) {
    CAPTURE(size);
    REQUIRE(WriteFileAtomically(file, own.substr(0, size)).ok());
    const AnchorReport report = Anchor(log, file);
    REQUIRE(report.added);
    REQUIRE(report.cut_bytes == size);
    REQUIRE(ReadFile(file, 1 << 20).value() == own + "\n");
  }
}

TEST_CASE("an empty key, checkpoint or witness vouches for nothing: the log does not verify") {
  LogDirectory log;
  log.Append(3);
  const std::string own = log.Read(kCheckpointFile);
  CHECK(VerifyAuditLog(log.path, {}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.trusted_key = ""}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.trusted_key = "\n"}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.since = ""}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.since = "\n"}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.since = own, .witness = ""}).value().ok);
  const std::string file = log.temp.path() + "/anchor";
  const auto anchored = AnchorLog(log.path, file, {.trusted_key = ""}, kNow);
  CHECK((anchored.ok() && !anchored.value().verified.ok));
  CHECK_FALSE(std::filesystem::exists(file));
}

// Who holds the log's key can sign anything. What an anchor adds must be of the records that it kept.
TEST_CASE("a checkpoint that the kept records do not lead to is not added, whatever signed it") {
  LogDirectory log;
  log.Append(300);
  const std::string file = log.temp.path() + "/anchor";
  CHECK(Anchor(log, file).added);
  const std::string kept = ReadFile(file, 1 << 20).value();
  log.Append(300);
  const SigningKey key = SigningKey::Parse(log.Read(kKeyFile)).value();
  Checkpoint forged =
      ReadNewestCheckpoint(log.path, KeyChain::Load(log.path).value()).value().checkpoint;
  forged.root[0] ^= 1;
  const std::string note = SignCheckpoint(forged, key).value();
  log.Write(kHeadFile, note);
  log.Write(kCheckpointFile, note);
  const auto report = AnchorLog(log.path, file, {}, kNow);
  CHECK((!report.ok() || !report.value().verified.ok));
  CHECK(ReadFile(file, 1 << 20).value() == kept);
}

TEST_CASE("a witness's signature is C2SP's cosignature/v1, and no byte of it can be changed") {
  LogDirectory log;
  log.Append(3);
  const SigningKey witness = SigningKey::Generate("nacre/witness/W", log.random).value();
  const SigningKey other = SigningKey::Generate("nacre/witness/W", log.random).value();
  const std::string line = CosignerLine(witness.verifying_key());
  const std::string file = log.temp.path() + "/anchor";
  CHECK(Anchor(log, file).added);
  CHECK(Anchor(log, file, &witness).added);  // the same checkpoint, now with a witness
  CHECK_FALSE(Anchor(log, file, &witness).added);
  const std::string anchor = ReadFile(file, 1 << 20).value();
  const std::string note = SplitNotes(anchor).value().back();
  CHECK(CosignedAt(note, line).value() == 1'700'000'000);
  CHECK(VerifyAuditLog(log.path, {.since = anchor, .witness = line}).value().ok);
  CHECK_FALSE(
      VerifyAuditLog(log.path, {.since = anchor, .witness = CosignerLine(other.verifying_key())})
          .value()
          .ok);
  CHECK_FALSE(
      VerifyAuditLog(log.path, {.since = log.Read(kCheckpointFile), .witness = line}).value().ok);
  CHECK_FALSE(VerifyAuditLog(log.path, {.witness = line}).value().ok);
  CHECK_FALSE(CosignedAt(note, witness.verifying_key().ToText()).ok());  // a key of another kind
  const size_t begin = note.find("nacre/witness/W ");
  for (size_t i = begin; i < note.size(); ++i) {
    CAPTURE(i);
    std::string changed = note;
    changed[i] ^= 1;
    REQUIRE_FALSE(CosignedAt(changed, line).ok());
  }
  // Five fields of the specification: key id, time, signature, over "cosignature/v1", the time and the text.
  CHECK(line.starts_with("nacre/witness/W+"));
  CHECK(WithSignatureOf(note, log.Read(kPublicKeyFile).substr(0, 38)) == log.Read(kCheckpointFile));
}

}  // namespace nacre::audit
