// Pruning and legal holds: what is gone was signed away, and what is held stays.
#include <catch2/catch.hpp>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/log_prune.h"
#include "runtime/audit/record_lookup.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

constexpr char kSession[] = "01J00000000000000000000001";
constexpr char kOther[] = "01J0000000000000000000000A";

class PrunableLog : public ChangeableLog {
 public:
  // Records of kSession, a second apart, and a checkpoint after each hundred when `checkpoints`.
  void Fill(int count, const std::string& session = kSession, bool checkpoints = true) {
    const auto writer = LogWriter::Open(path, clock, random, DiskStorage()).value();
    for (int done = 0; done < count;) {
      std::vector<EncodedRecord> batch;
      for (int i = 0; i < 100 && done < count; ++i, ++done) {
        AuditRecord record = Record(done);
        record.session = session;
        batch.push_back(EncodeRecord(record, clock, random).value());
        clock.Advance(std::chrono::seconds(1));
      }
      std::vector<const EncodedRecord*> pointers;
      for (const EncodedRecord& record : batch) {
        pointers.push_back(&record);
      }
      REQUIRE(writer->Commit(pointers).ok());
      REQUIRE((!checkpoints || writer->WriteCheckpoint().ok()));
    }
  }
  enum State { kCheckpoints, kHeadOnly, kNoPointer };
  // 1101 records or some more. Under checkpoints, or only `head` has signed the newest 800; or these follow a
  // pruning, and the file that says which record tells of it is lost.
  void FillFor(State state) {
    Fill(300);
    if (state == kNoPointer) {
      REQUIRE(Prune(256).ok());
      fs::remove(File(kPrunedFile));
    }
    Fill(800, kSession, state == kCheckpoints);
  }

  Result<PruneReport> Prune(uint64_t before, Storage& storage = DiskStorage()) {
    return PruneLog(Change(storage),
                    {.before = before, .rule = "before " + std::to_string(before)});
  }
  // How many records a query finds, without any problem.
  uint64_t Found(const std::string& event = {}) {
    RecordFilter filter;
    filter.event = event;
    const QueryReport report =
        QueryAuditLog(path, filter, {.index_directory = index, .progress = {}}, random,
                      [](uint64_t, const Json&) { return true; })
            .value();
    INFO((report.problems.empty() ? "" : report.problems.front()));
    CHECK(report.problems.empty());
    return report.found;
  }
};

}  // namespace

TEST_CASE("after pruning everything that was signed still verifies, and what is left is read") {
  PrunableLog log;
  log.Fill(1500);

  const uint64_t before = log.Verify().records;
  REQUIRE(log.Found() == before);

  const PruneReport dry =
      PruneLog(log.Change(), {.before = 700, .rule = "x", .dry_run = true}).value();
  CHECK(dry.before == 512);
  CHECK(dry.bundles == 2);
  CHECK_FALSE(dry.record.has_value());
  CHECK(log.Found() == before);

  const PruneReport report = log.Prune(700).value();
  CHECK(report.from == 0);
  CHECK(report.before == 512);
  CHECK(report.bundles == 2);
  CHECK(report.bytes > 100'000);
  REQUIRE(report.record.has_value());
  CHECK_FALSE(fs::exists(log.File(BundlePath(0))));
  CHECK_FALSE(fs::exists(log.File(BundlePath(1))));
  CHECK(fs::exists(log.File(BundlePath(2))));

  VerifyReport verified = log.Verify();
  INFO(log.Problems());
  REQUIRE(verified.ok);
  REQUIRE(verified.pruned.has_value());
  CHECK(verified.pruned->before == 512);
  CHECK(verified.pruned->record == *report.record);
  CHECK(verified.pruned->rule == "before 700");
  CHECK(verified.read == verified.records - 512);
  CHECK(verified.notes.front().find("records 0 to 511 were pruned on 2023-11-14T") == 0);
  CHECK(log.VerifiedByPython());

  // Every reader goes on with the first that is there.
  CHECK(log.Found() == verified.records - 512);
  CHECK(log.Found(kPrunedEvent) == 1);
  uint64_t first = UINT64_MAX;
  REQUIRE(ReadAuditLog(log.path, 0, [&](uint64_t index, const Json&) {
            first = std::min(first, index);
            return true;
          }).ok());
  CHECK(first == 512);
  uint64_t begins_after = 0;
  ExportOptions told;
  told.begins_after = [&](const Pruning& pruned) { begins_after = pruned.before; };
  CHECK(ExportLog(log.path, told, [](std::string_view) { return Ok(); }).value() ==
        verified.records - 512);
  CHECK(begins_after == 512);
  const auto gone = FindRecord(log.path, "511");
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code == ErrorCode::kNotFound);
  CHECK(gone.error().message.find("were pruned on") != std::string::npos);
  const FoundRecord there = FindRecord(log.path, "512").value();
  CHECK(there.unproven_because == "");
  CHECK_FALSE(there.before.has_value());
  CHECK(FindRecord(log.path, StringMember(there.record, "id")).value().index == 512);

  // Checkpoints from before, kept elsewhere, still hold; and the log goes on, and is pruned again.
  const std::string kept = log.Read(kCheckpointsFile);
  const std::string oldest = kept.substr(0, kept.find("\n\n", kept.find("\n\n") + 2) + 1);
  CHECK(VerifyAuditLog(log.path, {.since = oldest}).value().ok);
  log.Fill(700);
  REQUIRE(log.Verify().ok);
  const PruneReport again = log.Prune(1536).value();
  CHECK(again.from == 512);
  CHECK(again.before == 1536);
  verified = log.Verify();
  INFO(log.Problems());
  REQUIRE(verified.ok);
  CHECK(verified.pruned->before == 1536);
  CHECK(VerifyAuditLog(log.path, {.since = oldest}).value().ok);
  CHECK(log.VerifiedByPython());
  CHECK(log.Found() == verified.records - 1536);
  // Nothing more to do, and nothing is said.
  CHECK_FALSE(log.Prune(1536).value().record.has_value());
  CHECK(log.Verify().records == verified.records);
}

TEST_CASE("records are pruned by age and by size, and the newest bundle stays") {
  PrunableLog log;
  log.Fill(1100);
  const auto instant = [&](int seconds_ago) {
    return FormatRfc3339(log.clock.Now() - std::chrono::seconds(seconds_ago));
  };
  const auto plan = [&](PruneRequest request) {
    request.rule = "x";
    request.dry_run = true;
    return PruneLog(log.Change(), request).value().before;
  };
  CHECK(plan({.older_than = instant(10'000)}) == 0);
  CHECK(plan({.older_than = instant(700)}) == 256);  // record 400 and older
  CHECK(plan({.older_than = instant(0)}) == 1024);
  CHECK(plan({.keep_bytes = 1 << 30}) == 0);
  CHECK(plan({.keep_bytes = 0}) == 1024);
  const uint64_t bundle = fs::file_size(log.File(BundlePath(2)));
  const uint64_t rest = fs::file_size(log.File(BundlePath(4)));
  CHECK(plan({.keep_bytes = rest + 2 * bundle + bundle / 2}) == 512);
  const uint64_t records = log.Verify().covered;
  CHECK(plan({.before = records}) == 1024);
  for (const uint64_t beyond : {records + 1, UINT64_MAX}) {
    const auto refused = PruneLog(log.Change(), {.before = beyond, .rule = "x", .dry_run = true});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(plan({.before = 255}) == 0);
}

TEST_CASE("missing records that no signed record states are damage") {
  PrunableLog log;
  log.Fill(1100);
  SECTION("removed by hand") {
    fs::remove(log.File(BundlePath(0)));
    const VerifyReport report = log.Verify();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == 0);
    CHECK(log.Problems().find("records 0 to 255: missing, and no signed record says") !=
          std::string::npos);
    CHECK_FALSE(log.VerifiedByPython());
    const QueryReport query = QueryAuditLog(log.path, {}, {.index_directory = log.index},
                                            log.random, [](uint64_t, const Json&) { return true; })
                                  .value();
    CHECK_FALSE(query.problems.empty());
    CHECK(log.Prune(512).error().code == ErrorCode::kDataLoss);
    CHECK(ExportLog(log.path, {}, [](std::string_view) { return Ok(); }).error().code ==
          ErrorCode::kDataLoss);
  }
  SECTION("beyond what was pruned") {
    REQUIRE(log.Prune(512).ok());
    fs::remove(log.File(BundlePath(2)));
    const VerifyReport report = log.Verify();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == 512);
    CHECK_FALSE(log.VerifiedByPython());
  }
  // Linked and canonical, as someone without the key can make it. Answers its index.
  const auto forge = [&]() -> uint64_t {
    CheckedLog checked = CheckedLog::Open(log.path).value();
    const std::string root = ToHex(checked.tree()->RootAt(256).value());
    const std::vector<std::string> entries = EntriesOf(log.Read(BundlePath(4)));
    AuditRecord forged{.event = kPrunedEvent,
                       .data = {{"from", 0},
                                {"before", 256},
                                {"root", root},
                                {"rule", "before 256"},
                                {"holds", Json::array()}}};
    const uint64_t index = 1024 + entries.size();
    std::string bundle = log.Read(BundlePath(4));
    AppendEntry(FinishRecord(EncodeRecord(forged, log.clock, log.random).value(), index,
                             ToHex(LeafHash(entries.back()))),
                &bundle);
    log.Write(BundlePath(4), bundle);
    return index;
  };
  SECTION("by a record that nobody signed") {
    const uint64_t index = forge();
    REQUIRE(log.Verify().ok);  // it is there, as an unsigned one
    log.Write(kPrunedFile, std::to_string(index) + "\n");
    fs::remove(log.File(BundlePath(0)));
    const VerifyReport report = log.Verify();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == 0);
    CHECK_FALSE(log.VerifiedByPython());
  }
  SECTION("by a record that nobody signed, and that the next writer would sign") {
    const bool open_before = GENERATE(true, false);
    auto writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value();
    if (!open_before) {
      writer.reset();
    }
    const uint64_t index = forge();
    if (!open_before) {
      writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value();
    }
    const EncodedRecord record = EncodeRecord(Record(1), log.clock, log.random).value();
    REQUIRE(writer->Commit({&record}).ok());
    REQUIRE(writer->WriteCheckpoint().ok());
    CHECK(log.Verify().ok);
    CHECK(log.Found(kPrunedEvent) == 0);  // it was cut off, as what a crash leaves is
    CHECK(log.Found("log.recovered") == 1);
    log.Write(kPrunedFile, std::to_string(index) + "\n");
    fs::remove(log.File(BundlePath(0)));
    CHECK_FALSE(log.Verify().ok);
  }
  SECTION("by a file that names another record") {
    REQUIRE(log.Prune(256).ok());
    log.Write(kPrunedFile, "600\n");
    CHECK(log.Verify().ok);  // the record is found nevertheless
    fs::remove(log.File(kPrunedFile));
    CHECK(log.Verify().ok);
    fs::remove(log.File(BundlePath(1)));
    log.Write(kPrunedFile, "600\n");
    CHECK_FALSE(log.Verify().ok);
  }
  SECTION("with a tile that was changed") {
    REQUIRE(log.Prune(512).ok());
    std::string tile = log.Read(TilePath(0, 0));
    tile[40] = static_cast<char>(tile[40] ^ 1);
    log.Write(TilePath(0, 0), tile);
    CHECK_FALSE(log.Verify().ok);
    CHECK_FALSE(log.VerifiedByPython());
  }
  SECTION("a changed record is not pruned away") {
    std::string bundle = log.Read(BundlePath(0));
    bundle[bundle.find("fs.read")] = 'F';
    log.Write(BundlePath(0), bundle);
    const auto pruned = log.Prune(512);
    CHECK(pruned.error().code == ErrorCode::kDataLoss);
    CHECK(pruned.error().message.find("records 0 to 255") != std::string::npos);
    CHECK(fs::exists(log.File(BundlePath(0))));
  }
}

TEST_CASE("a hold stops pruning, by name, until it is released, and outlives its own record") {
  PrunableLog log;
  log.Fill(300, kOther);
  log.Fill(700);
  const auto holds = [&] {
    std::vector<Hold> found;
    REQUIRE(LoadHolds(log.path, log.index, log.random, 0, &found).ok());
    return found;
  };
  const auto refused = [&](uint64_t before) {
    const auto pruned = log.Prune(before);
    return pruned.ok() ? std::string() : pruned.error().message;
  };
  const Hold range = PlaceHold(log.Change(), {.from = 600, .to = 601, .reason = "case 17"}).value();
  log.Fill(600);
  CHECK(refused(1024).find("record 600 is held by the hold " + range.id + " (case 17)") == 0);
  CHECK(refused(1024).find("--before 512 removes what may go before it") != std::string::npos);
  CHECK(log.Prune(512).ok());
  const Hold session = PlaceHold(log.Change(), {.session = kSession, .reason = "case 18"}).value();
  CHECK(refused(1024).find("record 512 is held by the hold " + session.id) == 0);
  CHECK(refused(1024).find("none before it can") != std::string::npos);
  REQUIRE(ReleaseHold(log.Change(), session.id, "closed").ok());
  CHECK(holds().size() == 1);
  CHECK(ReleaseHold(log.Change(), session.id, "closed").error().code == ErrorCode::kNotFound);

  // One of what is still to come is not pruned, and its own record is.
  log.Fill(600, kOther);
  const Hold late =
      PlaceHold(log.Change(), {.from = 1700, .to = 1710, .reason = "case 19"}).value();
  REQUIRE(ReleaseHold(log.Change(), range.id, "closed").ok());
  log.Fill(1000);
  CHECK(holds().size() == 1);
  REQUIRE(log.Prune(1700).ok());
  CHECK(log.Verify().pruned->before == 1536);
  REQUIRE(holds().size() == 1);
  CHECK(holds().front() == late);
  CHECK(refused(2048).find("record 1700 is held") == 0);
  REQUIRE(ReleaseHold(log.Change(), late.id, "closed").ok());
  CHECK(log.Prune(2048).ok());
  CHECK(log.Verify().ok);

  const auto code = [&](const Hold& hold) { return PlaceHold(log.Change(), hold).error().code; };
  CHECK(code({.from = 3, .to = 2100, .reason = "late"}) == ErrorCode::kNotFound);
  CHECK(code({.from = 2100, .to = 900'000, .reason = "early"}) == ErrorCode::kNotFound);
  CHECK(code({.from = 2, .to = 1, .reason = "x"}) == ErrorCode::kInvalidArgument);
  CHECK(code({.session = "x", .reason = "x"}) == ErrorCode::kInvalidArgument);
  CHECK(code({.session = "01J0000000000000000000000Z", .reason = "x"}) == ErrorCode::kNotFound);
  CHECK(code({.session = kSession, .reason = ""}) == ErrorCode::kInvalidArgument);
  CHECK(code({.session = kSession, .reason = "a\nb"}) == ErrorCode::kInvalidArgument);
}

TEST_CASE("what an export has not handed on is not pruned when the cursor is given") {
  PrunableLog log;
  log.Fill(900);
  const std::string cursor_file = log.temp.path() + "/cursor";
  uint64_t lines = 0;
  const auto take = [&](std::string_view text) {
    lines += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    return Ok();
  };
  const ExportOptions options{.cursor_file = cursor_file};
  REQUIRE(ExportLog(log.path, options, take).ok());
  log.Fill(600);
  const ExportCursor cursor = ParseExportCursor(ReadFile(cursor_file, 4096).value()).value();
  const auto prune = [&](uint64_t before, ExportCursor exported) {
    return PruneLog(log.Change(), {.before = before, .rule = "x", .exported = std::move(exported)});
  };
  CHECK(prune(1024, cursor).error().code == ErrorCode::kFailedPrecondition);
  ExportCursor other = cursor;
  other.leaf[0] = other.leaf[0] == '0' ? '1' : '0';
  CHECK(prune(512, other).error().code == ErrorCode::kFailedPrecondition);
  other = cursor;
  other.log += "x";
  CHECK(prune(512, other).error().code == ErrorCode::kFailedPrecondition);
  REQUIRE(prune(768, cursor).ok());
  // The export goes on from its cursor, without a gap, and has nothing to tell of what is gone.
  const uint64_t before = lines;
  ExportOptions quiet = options;
  quiet.begins_after = [](const Pruning&) { FAIL("it was handed on before"); };
  REQUIRE(ExportLog(log.path, quiet, take).ok());
  CHECK(before + (lines - before) == log.Verify().records);
  // One that was left behind is told.
  fs::copy(cursor_file, cursor_file + ".old");
  log.Fill(600);
  REQUIRE(log.Prune(2'048).ok());
  const auto behind = ExportLog(log.path, options, take);
  REQUIRE_FALSE(behind.ok());
  CHECK(behind.error().code == ErrorCode::kFailedPrecondition);
  CHECK(behind.error().message.find("were pruned before they were exported") != std::string::npos);
}

TEST_CASE("a writer that was idle while its bundle was pruned goes on with the log") {
  PrunableLog log;
  const auto idle = log.Open();
  REQUIRE(idle->Append(Record(1)).ok());
  log.Fill(900);
  REQUIRE(log.Prune(512).ok());
  const auto appended = idle->Append(Record(2));
  INFO((appended.ok() ? "" : appended.error().message));
  REQUIRE(appended.ok());
  CHECK(appended.value() == log.Verify().records - 1);
  CHECK(log.Verify().ok);
  SECTION("but not with another one") {
    const auto second = log.Open();
    log.Fill(600);
    REQUIRE(log.Prune(1'024).ok());
    PrunableLog other;
    other.Fill(1'500);
    REQUIRE(other.Prune(1'024).ok());
    for (const auto& entry : fs::directory_iterator(log.path)) {
      if (entry.path().filename() != kLockFile) {
        fs::remove_all(entry.path());
      }
    }
    fs::remove(other.File(kLockFile));
    fs::copy(other.path, log.path, fs::copy_options::recursive);
    CHECK_FALSE(second->Append(Record(3)).ok());
  }
}

TEST_CASE("a crash at any step of pruning leaves a log that verifies and that pruning completes") {
  const auto state =
      GENERATE(PrunableLog::kCheckpoints, PrunableLog::kHeadOnly, PrunableLog::kNoPointer);
  CAPTURE(state);
  PrunableLog log;
  log.FillFor(state);
  log.index.clear();
  Disk disk = Disk::Of(log.path);
  RecordingStorage storage(log.path);
  REQUIRE(log.Prune(768, storage).ok());
  const uint64_t records = log.Verify().records;
  PrunableLog crashed;
  crashed.index.clear();
  size_t points = 0;
  const auto check = [&](const Files& files) {
    ++points;
    MakeDirectory(crashed.path, files);
    INFO(crashed.Problems());
    REQUIRE(crashed.Verify().ok);
    REQUIRE(crashed.Found() > 0);
    REQUIRE(crashed.Prune(768).ok());
    REQUIRE(crashed.Verify().ok);
    REQUIRE(crashed.Verify().pruned->before == 768);
    REQUIRE(crashed.Verify().records >= records);
    REQUIRE(FirstBundle(crashed.path) == 3);
    const auto claim = ReadClaim(crashed.path);
    REQUIRE((claim.has_value() && claim->before == 768));
    REQUIRE(crashed.Open()->Append(Record(9)).ok());
    REQUIRE(crashed.Verify().ok);
  };
  Files removed;  // whose names may still be on the disk
  for (size_t i = 0; i < storage.operations.size(); ++i) {
    const Operation& operation = storage.operations[i];
    CAPTURE(i, operation.path, operation.kind);
    check(disk.files);
    check(disk.AfterPowerFailure(false));
    for (const auto& [path, content] : removed) {  // any of them alone, so that there are holes
      Files files = disk.files;
      files[path] = content;
      check(files);
    }
    if (operation.kind == Operation::kWrite) {
      for (const size_t torn : {size_t{1}, operation.bytes.size() / 2}) {
        if (operation.path != kHeadFile && !IsLength(operation) &&
            operation.path.find(".p/") == std::string::npos) {
          Disk partly;
          partly.files = disk.files;
          partly.Apply(operation, torn);
          check(partly.files);
        }
      }
    }
    if (operation.kind == Operation::kRemove && disk.files.contains(operation.path) &&
        operation.path.find(".p/") == std::string::npos) {
      removed[operation.path] = disk.files[operation.path];
    }
    disk.Apply(operation);
  }
  check(disk.files);
  CHECK(removed.size() == (state == PrunableLog::kNoPointer ? 2 : 3));
  CHECK(points > 30);
}

TEST_CASE("a disk that fails at any step of pruning refuses, and the same command completes it") {
  const auto state =
      GENERATE(PrunableLog::kCheckpoints, PrunableLog::kHeadOnly, PrunableLog::kNoPointer);
  CAPTURE(state);
  PrunableLog log;
  log.FillFor(state);
  log.index.clear();
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  RecordingStorage whole(log.path);
  REQUIRE(log.Prune(768, whole).ok());
  for (size_t i = 0; i < whole.operations.size(); ++i) {
    CAPTURE(i, whole.operations[i].path, whole.operations[i].kind);
    log.PutBack(before);
    RecordingStorage storage(log.path);
    storage.fail_at = i;
    const bool ok = log.Prune(768, storage).ok();
    const bool needed =
        whole.operations[i].path.find(".p/") == std::string::npos && !IsPlace(whole.operations[i]);
    CHECK((!ok || !needed));
    INFO(log.Problems());
    REQUIRE(log.Verify().ok);
    REQUIRE(log.Prune(768).ok());
    REQUIRE(log.Verify().ok);
    REQUIRE(FirstBundle(log.path) == 3);
    REQUIRE(log.Open()->Append(Record(9)).ok());
  }
}

TEST_CASE("a reader that is overtaken by pruning says so, and by compression goes on") {
  PrunableLog log;
  log.Fill(1'200);
  const auto pass = [](EntryReader& reader, int count) {
    std::string_view entry;
    for (int i = 0; i < count; ++i) {
      REQUIRE(reader.Next(&entry).value());
    }
  };
  SECTION("pruned") {
    // In the middle of a bundle, and at the end of one.
    for (const int passed : {100, 256}) {
      CAPTURE(passed);
      PrunableLog fresh;
      fresh.Fill(1'200);
      EntryReader reader(fresh.path, 0);
      pass(reader, passed);
      REQUIRE(fresh.Prune(512).ok());
      std::string_view entry;
      Result<bool> more = true;
      while (more.ok() && more.value()) {
        more = reader.Next(&entry);
      }
      REQUIRE_FALSE(more.ok());
      CHECK(more.error().code == ErrorCode::kAborted);
      CHECK(more.error().message ==
            "records 256 to 511 were pruned while they were to be read; begin again with record "
            "512");
    }
  }
  SECTION("compressed") {
    EntryReader reader(log.path, 0);
    pass(reader, 256);
    REQUIRE(CompressLog(log.Change(), {}).value().bundles == 4);
    pass(reader, 900);
  }
  SECTION("a hole is no end") {
    fs::remove(log.File(BundlePath(1)));
    EntryReader reader(log.path, 0);
    pass(reader, 256);
    std::string_view entry;
    const Result<bool> more = reader.Next(&entry);
    REQUIRE_FALSE(more.ok());
    CHECK(more.error().code == ErrorCode::kDataLoss);
    CHECK(more.error().message.find("records 256 to 511 are missing") != std::string::npos);
  }
}

TEST_CASE("what the directory claims was pruned hides nothing from who reads without verifying") {
  PrunableLog log;
  log.Fill(600);
  const uint64_t end = log.Verify().records;
  {  // as pruning writes it, but with another root
    const auto open = log.Open();
    AuditRecord forged;
    forged.event = kPrunedEvent;
    forged.data = {{"from", 0}, {"before", 512}, {"root", std::string(64, '0')}, {"rule", "x"}};
    REQUIRE(open->Append(forged).ok());
  }
  log.Write(kPrunedFile, std::to_string(end + 1) + "\n");
  REQUIRE(FirstRecord(log.path) == 512);
  const Status read = ReadAuditLog(log.path, 0, [](uint64_t, const Json&) { return true; });
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == ErrorCode::kDataLoss);
  const auto shown = FindRecord(log.path, "3");
  REQUIRE_FALSE(shown.ok());
  CHECK(shown.error().code == ErrorCode::kDataLoss);
}

TEST_CASE("a signed record in a bundle that lost its records is missing, not one that never was") {
  PrunableLog log;
  log.Fill(700);
  log.Write(BundlePath(1), GENERATE(as<std::string>(), "", "no records"));
  for (const char* which : {"256", "300", "511"}) {
    CAPTURE(which);
    const auto shown = FindRecord(log.path, which);
    REQUIRE_FALSE(shown.ok());
    CHECK(shown.error().code == ErrorCode::kDataLoss);
  }
  CHECK(FindRecord(log.path, "20").value().unproven_because.empty());
  CHECK(FindRecord(log.path, "100000").error().code == ErrorCode::kNotFound);
}

TEST_CASE("all holds in force fit into one record, whatever their reasons") {
  PrunableLog log;
  log.Fill(700);
  // Each of these bytes takes two in a record, and each of those that are no UTF-8 three.
  Status placed = Ok();
  size_t count = 0;
  for (; placed.ok() && count < kHoldsMax; ++count) {
    const char bad = count % 2 == 0 ? '\\' : '\xff';
    const auto hold = PlaceHold(
        log.Change(), {.from = 690, .to = 691, .reason = std::string(kHoldReasonBytesMax, bad)});
    placed = hold.ok() ? Ok() : Status(hold.error());
  }
  REQUIRE_FALSE(placed.ok());
  CHECK(placed.error().code == ErrorCode::kResourceExhausted);
  CHECK(placed.error().message.find("48000 bytes together") != std::string::npos);
  CHECK(count > 50);
  const PruneReport report = log.Prune(512).value();
  CHECK(report.before == 512);
  CHECK(log.Verify().ok);
  std::vector<Hold> holds;
  REQUIRE(LoadHolds(log.path, log.index, log.random, 0, &holds).ok());
  CHECK(holds.size() == count - 1);
}

TEST_CASE("as far as allowed, pruning stops before what is held or was not exported") {
  PrunableLog log;
  log.Fill(1'500);
  const auto prune = [&](PruneRequest request) {
    request.rule = "x";
    request.as_far_as_allowed = true;
    return PruneLog(log.Change(), request).value().before;
  };
  const std::string cursor = log.temp.path() + "/cursor";
  ExportOptions exported;
  exported.cursor_file = cursor;
  uint64_t lines = 0;
  const auto some = [&](std::string_view) -> Status {
    return ++lines > 2 ? Status(Error{ErrorCode::kUnavailable, "enough"}) : Ok();
  };
  REQUIRE_FALSE(ExportLog(log.path, exported, some).ok());
  const ExportCursor passed = ReadExportCursor(cursor).value();
  REQUIRE(passed.next == 512);
  const Hold hold = PlaceHold(log.Change(), {.from = 300, .to = 310, .reason = "case"}).value();
  CHECK(prune({.before = 1'024, .exported = passed}) == 256);
  CHECK(prune({.before = 1'024, .exported = passed}) == 256);  // nothing more
  REQUIRE(ReleaseHold(log.Change(), hold.id, "closed").ok());
  CHECK(prune({.before = 1'024, .exported = passed}) == 512);
  CHECK(prune({.before = 1'024, .exported = passed}) == 512);
  CHECK(prune({.before = 1'024}) == 1'024);
  CHECK(log.Verify().ok);
  // A cursor of another history allows nothing.
  ExportCursor other = passed;
  other.next = 1'300;
  CHECK_FALSE(PruneLog(log.Change(),
                       {.before = 1'280, .rule = "x", .exported = other, .as_far_as_allowed = true})
                  .ok());
}

TEST_CASE("the first bundle is found among folders of thousands, and nothing else is one") {
  LogDirectory log;
  fs::create_directories(log.path);
  CHECK_FALSE(FirstBundle(log.path).has_value());
  for (const uint64_t number : {1'234'068, 1'234'067, 45'007, 45'006}) {
    fs::create_directories(fs::path(log.File(BundlePath(number))).parent_path());
    log.Write(BundlePath(number), "x");
    CHECK(FirstBundle(log.path) == number);
  }
  fs::create_directories(log.File("tile/entries/x000"));
  fs::create_directories(log.File("tile/entries/007"));
  log.Write("tile/entries/x000/003", "x");
  log.Write("tile/entries/12", "x");
  log.Write("tile/entries/-12", "x");
  CHECK(FirstBundle(log.path) == 45'006);
  log.Write(BundlePath(12), "x");
  CHECK(FirstBundle(log.path) == 12);
}

}  // namespace nacre::audit
