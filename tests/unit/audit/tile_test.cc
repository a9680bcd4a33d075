// The tiles: the layout of C2SP tlog-tiles, and the proofs that are made from them.
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdlib>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/log_compress.h"
#include "runtime/audit/log_prune.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/tile_reader.h"
#include "tests/support/skip.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

using Hashes = std::vector<Sha256Digest>;

// RFC 9162, section 2.1.4.2: the roots of both trees from the proof alone.
bool Consistent(uint64_t old_size, const Sha256Digest& old_root, uint64_t size,
                const Sha256Digest& root, Hashes proof) {
  if (old_size == size) {
    return proof.empty() && old_root == root;
  }
  if ((old_size & (old_size - 1)) == 0) {
    proof.insert(proof.begin(), old_root);
  }
  if (proof.empty()) {
    return false;
  }
  uint64_t fn = old_size - 1;
  uint64_t sn = size - 1;
  while ((fn & 1U) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Sha256Digest fr = proof[0];
  Sha256Digest sr = proof[0];
  for (size_t i = 1; i < proof.size(); ++i) {
    if (sn == 0) {
      return false;
    }
    if ((fn & 1U) != 0 || fn == sn) {
      fr = NodeHash(proof[i], fr);
      sr = NodeHash(proof[i], sr);
      while ((fn & 1U) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = NodeHash(sr, proof[i]);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return fr == old_root && sr == root && sn == 0;
}

// A log of `count` leaves that exists as tiles only, as LogWriter writes them.
struct TileFolder {
  TempDir temp = FastTempDir();
  TreeEdge edge;
  Hashes roots{edge.Root()};  // by size

  void Write(const std::string& path, const std::string& bytes) const {
    Storage& storage = DiskStorage();
    const UniqueFd file = storage.Open(temp.path() + "/" + path, true).value();
    REQUIRE(storage.Write(file.get(), bytes, 0).ok());
  }
  static std::string Leaf(uint64_t index) { return "leaf " + std::to_string(index); }

  explicit TileFolder(uint64_t count) {
    std::string bundle;
    for (uint64_t i = 0; i < count; ++i) {
      std::vector<FullTile> full;
      edge.Append(LeafHash(Leaf(i)), &full);
      roots.push_back(edge.Root());
      AppendEntry(Leaf(i), &bundle);
      for (const FullTile& tile : full) {
        Write(TilePath(tile.level, tile.number), tile.bytes);
      }
      if ((i + 1) % kTileWidth == 0 || i + 1 == count) {
        Write(BundlePath(i / kTileWidth), bundle);
        bundle.clear();
      }
    }
  }
};

}  // namespace

TEST_CASE("numbers of tiles are paths of at most a thousand files a folder") {
  CHECK(TileNumberPath(0) == "000");
  CHECK(TileNumberPath(999) == "999");
  CHECK(TileNumberPath(1000) == "x001/000");
  CHECK(TileNumberPath(1234067) == "x001/x234/067");
  CHECK(BundlePath(5, 7) == "tile/entries/005.p/7");
  CHECK(TilePath(1, 1000) == "tile/1/x001/000");
}

TEST_CASE("the edge of a tree is the same from tiles as leaf by leaf") {
  const TileFolder folder(256 * 256 + 256 * 2 + 3);
  for (const uint64_t size :
       {0UL, 1UL, 255UL, 256UL, 257UL, 1000UL, 65535UL, 65536UL, 65537UL, 66048UL, 66051UL}) {
    CAPTURE(size);
    auto edge = LoadTreeEdge(folder.temp.path(), size, 0);
    REQUIRE(edge.ok());
    CHECK(edge.value().size() == size);
    CHECK(edge.value().Root() == folder.roots[size]);
    if (size < folder.roots.size() - 1) {
      std::vector<FullTile> full;
      edge.value().Append(LeafHash(TileFolder::Leaf(size)), &full);
      CHECK(edge.value().Root() == folder.roots[size + 1]);
      CHECK(full.size() == (size == 65535 ? 2 : (size + 1) % 256 == 0 ? 1 : 0));
    }
  }
  CHECK_FALSE(LoadTreeEdge(folder.temp.path(), 66052, 0).ok());
}

TEST_CASE("proofs of inclusion and consistency lead to the root") {
  const TileFolder folder(66051);
  for (const uint64_t size : {1UL, 2UL, 7UL, 256UL, 511UL, 600UL, 65536UL, 66051UL}) {
    auto tiles = TileReader::Open(folder.temp.path(), size);
    REQUIRE(tiles.ok());
    REQUIRE(tiles.value().Root() == folder.roots[size]);
    const uint64_t step = size < 700 ? 1 : 4099;
    for (uint64_t index = 0; index < size; index += step) {
      CAPTURE(size, index);
      const Sha256Digest leaf = LeafHash(TileFolder::Leaf(index));
      Hashes proof = tiles.value().InclusionProof(index).value();
      REQUIRE(RootOfInclusion(leaf, index, size, proof).value() == folder.roots[size]);
      // Of another record, or with another or a missing hash, it leads elsewhere.
      CHECK(RootOfInclusion(LeafHash("other"), index, size, proof).value() != folder.roots[size]);
      if (!proof.empty()) {
        proof[0][7] ^= 1;
        CHECK(RootOfInclusion(leaf, index, size, proof).value() != folder.roots[size]);
        proof.pop_back();
        CHECK_FALSE(RootOfInclusion(leaf, index, size, proof).ok());
      }
      const Hashes consistency = tiles.value().ConsistencyProof(index + 1).value();
      REQUIRE(
          Consistent(index + 1, folder.roots[index + 1], size, folder.roots[size], consistency));
      CHECK_FALSE(
          Consistent(index + 1, folder.roots[index], size, folder.roots[size], consistency));
    }
    CHECK(tiles.value().InclusionProof(size).error().code == ErrorCode::kOutOfRange);
    CHECK(tiles.value().ConsistencyProof(size + 1).error().code == ErrorCode::kOutOfRange);
    CHECK(tiles.value().ConsistencyProof(0).error().code == ErrorCode::kOutOfRange);
  }
}

TEST_CASE(
    "a log of many bundles has their tiles, and the partial ones of its newest checkpoint only") {
  LogDirectory log;
  log.Append(300);
  log.Append(220);  // 522 records
  log.Append(100);
  REQUIRE(log.Problems() == "");
  REQUIRE(log.Verify().notes.empty());
  CHECK(log.Verify().records == 623);
  CHECK(log.Read(TilePath(0, 0)).size() == kTileBytes);
  CHECK(log.Read(TilePath(0, 1)).size() == kTileBytes);
  CHECK(log.Read(TilePath(0, 2, 111)).size() == 111 * 32);
  CHECK(log.Read(TilePath(1, 0, 2)).size() == 64);
  CHECK(EntriesOf(log.Read(BundlePath(2, 111))).size() == 111);
  CHECK(EntriesOf(log.Read(BundlePath(1))).size() == 256);
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(log.path + "/tile")) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  CHECK(files == 3 + 2 + 3);
  auto tiles = TileReader::Open(log.path, 623);
  CHECK(RootOfInclusion(LeafHash(EntriesOf(log.Read(BundlePath(1)))[3]), 259, 623,
                        tiles.value().InclusionProof(259).value())
            .value() == tiles.value().Root());
}

// Debian's golang-golang-x-mod-dev: programs that know C2SP's formats and nothing of ours.
TEST_CASE("Go's packages for transparency logs agree with every record, tile and proof") {
  const std::string environment = "GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode GOCACHE=";
  if (std::system("go version >/dev/null 2>&1") != 0 ||
      !std::filesystem::exists("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")) {
    SKIP_HERE("needs golang-go and golang-golang-x-mod-dev");
  }
  ChangeableLog log;
  const std::string program = log.temp.path() + "/tlog_verify";
  const std::string quiet = " >>" + log.temp.path() + "/out 2>&1";
  const auto output = [&] { return ReadFile(log.temp.path() + "/out", 1 << 20).value(); };
  const bool built =
      std::system((environment + log.temp.path() + "/cache go build -o " + program + " " +
                   NACRE_SOURCE_DIR + "/tests/unit/audit/tlog_verify.go" + quiet)
                      .c_str()) == 0;
  INFO(output());
  REQUIRE(built);
  {  // more than one tile of level 1
    const auto writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage());
    const EncodedRecord record = EncodeRecord(Record(1), log.clock, log.random).value();
    const std::vector<const EncodedRecord*> batch(1000, &record);
    for (int i = 0; i < 66; ++i) {
      REQUIRE(writer.value()->Commit(batch).ok());
      if (i % 30 == 20) {
        REQUIRE(writer.value()->RotateKey().ok());
      }
    }
    REQUIRE(writer.value()->WriteCheckpoint().ok());
  }
  const std::string command = program + " " + log.path + quiet;
  const bool ok = std::system(command.c_str()) == 0;
  INFO(output());
  REQUIRE(ok);
  CHECK(output().find("ok: 66003 records") != std::string::npos);
  const auto check_change_noticed = [&](const std::string& path) {
    CAPTURE(path);
    const std::string good = log.Read(path);
    std::string bad = good;
    bad[bad.size() / 2] ^= 1;
    log.Write(path, bad);
    CHECK(std::system(command.c_str()) != 0);
    CHECK_FALSE(log.Verify().ok);
    log.Write(path, good);
  };
  for (const std::string& path :
       {BundlePath(7), TilePath(0, 200), TilePath(1, 0), TilePath(1, 1, 1), BundlePath(257, 211),
        std::string(kKeysFile)}) {
    check_change_noticed(path);
  }
  CHECK(log.Problems() == "");

  // Of a log that was pruned and compressed they know the hashes of what went, and zstd(1) unpacks the rest.
  if (std::system("zstd --version >/dev/null 2>&1") != 0) {
    SKIP_HERE("needs zstd");
  }
  constexpr uint64_t kFirst = 129;
  REQUIRE(PruneLog(log.Change(), {.before = kFirst * kTileWidth + 5, .rule = "before"}).ok());
  REQUIRE(CompressLog(log.Change(), "").ok());
  REQUIRE(std::system((program + " " + log.path + " >" + log.temp.path() + "/out-cold").c_str()) ==
          0);
  const std::string cold = ReadFile(log.temp.path() + "/out-cold", 1 << 20).value();
  CHECK(cold.find("records, " + std::to_string(kFirst * kTileWidth) + " of them pruned") !=
        std::string::npos);
  for (const std::string& path :
       {BundlePath(kFirst) + kCompressedSuffix, BundlePath(200) + kCompressedSuffix, TilePath(0, 3),
        TilePath(0, 200), TilePath(1, 0)}) {
    check_change_noticed(path);
    // Gone by hand, and not because a signed record says so.
    CAPTURE(path);
    const std::string good = log.Read(path);
    REQUIRE(::unlink(log.File(path).c_str()) == 0);
    CHECK(std::system(command.c_str()) != 0);
    log.Write(path, good);
  }
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("opening reads the newest bundle and the tiles, not the log") {
  LogDirectory log;
  log.Append(600);
  // Were it read, this would be noticed; whoever wants to know about old records verifies.
  std::string old = log.Read(BundlePath(0));
  old[100] ^= 1;
  log.Write(BundlePath(0), old);
  CHECK(log.Open()->Append(Record(1)).ok());
  CHECK_FALSE(log.Verify().ok);
  CHECK(log.Verify().first_bad == 0);
}

TEST_CASE("tiles that a power failure took are made anew from the records, and it is recorded") {
  LogDirectory log;
  log.Append(600);
  const std::string tile = log.Read(TilePath(0, 0));
  SECTION("missing") {
    REQUIRE(::unlink(log.File(TilePath(0, 0)).c_str()) == 0);
  }
  SECTION("cut") {
    REQUIRE(::truncate(log.File(TilePath(0, 0)).c_str(), 100) == 0);
  }
  SECTION("zeros") {
    log.Write(TilePath(0, 0), std::string(kTileBytes, '\0'));
  }
  REQUIRE(::unlink(log.File(TilePath(1, 0, 2)).c_str()) == 0);
  CHECK_FALSE(log.Verify().ok);
  log.Append(1);
  CHECK(log.Read(TilePath(0, 0)) == tile);
  CHECK(log.Problems() == "");
  CHECK(log.Events().find("log.recovered log.opened") != std::string::npos);
}

TEST_CASE("no tile is made from records that are not what was signed") {
  LogDirectory log;
  log.Append(600);
  std::string old = log.Read(BundlePath(0));
  old[100] ^= 1;
  log.Write(BundlePath(0), old);
  REQUIRE(::unlink(log.File(TilePath(0, 0)).c_str()) == 0);
  REQUIRE(::unlink(log.File(TilePath(1, 0, 2)).c_str()) == 0);
  CHECK_FALSE(log.TryOpen().ok());
  CHECK_FALSE(std::filesystem::exists(log.File(TilePath(0, 0))));
}

}  // namespace nacre::audit
