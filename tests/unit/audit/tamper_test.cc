// Whatever is done to a log by someone without its key, the verifier says so.
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <vector>

#include "runtime/audit/checkpoint_files.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/merkle_tree.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

// Two checkpoints, and two records after the second that only `head` covers.
void MakeLog(LogDirectory& log) {
  log.Append(2);
  log.Append(1);
  const auto open = log.Open();
  REQUIRE(open->Append(Record(8)).ok());
  REQUIRE(log.Verify().ok);
  REQUIRE(log.Verify().records == 7);
}

}  // namespace

TEST_CASE("a report says how much there is and how much of it is signed") {
  LogDirectory log;
  MakeLog(log);
  const VerifyReport report = log.Verify();
  CHECK(report.ok);
  CHECK(report.records == 7);
  CHECK(report.checkpoints == 2);
  CHECK(report.covered == 7);
  CHECK(report.problems.empty());
  CHECK(report.notes.empty());
  CHECK(log.Read(kHeadFile).find("\n7\n" + report.root + "\n") != std::string::npos);
}

// Each byte of each file is changed; in the small files each one, in the records every third is
// also turned into a line's end, left out, and taken for the end of the file.
TEST_CASE("no changed, missing or cut byte of any file passes verification") {
  LogDirectory log;
  MakeLog(log);
  const std::string file =
      GENERATE(values<std::string>({kFirstBundle, kCheckpointsFile, kCheckpointFile, kHeadFile,
                                    kPublicKeyFile, TilePath(0, 0, 5), BundlePath(0, 5)}));
  CAPTURE(file);
  const std::string good = WithoutPlace(log.Read(file));
  const auto unnoticed = [&](const std::string& content) {
    log.Write(file, content);
    return log.Verify().ok;
  };
  for (size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const bool flipped = unnoticed(changed);
    if (file == kFirstBundle && i % 3 != 0) {
      CHECK_FALSE(flipped);
      continue;
    }
    changed[i] = good[i] == '\n' ? '\1' : '\n';
    const bool split = unnoticed(changed);
    const bool removed = unnoticed(good.substr(0, i) + good.substr(i + 1));
    const bool cut = unnoticed(good.substr(0, i));
    if (flipped || split || removed || cut) {
      CAPTURE(i, flipped, split, removed, cut);
      FAIL_CHECK("a change went unnoticed");
    }
  }
  CHECK(unnoticed(good));
}

// Whoever has the log's key can sign what is no record. That it was signed is true; that it can be read is not.
TEST_CASE("what was signed and is no record is found when it is asked for") {
  LogDirectory log;
  MakeLog(log);
  std::vector<std::string> lines = EntriesOf(log.Read(kFirstBundle));
  std::string why;
  SECTION("no text") {
    lines[3] = "\xff\xfe";
    why = "not valid JSON";
  }
  SECTION("too deep") {
    lines[3] = std::string(59'000, '[');
    why = "nested deeper";
  }
  SECTION("other keys") {
    lines[3] = "{}";
    why = "not a record";
  }
  SECTION("at another place") {
    std::swap(lines[3], lines[4]);
    why = "records were removed, added or swapped";
  }
  SECTION("not linked") {
    lines[3].replace(lines[3].find("\"previous\":\"") + 12, 1, "g");
    why = "its link does not match";
  }
  SECTION("not in canonical form") {
    lines[3].replace(lines[3].find("\"event\""), 7, "\"\\u0065vent\"");
    why = "not in canonical form";
  }
  MerkleFrontier tree;
  for (const std::string& line : lines) {
    tree.Append(LeafHash(line));
  }
  log.Write(kFirstBundle, BundleOf(lines));
  std::filesystem::remove_all(log.File("tile/0"));
  std::filesystem::remove_all(log.File(kFirstBundle + ".p"));
  log.Sign({.size = tree.size(), .root = tree.Root()});
  CHECK(log.Verify().ok);
  const VerifyReport deep = VerifyAuditLog(log.path, {.deep = true}).value();
  CHECK_FALSE(deep.ok);
  CHECK(deep.first_bad == 3U);
  REQUIRE(deep.problems.size() == 1);
  CAPTURE(deep.problems[0], why);
  CHECK(deep.problems[0].starts_with("record 3: it was signed so, but "));
  CHECK(deep.problems[0].find(why) != std::string::npos);
  // Who reads it learns the same: it is the log that is wrong, not the reader.
  const Status read = ReadAuditLog(log.path, 0, [](uint64_t, const Json&) { return true; });
  if (why.starts_with("not valid") || why.starts_with("nested") || why == "not a record") {
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kDataLoss);
    const auto exported = ExportLog(log.path, {}, [](std::string_view) { return Ok(); });
    CHECK((exported.ok() || exported.error().code == ErrorCode::kDataLoss));
  }
}

TEST_CASE("of a changed record it is said first that it was changed, and not its tile") {
  LogDirectory log;
  log.Append(300);
  std::string bundle = log.Read(kFirstBundle);
  bundle.replace(bundle.find("\"number\":200"), 12, "\"number\":201");
  log.Write(kFirstBundle, bundle);
  const VerifyReport report = log.Verify();
  REQUIRE_FALSE(report.problems.empty());
  CHECK(report.first_bad == 201U);
  CHECK(report.problems[0].starts_with("record 201: content does not match the tree signed at "));
}

TEST_CASE("each record of a good log has the form of one") {
  LogDirectory log;
  MakeLog(log);
  const VerifyReport deep = VerifyAuditLog(log.path, {.deep = true}).value();
  CHECK(deep.ok);
  CHECK(deep.read == 7);
}

TEST_CASE("a changed record is named by its index") {
  LogDirectory log;
  MakeLog(log);
  const std::string good = log.Read(kFirstBundle);
  std::vector<std::string> lines = EntriesOf(good);
  SECTION("edited under a checkpoint") {
    lines[1].replace(lines[1].find("fs.read"), 7, "fs.rEad");
    log.Write(kFirstBundle, BundleOf(lines));
    const std::string expected = ToHex(LeafHash(EntriesOf(good)[1]));
    CHECK(log.Problems() ==
          "record 1: content does not match the tree signed at 3 records, its hash is " +
              ToHex(LeafHash(lines[1])) + " and not " + expected + " as in its tile\n");
    std::filesystem::remove_all(log.File("tile/0"));
    CHECK(log.Problems().starts_with(
        "record 1: content does not match the tree signed at 3 records (record 2: its link does "
        "not match the record before it)\n"));
  }
  SECTION("edited, the last one under its checkpoint") {
    lines[2].replace(lines[2].find("fs.read"), 7, "fs.rEad");
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems().substr(0, 61) ==
          "record 2: content does not match the tree signed at 3 records");
  }
  SECTION("removed") {
    lines.erase(lines.begin() + 1);
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems().find("(the record here has index 2: records were removed, added or "
                              "swapped)\nrecords 6 to 6: missing, head covers them\n") !=
          std::string::npos);
    CHECK(log.Verify().first_bad == 1);
  }
  SECTION("swapped") {
    std::swap(lines[3], lines[4]);
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems().substr(0, 9) == "record 3:");
  }
  SECTION("added") {
    lines.insert(lines.begin() + 4, lines[4]);
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems().substr(0, 9) == "record 5:");
  }
  SECTION("cut off below the head") {
    lines.pop_back();
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems() == "records 6 to 6: missing, head covers them\n");
  }
  SECTION("edited where only links protect it") {
    log.Write(kHeadFile, log.Read(kCheckpointFile));
    CHECK(log.Verify().ok);
    CHECK(log.Verify().covered == 5);
    CHECK(log.Verify().notes.at(0) == "the last 2 records are linked, but not signed yet");
    lines[5].replace(lines[5].find("log.opened"), 10, "log.Opened");
    log.Write(kFirstBundle, BundleOf(lines));
    CHECK(log.Problems() == "record 6: its link does not match the record before it\n");
  }
  CHECK_FALSE(log.Verify().ok);
  CHECK_FALSE(log.TryOpen().ok());
}

// The log of one long turn: a single signature over everything, in one bundle or in several. What is done
// to it is done as a patient forger would: the bundles are filled up again, `head` is put back.
TEST_CASE("under a single signature over everything the first wrong record is named too") {
  const int count = GENERATE(20, 255, 700);
  CAPTURE(count);
  LogDirectory log;
  log.Append(count);  // and log.opened: record 0
  REQUIRE(log.Verify().checkpoints == 1);
  REQUIRE(log.Verify().covered == static_cast<uint64_t>(count) + 1);
  std::vector<std::string> entries;
  for (uint64_t bundle = 0; bundle <= static_cast<uint64_t>(count) / kTileWidth; ++bundle) {
    for (std::string& entry : EntriesOf(log.Read(BundlePath(bundle)))) {
      entries.push_back(std::move(entry));
    }
  }
  const auto put = [&] {
    for (uint64_t bundle = 0; bundle <= static_cast<uint64_t>(count) / kTileWidth; ++bundle) {
      const size_t begin = std::min<size_t>(bundle * kTileWidth, entries.size());
      const size_t end = std::min<size_t>(begin + kTileWidth, entries.size());
      log.Write(BundlePath(bundle), BundleOf({entries.begin() + static_cast<std::ptrdiff_t>(begin),
                                              entries.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
  };
  const bool tiles = GENERATE(true, false);  // else only the links are left to find it by
  if (!tiles) {
    std::filesystem::remove_all(log.File("tile/0"));
  }
  CAPTURE(tiles);
  const auto bad = static_cast<uint64_t>(count) / 2;
  const auto at = entries.begin() + static_cast<std::ptrdiff_t>(bad);
  SECTION("edited") {
    at->replace(at->find("fs.read"), 7, "fs.rEad");
    put();
    CHECK(log.Verify().first_bad == bad);
  }
  SECTION("removed, and what follows moved up") {
    entries.erase(at);
    put();
    CHECK(log.Verify().first_bad == bad);
    CHECK(log.Problems().find("the record here has index " + std::to_string(bad + 1)) !=
          std::string::npos);
    CHECK(log.Problems().find("records " + std::to_string(count) + " to " + std::to_string(count) +
                              ": missing") != std::string::npos);
  }
  SECTION("removed from its bundle, the other bundles as they were") {
    const uint64_t bundle = bad / kTileWidth;
    std::vector<std::string> left = EntriesOf(log.Read(BundlePath(bundle)));
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(bad % kTileWidth));
    log.Write(BundlePath(bundle), BundleOf(left));
    CHECK(log.Verify().first_bad == bad);
  }
  SECTION("removed, and the indices after it counted anew") {
    entries.erase(at);
    for (size_t i = bad; i < entries.size(); ++i) {
      const std::string was = "\"index\":" + std::to_string(i + 1);
      entries[i].replace(entries[i].find(was), was.size(), "\"index\":" + std::to_string(i));
    }
    put();
    // Without the tiles all that is seen is a record that the one before it does not lead to.
    CHECK(log.Verify().first_bad == (tiles ? bad : bad - 1));
  }
  SECTION("swapped with the next") {
    std::iter_swap(at, at + 1);
    put();
    CHECK(log.Verify().first_bad == bad);
  }
  SECTION("added") {
    std::string more = *at;
    entries.insert(at, std::move(more));
    put();
    CHECK(log.Verify().first_bad == bad + 1);  // the first of the two is the one that was signed
  }
  SECTION("added to its bundle, the other bundles as they were") {
    const uint64_t bundle = bad / kTileWidth;
    std::vector<std::string> more = EntriesOf(log.Read(BundlePath(bundle)));
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(bad % kTileWidth), *at);
    log.Write(BundlePath(bundle), BundleOf(more));
    CHECK(log.Verify().first_bad == bad + 1);
  }
  SECTION("cut off") {
    entries.resize(bad);
    put();
    CHECK(log.Verify().first_bad == bad);
    CHECK(log.Problems().find("missing") != std::string::npos);
    CHECK(log.Problems().find("content does not match") == std::string::npos);
  }
  CHECK_FALSE(log.Verify().ok);
}

TEST_CASE("a log written anew with another key is not the log of the trusted key") {
  LogDirectory log;
  LogDirectory forged;
  MakeLog(log);
  MakeLog(forged);
  CHECK(VerifyAuditLog(forged.path, {.trusted_key = forged.Read(kPublicKeyFile)}).value().ok);
  const VerifyReport report =
      VerifyAuditLog(forged.path, {.trusted_key = log.Read(kPublicKeyFile)}).value();
  CHECK_FALSE(report.ok);
  CHECK(report.problems.at(0) == "key.pub: it is not the trusted key");
  SECTION("its public key alone fits nothing") {
    log.Write(kPublicKeyFile, forged.Read(kPublicKeyFile));
    CHECK_FALSE(log.Verify().ok);
    CHECK_FALSE(log.TryOpen().ok());
  }
  SECTION("its records fit no signature") {
    log.Write(kFirstBundle, forged.Read(kFirstBundle));
    CHECK_FALSE(log.Verify().ok);
    CHECK_FALSE(log.TryOpen().ok());
  }
}

// What nobody can tell from the directory alone, and what a checkpoint kept elsewhere is for.
TEST_CASE("an older copy put in place of the log is found with a checkpoint that was kept") {
  LogDirectory log;
  log.Append(300);
  const std::string older = log.temp.path() + "/older";
  const std::string early = log.Read(kCheckpointFile);
  log.CopyTo(older);
  log.Append(300);
  const std::string kept = log.Read(kCheckpointFile);
  log.Append(2);
  SECTION("the log goes on from it") {
    const VerifyReport report = VerifyAuditLog(log.path, {.since = kept}).value();
    CHECK(report.problems.empty());
    CHECK(report.ok);
    CHECK(report.records == 605);
    CHECK(report.read == 3);
    CHECK(VerifyAuditLog(log.path, {.since = early}).value().read == 304);
  }
  SECTION("and says what it did not read") {
    std::string bundle = log.Read(kFirstBundle);
    bundle.replace(bundle.find("fs.read"), 7, "fs.rEad");
    log.Write(kFirstBundle, bundle);
    const VerifyReport report = VerifyAuditLog(log.path, {.since = kept}).value();
    CHECK(report.ok);
    CHECK(report.remembered == 602);
    CHECK(ToText(report).starts_with("verified  605 records, 3 of them read, "));
    CHECK(ToText(report).find("note: the first 602 records were not read again") !=
          std::string::npos);
    CHECK_FALSE(log.Verify().ok);
    CHECK(ToText(log.Verify()).find("not read again") == std::string::npos);
  }
  SECTION("the older copy lacks records") {
    CHECK(VerifyAuditLog(older).value().ok);
    const VerifyReport report = VerifyAuditLog(older, {.since = kept}).value();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == 301);
    CHECK(report.problems.at(0) ==
          "records 301 to 601: missing, the remembered checkpoint covers them");
  }
  SECTION("and so it does after it went on by itself") {
    LogDirectory fork;
    std::filesystem::copy(older, fork.path, std::filesystem::copy_options::recursive);
    fork.Append(400);
    CHECK(fork.Verify().ok);
    const VerifyReport report = VerifyAuditLog(fork.path, {.since = kept}).value();
    CHECK_FALSE(report.ok);
    CHECK(report.problems.at(0) ==
          "records 301 to 601: content does not match the tree signed at 602 records");
    CHECK(report.first_bad == 301);
  }
  SECTION("a record before it that was changed is not looked at, later ones are") {
    std::string bundle = log.Read(BundlePath(0));
    bundle[100] ^= 1;
    log.Write(BundlePath(0), bundle);
    CHECK(VerifyAuditLog(log.path, {.since = kept}).value().ok);
    CHECK_FALSE(log.Verify().ok);
    std::vector<std::string> newest = EntriesOf(log.Read(BundlePath(2)));
    newest.pop_back();
    log.Write(BundlePath(2), BundleOf(newest));
    CHECK(VerifyAuditLog(log.path, {.since = kept}).value().first_bad == 604);
  }
  SECTION("a changed tile does not lead to it, so everything is read") {
    std::string tile = log.Read(TilePath(0, 1));
    tile[7] ^= 1;
    log.Write(TilePath(0, 1), tile);
    std::filesystem::remove_all(log.File("tile/1/000.p"));
    const VerifyReport report = VerifyAuditLog(log.path, {.since = kept}).value();
    CHECK_FALSE(report.ok);
    CHECK(report.read == 605);
    CHECK(report.problems.at(0) == "tile/0/001: it is not that of records 256 to 511");
  }
  SECTION("one that the log's key did not sign is refused") {
    LogDirectory other;
    other.Append(1);
    CHECK(VerifyAuditLog(log.path, {.since = other.Read(kCheckpointFile)})
              .value()
              .problems.at(0)
              .starts_with("the remembered checkpoint: "));
  }
}

// The links of all later records forged as well, as far as the signature cannot be.
TEST_CASE("a record whose followers were linked anew is named by the hash in its tile") {
  LogDirectory log;
  log.Append(600);
  std::string before;
  for (uint64_t bundle = 0; bundle < 3; ++bundle) {
    std::vector<std::string> entries = EntriesOf(log.Read(BundlePath(bundle)));
    for (size_t i = 0; i < entries.size(); ++i) {
      if (bundle == 0 && i == 77) {
        entries[i].replace(entries[i].find("fs.read"), 7, "fs.rEad");
      }
      const size_t link = entries[i].find("\"previous\":\"") + 12;
      entries[i].replace(link, entries[i].find('"', link) - link, before);
      before = ToHex(LeafHash(entries[i]));
    }
    log.Write(BundlePath(bundle), BundleOf(entries));
  }
  const VerifyReport report = log.Verify();
  CHECK_FALSE(report.ok);
  CHECK(report.first_bad == 77);
}

TEST_CASE("a removed file is a problem of the log, a missing directory an error") {
  LogDirectory log;
  MakeLog(log);
  for (const char* file :
       {kFirstBundle.c_str(), kCheckpointsFile, kCheckpointFile, kHeadFile, kPublicKeyFile}) {
    CAPTURE(file);
    const std::string content = log.Read(file);
    REQUIRE(::unlink(log.File(file).c_str()) == 0);
    CHECK(log.Problems().find(file) != std::string::npos);
    log.Write(file, content);
  }
  CHECK(log.Verify().ok);
  CHECK(VerifyAuditLog(log.path + "/none").error().code == ErrorCode::kNotFound);
}

TEST_CASE("a hostile directory gives a report, not a hang or a crash") {
  LogDirectory log;
  MakeLog(log);
  SECTION("a fifo instead of the records") {
    REQUIRE(::unlink(log.File(kFirstBundle).c_str()) == 0);
    REQUIRE(::mkfifo(log.File(kFirstBundle).c_str(), 0600) == 0);
  }
  SECTION("an endless line") {
    log.Write(kFirstBundle, std::string(1 << 20, '{'));
  }
  SECTION("a directory instead of a checkpoint") {
    REQUIRE(::unlink(log.File(kCheckpointFile).c_str()) == 0);
    REQUIRE(::mkdir(log.File(kCheckpointFile).c_str(), 0700) == 0);
  }
  SECTION("a checkpoint of absurd length") {
    log.Write(kHeadFile, std::string(1 << 20, 'x'));
  }
  CHECK_FALSE(log.Verify().ok);
  CHECK_FALSE(log.TryOpen().ok());
}

TEST_CASE("a fifo in place of a key or a checkpoint is reported, not waited for") {
  LogDirectory log;
  MakeLog(log);
  const std::string file = GENERATE(as<std::string>(), kPublicKeyFile, kCheckpointFile,
                                    kCheckpointsFile, kHeadFile, TilePath(0, 0, 5));
  CAPTURE(file);
  REQUIRE(::unlink(log.File(file).c_str()) == 0);
  REQUIRE(::mkfifo(log.File(file).c_str(), 0600) == 0);
  CHECK_FALSE(log.Verify().ok);
}

TEST_CASE("reading stops with an error at the first record that does not parse") {
  LogDirectory log;
  MakeLog(log);
  std::vector<uint64_t> seen;
  const auto visit = [&](uint64_t index, const Json& record) {
    CHECK(IntMember(record, "index") == static_cast<int64_t>(index));
    seen.push_back(index);
    return seen.size() < 3;
  };
  REQUIRE(ReadAuditLog(log.path, 2, visit).ok());
  CHECK(seen == std::vector<uint64_t>{2, 3, 4});

  std::vector<std::string> lines = EntriesOf(log.Read(kFirstBundle));
  lines[1] = "{\"index\":1}";
  log.Write(kFirstBundle, BundleOf(lines));
  seen.clear();
  CHECK(ReadAuditLog(log.path, 0, visit).error().message.substr(0, 15) == "audit record 1:");
  CHECK(seen == std::vector<uint64_t>{0});
}

}  // namespace nacre::audit
