// Cold bundles as zstd frames: the same records, less of the disk, and no trust in what a frame says of itself.
#include <zstd.h>
#include <catch2/catch.hpp>

#include "runtime/audit/bundle_codec.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/log_prune.h"
#include "runtime/audit/record_lookup.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

const std::string kFirstFrame = BundlePath(0) + kCompressedSuffix;

class ColdLog : public ChangeableLog {
 public:
  void Fill(int count) {
    const auto writer = LogWriter::Open(path, clock, random, DiskStorage()).value();
    std::vector<EncodedRecord> batch;
    for (int i = 0; i < count; ++i) {
      batch.push_back(EncodeRecord(Record(i), clock, random).value());
      clock.Advance(std::chrono::seconds(1));
    }
    std::vector<const EncodedRecord*> pointers;
    for (const EncodedRecord& record : batch) {
      pointers.push_back(&record);
    }
    REQUIRE(writer->Commit(pointers).ok());
    REQUIRE(writer->WriteCheckpoint().ok());
  }
  CompressReport Compress() { return CompressLog(Change(), "").value(); }
  QueryReport Query() {
    return QueryAuditLog(path, {}, {.index_directory = index, .progress = {}}, random,
                         [](uint64_t, const Json&) { return true; })
        .value();
  }
  std::string Exported() {
    std::string lines;
    REQUIRE(ExportLog(path, {}, [&](std::string_view more) {
              lines += more;
              return Ok();
            }).ok());
    return lines;
  }
};

}  // namespace

TEST_CASE("a compressed log is the same log, to every reader and verifier") {
  ColdLog log;
  const auto idle = log.Open();
  REQUIRE(idle->Append(Record(1)).ok());
  log.Fill(1'100);
  const std::string lines = log.Exported();
  const std::string root = log.Verify().root;
  CHECK(CompressLog(log.Change(), FormatRfc3339(log.clock.Now() - std::chrono::seconds(700)))
            .value()
            .bundles == 1);
  const CompressReport report = log.Compress();
  CHECK(report.bundles == 3);
  CHECK(report.bytes_after * 3 < report.bytes_before);
  CHECK(log.Compress().bundles == 0);
  for (const uint64_t number : {0, 1, 2, 3}) {
    CHECK_FALSE(HasPlainBundle(log.path, number));
    CHECK(HasBundle(log.path, number));
  }
  CHECK(HasPlainBundle(log.path, 4));
  INFO(log.Problems());
  CHECK(log.Verify().ok);
  CHECK(log.VerifiedByPython());
  CHECK(log.Exported().starts_with(lines));
  CHECK(log.Query().problems.empty());
  CHECK(log.Query().found == log.Verify().records);
  CHECK(AllEntries(log.path).size() == log.Verify().records);
  for (const char* which : {"0", "255", "256", "1023", "1024"}) {
    CHECK(FindRecord(log.path, which).value().unproven_because == "");
  }
  // It goes on, also for a writer that had the first bundle open; and it is pruned.
  REQUIRE(idle->Append(Record(2)).ok());
  log.Fill(300);
  CHECK(log.Verify().ok);
  const PruneReport pruned = PruneLog(log.Change(), {.before = 600, .rule = "before 600"}).value();
  CHECK(pruned.bundles == 2);
  CHECK_FALSE(HasBundle(log.path, 0));
  CHECK(FirstBundle(log.path) == 2);
  CHECK(log.Verify().ok);
  CHECK(log.VerifiedByPython());
  // Tiles are made anew from either form.
  ColdLog lost;
  lost.Fill(600);
  lost.Compress();
  fs::remove(lost.File(TilePath(0, 0)));
  fs::remove_all(lost.File("tile/1"));
  lost.Append(1);
  CHECK(lost.Verify().ok);
}

TEST_CASE("a frame that is cut, changed, too large or followed by more is no bundle") {
  ColdLog log;
  log.Fill(600);
  const std::string plain = log.Read(BundlePath(0));
  log.Compress();
  const std::string good = log.Read(kFirstFrame);
  CHECK(DecompressBundle(good).value() == plain);
  const auto refused = [&](const std::string& frame, bool whole = false) {
    CHECK(DecompressBundle(frame).ok() == whole);
    log.Write(kFirstFrame, frame);
    const VerifyReport report = log.Verify();
    CHECK_FALSE(report.ok);
    CHECK(report.first_bad == 0);
    CHECK_FALSE(log.Query().problems.empty());
    CHECK(PruneLog(log.Change(), {.before = 256, .rule = "x"}).error().code ==
          ErrorCode::kDataLoss);
  };
  for (const size_t size : {size_t{0}, size_t{3}, size_t{9}, good.size() / 2, good.size() - 1}) {
    CAPTURE(size);
    refused(good.substr(0, size));
  }
  refused(good + "x");
  refused(good + good);
  refused("no frame at all");
  // 4 GiB of zeros in a few kilobytes, and one that does not say how much it is.
  const auto frame_of = [](size_t bytes, bool sized) {
    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, sized ? 1 : 0);
    const std::string zeros(bytes, '\0');
    std::string frame(ZSTD_compressBound(bytes), '\0');
    frame.resize(
        ZSTD_compress2(context.get(), frame.data(), frame.size(), zeros.data(), zeros.size()));
    return frame;
  };
  refused(frame_of(kBundleBytesMax + 1, true));
  CHECK(DecompressBundle(frame_of(64U << 20, true)).error().message.find("67108864 bytes") !=
        std::string::npos);
  refused(frame_of(plain.size(), false));
  refused(frame_of(plain.size(), true), true);  // whole, and of other bytes
  log.Write(kFirstFrame, good);
  CHECK(log.Verify().ok);
  // Any changed byte is found: by the checksum, or by the tree.
  for (size_t i = 0; i < good.size(); i += 1 + good.size() / 97) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const auto bundle = DecompressBundle(changed);
    CHECK((!bundle.ok() || bundle.value() == plain));  // a bit that zstd does not read
  }
  // What is not as it was signed is not compressed.
  std::string other = DecompressBundle(log.Read(BundlePath(1) + kCompressedSuffix)).value();
  fs::remove(log.File(BundlePath(1) + kCompressedSuffix));
  other[other.find("fs.read")] = 'F';
  log.Write(BundlePath(1), other);
  CHECK(CompressLog(log.Change(), "").error().code == ErrorCode::kDataLoss);
  CHECK(HasPlainBundle(log.path, 1));
}

TEST_CASE("a crash at any step of compressing leaves a log that verifies") {
  ColdLog log;
  log.Fill(600);
  log.index.clear();
  Disk disk = Disk::Of(log.path);
  RecordingStorage storage(log.path);
  REQUIRE(CompressLog(log.Change(storage), "").value().bundles == 2);
  ColdLog crashed;
  size_t points = 0;
  const auto check = [&](const Files& files) {
    ++points;
    MakeDirectory(crashed.path, files);
    INFO(crashed.Problems());
    REQUIRE(crashed.Verify().ok);
    REQUIRE(CompressLog(crashed.Change(), "").ok());
    REQUIRE(crashed.Verify().ok);
    REQUIRE_FALSE(HasPlainBundle(crashed.path, 0));
    REQUIRE_FALSE(HasPlainBundle(crashed.path, 1));
  };
  for (size_t i = 0; i < storage.operations.size(); ++i) {
    const Operation& operation = storage.operations[i];
    CAPTURE(i, operation.path, operation.kind);
    check(disk.files);
    check(disk.AfterPowerFailure(false));
    if (operation.kind == Operation::kRemove && disk.files.contains(operation.path)) {
      Files both = disk.files;  // its name came back
      disk.Apply(operation);
      check(both);
      continue;
    }
    disk.Apply(operation);
  }
  check(disk.files);
  CHECK(points > 10);
}

}  // namespace nacre::audit
