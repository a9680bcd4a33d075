// What is handed on of a log verifies, whatever happened meanwhile, and signs nothing.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

#include "runtime/audit/checked_log.h"
#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_copy.h"
#include "runtime/audit/log_prune.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/merkle_tree.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

namespace fs = std::filesystem;

std::set<std::string> FilesOf(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) {
      names.insert(fs::relative(entry.path(), directory).string());
    }
  }
  return names;
}

}  // namespace

TEST_CASE("a copy has all that verifies the log and nothing that signs") {
  ChangeableLog log;
  log.Append(700);
  log.Append(3);
  if (GENERATE(false, true)) {
    REQUIRE(
        LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value()->RotateKey().ok());
    REQUIRE(PruneLog(log.Change(), {.before = 256, .rule = "before 256"}).ok());
    REQUIRE(CompressLog(log.Change(), "").ok());
    log.Append(2);
  }
  log.Write(kNextKeyFile, "a secret");
  const std::string copy = log.temp.path() + "/a/copy";
  const CopyReport report = CopyLog(log.path, copy).value();
  const VerifyReport verified = VerifyAuditLog(copy, {.deep = true}).value();
  CHECK(verified.problems.empty());
  CHECK(verified.ok);
  CHECK(verified.records == report.records);
  CHECK(verified.covered == report.records);
  CHECK(verified.root == log.Verify().root);
  std::set<std::string> expected = FilesOf(log.path);
  for (const char* file : {kKeyFile, kNextKeyFile, kLockFile}) {
    CHECK(expected.erase(file) == 1);
  }
  const std::set<std::string> copied = FilesOf(copy);
  CHECK(copied == expected);
  CHECK(copied.size() == report.files);
  CHECK((fs::status(copy).permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK(HoldsPrivateKey(log.path));
  CHECK_FALSE(HoldsPrivateKey(copy));
  // And is no place for another.
  CHECK(CopyLog(log.path, copy).error().code == ErrorCode::kAlreadyExists);
  CHECK(FilesOf(copy) == copied);
}

TEST_CASE("a copy that is made while others write, sign and change the key verifies") {
  ChangeableLog log;
  log.Append(250);
  std::atomic<bool> stop = false;
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const auto open = OpenAuditLog(log.path, log.clock, log.random);
      bool good = open.ok();
      for (int record = 0; good && record < 40; ++record) {
        good = open.value()->Append(Record(record)).ok();
      }
      good = good && open.value()->WriteCheckpoint().ok();
      if (good && i % 3 == 0) {
        auto other = LogWriter::Open(log.path, log.clock, log.random, DiskStorage());
        good = other.ok() && other.value()->RotateKey().ok();
      }
      if (!good) {
        return;
      }
      ++written;
    }
  });
  uint64_t before = 0;
  for (int i = 0; i < 15; ++i) {
    const int seen = written;
    const std::string copy = log.temp.path() + "/copy" + std::to_string(i);
    const auto copied = CopyLog(log.path, copy);
    INFO((copied.ok() ? "" : copied.error().message));
    CHECK(copied.ok());
    const VerifyReport verified = VerifyAuditLog(copy).value();
    for (const std::string& problem : verified.problems) {
      FAIL_CHECK(problem);
    }
    CHECK(verified.records >= before);
    before = verified.records;
    while (written == seen && i < 14) {  // the next one is of another state
      std::this_thread::yield();
    }
  }
  stop = true;
  writer.join();
  CHECK(before > 250);
}

TEST_CASE("a copy of a damaged log follows no link and takes nothing that is no file of a log") {
  ChangeableLog log;
  log.Append(300);
  const std::string secret = log.temp.path() + "/secret";
  REQUIRE(WriteFileAtomically(secret, "s3cret").ok());
  fs::remove(log.File(kHeadFile));
  fs::create_symlink(secret, log.File(kHeadFile));
  fs::create_symlink(secret, log.File("tile/0/x001"));
  log.Write("tile/entries/id_ed25519", "s3cret");
  REQUIRE(::mkfifo(log.File("tile/0/005").c_str(), 0600) == 0);
  log.Write("tile/0/006", std::string(kBundleBytesMax + 1, 'x'));
  const bool linked = GENERATE(false, true);
  if (linked) {
    fs::rename(log.File("tile"), log.temp.path() + "/elsewhere");
    fs::create_symlink(log.temp.path() + "/elsewhere", log.File("tile"));
  }
  const std::string copy = log.temp.path() + "/copy";
  const CopyReport report = CopyDamagedLog(log.path, copy).value();
  const auto named = [&](const std::string& what) {
    return std::any_of(
        report.problems.begin(), report.problems.end(),
        [&](const std::string& problem) { return problem.starts_with(what + ": left out: "); });
  };
  CHECK(named("head"));
  CHECK(named("tile") == linked);
  for (const char* file : {"tile/0/x001", "tile/entries/id_ed25519", "tile/0/005", "tile/0/006"}) {
    CAPTURE(file);
    CHECK(named(file) != linked);
    CHECK_FALSE(fs::exists(copy + "/" + file));
  }
  CHECK_FALSE(HoldsPrivateKey(copy));
  CHECK(CopyDamagedLog(log.path, copy).error().code == ErrorCode::kAlreadyExists);
  // One that is whole is a copy like any other.
  ChangeableLog whole;
  whole.Append(300);
  CHECK(CopyDamagedLog(whole.path, log.temp.path() + "/other").value().problems.empty());
}

TEST_CASE("where records are missing there is no copy that could be taken for one") {
  ChangeableLog log;
  log.Append(700);
  const std::string copy = log.temp.path() + "/copy";
  SECTION("a bundle") {
    fs::remove(log.File(BundlePath(1)));
  }
  SECTION("the end") {
    std::string bundle = log.Read(BundlePath(2));
    bundle.resize(bundle.size() - 1);
    log.Write(BundlePath(2), bundle);
  }
  SECTION("nearly all, under a signature of somebody else") {
    Sha256Digest hash;
    hash.fill(5);
    log.Sign({.size = uint64_t{1} << 56, .root = hash});
  }
  SECTION("the beginning, of which no record says that it was pruned") {
    fs::remove(log.File(BundlePath(0)));
  }
  SECTION("a record is another") {
    std::string bundle = log.Read(BundlePath(1));
    bundle[bundle.find("fs.read")] = 'x';
    log.Write(BundlePath(1), bundle);
  }
  SECTION("a hash is another") {
    std::string tile = log.Read(TilePath(0, 1));
    tile[5] = static_cast<char>(tile[5] ^ 1);
    log.Write(TilePath(0, 1), tile);
  }
  SECTION("no key vouches for it") {
    fs::remove(log.File(kPublicKeyFile));
  }
  const auto copied = CopyLog(log.path, copy);
  REQUIRE_FALSE(copied.ok());
  CHECK(copied.error().code == ErrorCode::kDataLoss);
  CHECK_FALSE(HasLog(log.temp.path() + "/none"));
  CHECK(fs::is_empty(copy));
  // As evidence it is copied with all that is there, and what is wrong with it is said.
  const CopyReport evidence = CopyDamagedLog(log.path, copy).value();
  CHECK_FALSE(evidence.problems.empty());
  std::set<std::string> expected = FilesOf(log.path);
  for (const char* file : {kKeyFile, kLockFile}) {
    CHECK(expected.erase(file) == 1);
  }
  CHECK(FilesOf(copy) == expected);
  for (const std::string& file : expected) {
    CHECK(ReadFile(copy + "/" + file, 1 << 24).value() == log.Read(file));
  }
  CHECK(CopyLog(log.temp.path() + "/none", log.temp.path() + "/other").error().code ==
        ErrorCode::kNotFound);
}

}  // namespace nacre::audit
