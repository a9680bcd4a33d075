// Searching a log: the answers are the log's, whatever the index says or is.
#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "runtime/audit/bundle_file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/event_names.h"
#include "runtime/audit/index_segment.h"
#include "runtime/audit/log_index.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/record_terms.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

constexpr int kSessions = 97;

// Sessions of various lengths, woven into each other.
AuditRecord Sample(uint64_t number) {
  AuditRecord record;
  record.event = number % 5 == 0 ? "workspace.commit" : "call.decided";
  record.session = "01J0000000000000000000S" + std::to_string(100 + number / 7 % kSessions);
  record.turn = "01J00000000000000000000T" + std::to_string(10 + number % 3);
  record.call = "01J0000000000000000" + std::to_string(1'000'000 + number / 2);
  record.actor = number % 11 == 0 ? "nacre" : "agent";
  record.rule = number % 4 == 0 ? "tools.read-workspace" : "default";
  record.tenant = number % 50 == 0 ? "other" : "";
  if (number % 200 == 0) {
    record.labels = {"untrusted"};
  }
  if (record.event == "workspace.commit") {
    record.data = {{"created", {"/workspace/src/file" + std::to_string(number % 300) + ".cc"}},
                   {"deleted", Json::array()}};
  } else {
    record.data = {
        {"tool", number % 3 == 0 ? "fs.read" : "fs.write"},
        {"verdict", number % 9 == 0 ? "deny" : "allow"},
        {"arguments",
         {{"content", "The quick\n\"brown\" fox \x1b[31m no" + std::to_string(number)}}}};
  }
  return record;
}

class QueryLog : public LogDirectory {
 public:
  std::string index = temp.path() + "/index";

  // In large commits, then a checkpoint.
  void Fill(uint64_t count) {
    const auto writer = LogWriter::Open(path, clock, random, DiskStorage()).value();
    for (uint64_t done = 0; done < count;) {
      std::vector<EncodedRecord> batch;
      for (uint64_t i = 0; i < 2048 && done < count; ++i) {
        batch.push_back(EncodeRecord(Sample(next_++), clock, random).value());
        clock.Advance(std::chrono::milliseconds(250));
        ++done;
      }
      std::vector<const EncodedRecord*> pointers;
      for (const EncodedRecord& record : batch) {
        pointers.push_back(&record);
      }
      REQUIRE(writer->Commit(pointers).ok());
    }
    REQUIRE(writer->WriteCheckpoint().ok());
  }

  std::vector<uint64_t> Query(const RecordFilter& filter, uint64_t newest = 0) {
    std::vector<uint64_t> found;
    report = QueryAuditLog(path, filter,
                           {.index_directory = index, .newest = newest, .progress = {}}, random,
                           [&](uint64_t number, const Json&) {
                             found.push_back(number);
                             return true;
                           })
                 .value();
    CHECK(report.found == found.size());
    return found;
  }

  // By looking at each record.
  std::vector<uint64_t> Oracle(const std::function<bool(const Json&)>& wanted) {
    REQUIRE(ReadAuditLog(path, records_.size(), [&](uint64_t, const Json& record) {
              records_.push_back(record);
              return true;
            }).ok());
    std::vector<uint64_t> found;
    for (uint64_t i = 0; i < records_.size(); ++i) {
      if (wanted(records_[i])) {
        found.push_back(i);
      }
    }
    return found;
  }

  std::set<std::string> IndexFiles() const {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(index)) {
      names.insert(file.path().filename().string());
    }
    return names;
  }

  QueryReport report;

 private:
  uint64_t next_ = 0;
  std::vector<Json> records_;
};

Json Data(const Json& record, const char* key) {
  const Json& data = record["data"];
  return data.contains(key) ? data[key] : Json();
}

}  // namespace

TEST_CASE("a query finds what looking at every record finds") {
  QueryLog log;
  log.Fill(9'000);  // two files of the index, and records after them
  const std::string session = Sample(700).session;
  struct Row {
    const char* name;
    RecordFilter filter;
    std::function<bool(const Json&)> wanted;
  };
  const std::string since = "2026-01-01T00:10:00.000Z";
  std::string first;
  REQUIRE(ReadAuditLog(log.path, 4'000, [&](uint64_t, const Json& record) {
            first = record["time"];
            return false;
          }).ok());
  const std::vector<Row> rows = {
      {"everything", {}, [](const Json&) { return true; }},
      {"session", {.session = session}, [&](const Json& r) { return r["session"] == session; }},
      {"tenant", {.tenant = "other"}, [](const Json& r) { return r["tenant"] == "other"; }},
      {"tool and decision",
       {.tool = "fs.read", .decision = "deny"},
       [](const Json& r) { return Data(r, "tool") == "fs.read" && Data(r, "verdict") == "deny"; }},
      {"rule", {.rule = "default"}, [](const Json& r) { return r["rule"] == "default"; }},
      {"event", {.event = "log.opened"}, [](const Json& r) { return r["event"] == "log.opened"; }},
      {"actor", {.actor = "nacre"}, [](const Json& r) { return r["actor"] == "nacre"; }},
      {"label", {.label = "untrusted"}, [](const Json& r) { return !r["labels"].empty(); }},
      {"call",
       {.call = Sample(8'000).call},
       [](const Json& r) { return r["call"] == Sample(8'000).call; }},
      {"path",
       {.path = "src/file25.cc"},
       [](const Json& r) { return Data(r, "created") == Json{"/workspace/src/file25.cc"}; }},
      {"folder",
       {.path = "/workspace/src/"},
       [](const Json& r) { return r["event"] == "workspace.commit"; }},
      {"text",
       {.text = "BROWN no77 quick"},
       [](const Json& r) { return DumpJson(r["data"]).find("no77\"") != std::string::npos; }},
      {"time", {.since = first}, [&](const Json& r) { return r["time"] >= first; }},
      {"time and session",
       {.until = first, .session = session},
       [&](const Json& r) { return r["time"] < first && r["session"] == session; }},
      {"a file that arguments name",
       {.path = "deep/er/x7.md"},
       [](const Json& r) { return DumpJson(r["data"]).find("x7.md") != std::string::npos; }},
      {"a part of a word is no word", {.text = "brow"}, [](const Json&) { return false; }},
      {"a part of a name is no name", {.path = "src/file25"}, [](const Json&) { return false; }},
      {"nothing there", {.session = "01J0"}, [](const Json&) { return false; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const std::vector<uint64_t> wanted = log.Oracle(row.wanted);
    CHECK(log.Query(row.filter) == wanted);
    CHECK(log.report.problems.empty());
    CHECK(log.report.notes.empty());
    CHECK(log.report.signed_records == 9'001);
    const size_t some = std::min<size_t>(wanted.size(), 10);
    CHECK(log.Query(row.filter, 10) ==
          std::vector<uint64_t>(wanted.end() - static_cast<std::ptrdiff_t>(some), wanted.end()));
  }
  // And looks at little: the bundle with the call, and those that no file covers yet.
  CHECK(log.Query({.call = Sample(1'000).call}).size() == 2);
  CHECK(log.report.bundles == 36);
  CHECK(log.report.bundles_read <= 1 + 36 - 32);
}

TEST_CASE("the index grows with the log, and its files are joined") {
  QueryLog log;
  log.Fill(4'000);
  CHECK(log.Query({.call = Sample(3'000).call}).size() == 2);
  CHECK(log.IndexFiles() == std::set<std::string>{"secret"});
  log.Fill(4'200);
  CHECK(log.Query({.call = Sample(3'000).call}).size() == 2);
  CHECK(log.IndexFiles() == std::set<std::string>{"secret", "0-0", "0-1"});
  log.Fill(60'000);
  const std::string session = Sample(3'000).session;
  const auto wanted = log.Oracle([&](const Json& r) { return r["session"] == session; });
  CHECK(log.Query({.session = session}) == wanted);
  CHECK(log.IndexFiles() == std::set<std::string>{"secret", "1-0"});
  CHECK(log.report.notes.empty());
  // The same again from nothing.
  const std::string joined = ReadFile(log.index + "/1-0", 1 << 26).value();
  const std::string secret = ReadFile(log.index + "/secret", 64).value();
  std::filesystem::remove(log.index + "/1-0");
  CHECK(log.Query({.session = session}) == wanted);
  CHECK(ReadFile(log.index + "/1-0", 1 << 26).value() == joined);
  struct stat info {};
  REQUIRE(::stat(log.index.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  REQUIRE(::stat((log.index + "/secret").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

// Whoever can write the index but not read its secret cannot hide a record, and is noticed.
TEST_CASE("an index that was changed is told, made anew, and changes no answer") {
  QueryLog log;
  log.Fill(4'200);
  const RecordFilter filter{.call = Sample(1'000).call};
  const std::vector<uint64_t> wanted = log.Query(filter);
  REQUIRE(wanted.size() == 2);
  const std::string file = log.index + "/0-0";
  const std::string good = ReadFile(file, 1 << 24).value();
  const auto put = [](const std::string& path, const std::string& content) {
    REQUIRE(WriteFileAtomically(path, content).ok());
  };
  std::string why;
  SECTION("any byte of it") {
    // In all parts of it; what no search reads shows when it is read.
    for (size_t i = 0; i < good.size(); i += i < 176 ? 11 : 49'999) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ 4);
      put(file, changed);
      CAPTURE(i);
      CHECK(log.Query(filter) == wanted);
      if (i < 176) {
        CHECK(log.report.notes.size() == 1);
      }
    }
    return;
  }
  SECTION("cut short") {
    put(file, good.substr(0, good.size() - 1));
    CHECK(log.Query(filter) == wanted);
    put(file, good.substr(0, 50));
    CHECK(log.Query(filter) == wanted);
    why = "0-0: it is not as it was written; made anew from the log";
  }
  SECTION("emptied of all terms, as well as it can be without the secret") {
    const Sha256Digest root = CheckedLog::Open(log.path)
                                  .value()
                                  .tree()
                                  ->CheckedRoot(8 + SegmentBundlesLog2(0), 0)
                                  .value();
    SegmentContent empty;
    empty.times.resize(SegmentBundles(0));
    REQUIRE(IndexSegment::Write(log.index, {0, 0}, std::string(32, 'x'), root, empty).ok());
    CHECK(log.Query(filter) == wanted);
    why = "0-0: it is not as it was written; made anew from the log";
  }
  SECTION("that of another log, whose secret is the same") {
    QueryLog other;
    other.Fill(4'200);
    std::filesystem::create_directory(other.index);
    put(other.index + "/secret", ReadFile(log.index + "/secret", 64).value());
    CHECK(other.Query({.call = Sample(1'000).call}).size() == 2);
    put(file, ReadFile(other.index + "/0-0", 1 << 24).value());
    CHECK(log.Query(filter) == wanted);
    why = "0-0: it is of other records; made anew from the log";
  }
  SECTION("another file of its own") {
    log.Fill(4'200);
    CHECK(log.Query(filter) == wanted);
    put(file, ReadFile(log.index + "/0-1", 1 << 24).value());
    CHECK(log.Query(filter) == wanted);
    why = "0-0: it is another file of the index; made anew from the log";
  }
  SECTION("with another secret") {
    put(log.index + "/secret", std::string(32, 'x'));
    CHECK(log.Query(filter) == wanted);
    why = "0-0: it is not as it was written; made anew from the log";
  }
  SECTION("a fifo") {
    REQUIRE(::unlink(file.c_str()) == 0);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(log.Query(filter) == wanted);
    why = "0-0 is no regular file; made anew from the log";
  }
  REQUIRE(log.report.notes.size() == 1);
  CHECK(log.report.notes[0].ends_with(why));
  CHECK(log.report.bundles_read < 4);
  log.Query(filter);
  CHECK(log.report.notes.empty());
}

TEST_CASE("without a place for an index the whole log is read") {
  QueryLog log;
  log.Fill(4'200);
  const RecordFilter filter{.call = Sample(1'000).call};
  log.index = log.temp.path() + "/file";
  REQUIRE(WriteFileAtomically(log.index, "").ok());
  CHECK(log.Query(filter).size() == 2);
  CHECK(log.report.bundles_read == log.report.bundles);
  CHECK(log.report.notes.at(0).starts_with("no index, the whole log is read: "));
  log.index.clear();
  CHECK(log.Query(filter).size() == 2);
  CHECK(log.report.bundles_read == log.report.bundles);
}

TEST_CASE("records that are not those that were signed are no answer but a problem") {
  QueryLog log;
  log.Fill(4'200);
  const RecordFilter filter{.call = Sample(1'000).call};
  if (GENERATE(true, false)) {
    log.Query(filter);  // with an index that was made before, or without
  }
  SECTION("edited") {
    std::string bundle = log.Read(BundlePath(3));
    bundle.replace(bundle.find("\"deny\""), 6, "\"dent\"");
    log.Write(BundlePath(3), bundle);
    CHECK(log.Query(filter).empty());
    REQUIRE(log.report.problems.size() == 1);
    CHECK(
        log.report.problems[0].starts_with("records 768 to 1023: they are not those that were "
                                           "signed over 4201 records"));
    CHECK(log.Query({.call = Sample(100).call}).size() == 2);  // the others are as they were
  }
  SECTION("and their tiles forged to fit") {
    std::string tile = log.Read(TilePath(0, 3));
    tile[5] ^= 1;
    log.Write(TilePath(0, 3), tile);
    CHECK(log.Query(filter).size() == 2);  // nothing of it is needed
    // Without the partial tile it is; now nothing counts as signed, and that is said.
    std::filesystem::remove(log.File(TilePath(1, 0, 4'201 / 256)));
    CHECK(log.Query(filter).size() == 2);
    CHECK(log.report.signed_records == 0);
    CHECK(log.report.problems.at(0).starts_with("the hash tiles do not lead to the root"));
  }
  SECTION("the last ones, partly under the signature") {
    std::string bundle = log.Read(BundlePath(16));
    bundle.replace(bundle.find("\"fs.read\""), 9, "\"fs.rEad\"");
    log.Write(BundlePath(16), bundle);
    log.Query({.event = "call.decided"});
    REQUIRE(log.report.problems.size() >= 1);
  }
  SECTION("missing") {
    std::filesystem::remove(log.File(BundlePath(3)));
    CHECK(log.Query(filter).empty());
    CHECK(log.report.problems.size() == 1);
  }
}

// One partial tile of 32 bytes leads to the root of a tree of 2^56 records.
TEST_CASE("a signature over records that nobody has costs no memory and no time") {
  QueryLog log;
  log.Fill(5);
  Sha256Digest hash;
  hash.fill(5);
  const int level = GENERATE(4, 5, 7);
  const uint64_t size = uint64_t{1} << (8 * level);
  std::filesystem::create_directories(log.File(TilePath(level, 0) + ".p"));
  log.Write(TilePath(level, 0, 1), TileBytes({hash}));
  log.Sign({.size = size, .root = hash});
  REQUIRE(CheckedLog::Open(log.path).value().signed_records() == size);
  std::string missing = "records 256 to " + std::to_string(size - 1);
  if (GENERATE(false, true)) {  // the last one, so that the end alone is no sign
    missing = "records 256 to " + std::to_string(size - 257);
    const std::string last = BundlePath(size / kTileWidth - 1);
    std::filesystem::create_directories(std::filesystem::path(log.File(last)).parent_path());
    log.Write(last, log.Read(kFirstBundle));
  }
  if (GENERATE(false, true)) {
    log.index.clear();
  }
  for (const uint64_t newest : {0, 1}) {
    CHECK(log.Query({.event = "call.decided"}, newest).empty());
    REQUIRE_FALSE(log.report.problems.empty());
    CHECK(log.report.problems[0] == missing + ": missing; see nacre audit verify");
  }
  CHECK_FALSE(log.Verify().ok);
  // Nor does a beginning that is missing.
  std::filesystem::rename(log.File(kFirstBundle), log.File(BundlePath(7)));
  CHECK(log.Query({.event = "call.decided"}).empty());
  CHECK_FALSE(log.report.problems.empty());
  CHECK_FALSE(log.Verify().ok);
}

TEST_CASE("of a range the bundles that are there are found, and its gaps") {
  const TempDir temp = FastTempDir();
  const auto put = [&](const std::string& name) {
    const std::filesystem::path path = temp.path() + "/tile/entries/" + name;
    std::filesystem::create_directories(path.parent_path());
    REQUIRE(WriteFileAtomically(path.string(), "x").ok());
  };
  for (const char* name :
       {"000", "001", "005.zst", "999", "x001/000", "x001/x002/003", "x281/x474/x976/x710/655",
        // and what is none
        "004.p/7", "x000/006", "0007", "99999999999999999999", "x99999999999999999999/000",
        "00a"}) {
    put(name);
  }
  std::filesystem::create_directory(temp.path() + "/tile/entries/003");
  const auto there = [&](uint64_t first, uint64_t end) {
    std::vector<BundleRange> gaps;
    auto found = BundlesThere(temp.path(), {first, end}, &gaps);
    return std::pair(found, gaps);
  };
  using Numbers = std::vector<uint64_t>;
  using Gaps = std::vector<BundleRange>;
  CHECK(there(0, 2) == std::pair(Numbers{0, 1}, Gaps{}));
  CHECK(there(0, 6) == std::pair(Numbers{0, 1, 5}, Gaps{{2, 5}}));
  CHECK(there(2, 5) == std::pair(Numbers{}, Gaps{{2, 5}}));
  CHECK(there(6, 1'001) == std::pair(Numbers{999, 1'000}, Gaps{{6, 999}}));
  CHECK(there(3, 3) == std::pair(Numbers{}, Gaps{}));
  CHECK(there(1'000, uint64_t{1} << 56) ==
        std::pair(Numbers{1'000, 1'002'003, 281'474'976'710'655},
                  Gaps{{1'001, 1'002'003},
                       {1'002'004, 281'474'976'710'655},
                       {281'474'976'710'656, uint64_t{1} << 56}}));
}

TEST_CASE("records after the newest signature are found, and checked by their links") {
  QueryLog log;
  log.Fill(600);
  const std::string head = log.Read(kHeadFile);
  log.Fill(600);
  log.Write(kHeadFile, head);
  log.Write(kCheckpointFile, head);
  const RecordFilter filter{.event = "call.decided"};
  const auto wanted = log.Oracle([](const Json& r) { return r["event"] == "call.decided"; });
  CHECK(log.Query(filter) == wanted);
  CHECK(log.report.signed_records == 601);
  CHECK(log.report.problems.empty());
  std::string bundle = log.Read(BundlePath(3));
  bundle.replace(bundle.find("\"agent\""), 7, "\"agenT\"");
  log.Write(BundlePath(3), bundle);
  CHECK(log.Query(filter).size() < wanted.size());
  REQUIRE(log.report.problems.size() == 1);
  CHECK(log.report.problems[0].find("its link does not match") != std::string::npos);
}

TEST_CASE("a log whose signatures are gone is still searched, and that is said") {
  QueryLog log;
  log.Fill(300);
  log.Write(kHeadFile, "x");
  CHECK(log.Query({.event = "log.opened"}).size() == 1);
  CHECK(log.report.problems.empty());  // the checkpoint holds
  log.Write(kCheckpointFile, "x");
  CHECK(log.Query({.event = "log.opened"}).size() == 1);
  CHECK(log.report.problems.size() == 1);
  CHECK(log.report.signed_records == 0);
  std::filesystem::remove(log.File(kPublicKeyFile));
  CHECK(log.Query({.event = "log.opened"}).size() == 1);
  CHECK(log.report.problems.size() == 1);
  CHECK(QueryAuditLog(log.path + "/none", {}, {}, log.random, nullptr).error().code ==
        ErrorCode::kNotFound);
}

TEST_CASE("the terms of a record are those of its strings and words, and no others") {
  const auto terms_of = [](const std::string& record) {
    std::vector<Term> terms;
    CHECK(AddTerms(record, &terms));
    return std::set<Term>(terms.begin(), terms.end());
  };
  const auto set_of = [](const std::vector<std::string>& texts) {
    std::set<Term> terms;
    for (const std::string& text : texts) {
      terms.insert(TermOf(text));
    }
    return terms;
  };
  CHECK(terms_of(R"({"actor":"uid 0","data":{"id":"x-y","n":7,"time":["Z",{"a":"b"}]},"id":"i",)"
                 R"("labels":["l"],"previous":"p","time":"t","trace":"r"})") ==
        set_of({"uid 0", "uid", "0", "x-y", "x", "y", "z", "b", "l"}));
  CHECK(terms_of(R"({"data":{"a":"one\ntwo\"three\\four\u001bfive"}})") ==
        set_of({"one\ntwo\"three\\four\x1b"
                "five",
                "one", "two", "three", "four", "our", "five"}));
  // Arguments are JSON in a string: both ways to read it find it.
  CHECK(terms_of(R"({"data":{"a":"{\"b\":\"one\\ntwo\\u001bthree\"}"}})") ==
        set_of({"{\"b\":\"one\\ntwo\\u001bthree\"}", "b", "one", "ntwo", "two", "u001bthree",
                "001bthree", "three"}));
  CHECK(WordsIn("one\\nTwo") == std::vector<std::string>{"one", "two", "ntwo"});
  const std::string big(2 * kTermBytesMax, 'x');
  CHECK(terms_of("{\"data\":{\"a\":\"" + big + "\"}}") == set_of({big}));
  CHECK(WordsOf("Grüße, a_b-c\n") == std::vector<std::string>{"grüße", "a_b", "c"});
  std::vector<Term> none;
  for (const char* odd : {R"({"a":"\u0041"})", R"({"a":"\)", R"({"a":"x)", R"({"a\n":"x"})"}) {
    CHECK_FALSE(AddTerms(odd, &none));
  }
  CHECK(TermOf("") != 0);
  CHECK(TimeDigits("2026-11-26T12:00:00.123Z") == 20261126120000123U);
  CHECK(TimeDigits("2026-11-26T12:00:00.12xZ") == 0);
  CHECK(TimeDigits("2026-11-26 12:00:00.123Z") == 0);
}

TEST_CASE("an instant is written in full, in part, or as how long ago") {
  const testing::ManualClock clock;  // 2023-11-14T22:13:20Z
  const auto parsed = [&](const char* text) {
    const auto instant = ParseInstant(text, clock.Now());
    return instant.ok() ? instant.value() : "";
  };
  CHECK(parsed("2026-11-26") == "2026-11-26T00:00:00.000Z");
  CHECK(parsed("2026-11-26T12:30") == "2026-11-26T12:30:00.000Z");
  CHECK(parsed("2026-11-26T12:30:05Z") == "2026-11-26T12:30:05.000Z");
  CHECK(parsed("2026-11-26T12:30:05.123Z") == "2026-11-26T12:30:05.123Z");
  CHECK(parsed("20s") == "2023-11-14T22:13:00.000Z");
  CHECK(parsed("13m") == "2023-11-14T22:00:20.000Z");
  CHECK(parsed("2h") == "2023-11-14T20:13:20.000Z");
  CHECK(parsed("14d") == "2023-10-31T22:13:20.000Z");
  CHECK(parsed("2024-02-29") == "2024-02-29T00:00:00.000Z");
  for (const char* bad :
       {"", "s", "-1s", "1.5h", "99999999999999999999s", "2026-13-01", "2026-11-32",
        "2026-11-26T24:00", "2026-11-26 12:00", "yesterday", "2026-11-2x", "Z", "2026-02-31",
        "2026-02-29", "2026-11-31", "2026-00-10", "2026-01-00"}) {
    CAPTURE(bad);
    CHECK(parsed(bad).empty());
  }
}

TEST_CASE("an approval is found by its tool and its answer, and a label by its short name") {
  LogDirectory log;
  {
    const auto open = log.Open();
    const auto append = [&](const char* event, Json data, std::vector<std::string> labels) {
      AuditRecord record = Record(0);
      record.event = event;
      record.data = std::move(data);
      record.labels = std::move(labels);
      REQUIRE(open->Append(record).ok());
    };
    append("call.decided", {{"tool", "fs.write"}, {"verdict", "ask"}}, {"integrity:untrusted"});
    append("call.approval", {{"approved", true}, {"subject", {{"tool", "fs.write"}}}},
           {"category:personal-data", "integrity:untrusted"});
    append("call.approval", {{"approved", false}, {"subject", {{"tool", "fs.read"}}}}, {});
    append("turn.finished", {{"approved", false}, {"answer", "untrusted"}, {"text", "approved"}},
           {"category:untrusted-not"});
  }
  struct Row {
    RecordFilter filter;
    std::vector<uint64_t> wanted;
  };
  for (const Row& row : std::vector<Row>{{{.tool = "fs.write"}, {1, 2}},
                                         {{.tool = "fs.reed"}, {}},
                                         {{.decision = "ask"}, {1}},
                                         {{.decision = "approved"}, {2}},
                                         {{.decision = "refused"}, {3}},
                                         {{.tool = "fs.read", .decision = "approved"}, {}},
                                         {{.label = "integrity:untrusted"}, {1, 2}},
                                         {{.label = "untrusted"}, {1, 2}},
                                         {{.label = "personal-data"}, {2}},
                                         {{.label = "integrity"}, {}},
                                         {{.label = "trusted"}, {}}}) {
    CAPTURE(row.filter.tool, row.filter.decision, row.filter.label);
    std::vector<uint64_t> found;
    REQUIRE(QueryAuditLog(log.path, row.filter, {}, log.random, [&](uint64_t index, const Json&) {
              found.push_back(index);
              return true;
            }).ok());
    CHECK(found == row.wanted);
    // The index leads there as well.
    const std::vector<Term> asked = TermsOf(row.filter);
    for (const uint64_t index : found) {
      std::vector<Term> terms;
      REQUIRE(AddTerms(EntriesOf(log.Read(kFirstBundle))[index], &terms));
      std::sort(terms.begin(), terms.end());
      CHECK(std::includes(terms.begin(), terms.end(), asked.begin(), asked.end()));
    }
  }
}

TEST_CASE("a record is found by a host that it names, in whatever form") {
  LogDirectory log;
  const std::vector<std::string> texts = {"https://api.example.com:8443/x",
                                          "ann@example.com",
                                          "See EXAMPLE.COM. Then go on",
                                          R"({"to":["\nexample.com"]})",
                                          "example.com.evil.test",
                                          "my-example.com",
                                          "example.common",
                                          "example_com",
                                          "the example; com"};
  {
    const auto open = log.Open();
    for (const std::string& text : texts) {
      AuditRecord record = Record(0);
      record.data = {{"what", {{"content", text}}}};
      REQUIRE(open->Append(record).ok());
    }
  }
  const auto find = [&](const std::string& host) {
    std::vector<uint64_t> found;
    REQUIRE(QueryAuditLog(log.path, {.host = host},
                          {.index_directory = log.path + "-index", .progress = {}}, log.random,
                          [&](uint64_t index, const Json&) {
                            found.push_back(index);
                            return true;
                          })
                .ok());
    return found;
  };
  CHECK(find("example.com") == std::vector<uint64_t>{1, 2, 3, 4});
  CHECK(find("api.example.com") == std::vector<uint64_t>{1});
  CHECK(find("Example.Com") == find("example.com"));
  CHECK(find("evil.test") == std::vector<uint64_t>{5});
  CHECK(find("ample.com").empty());
}

TEST_CASE("each event has a name that is known, and a row in the documentation") {
  CHECK(std::is_sorted(EventNames().begin(), EventNames().end()));
  const std::string page = ReadFile(NACRE_SOURCE_DIR "/docs/audit-log.md", 1 << 20).value();
  const size_t begin = page.find("\n## Events\n");
  REQUIRE(begin != std::string::npos);
  std::string rows = page.substr(begin, page.find("\n## ", begin + 5) - begin);
  std::set<std::string> told;
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line);) {
    const std::string first = line.substr(0, line.find('|', 1));
    for (size_t at = first.find('`'); at != std::string::npos && line.starts_with("| `");
         at = first.find('`', first.find('`', at + 1) + 1)) {
      told.insert(first.substr(at + 1, first.find('`', at + 1) - at - 1));
    }
  }
  CHECK(told == std::set<std::string>(EventNames().begin(), EventNames().end()));
  for (const std::string_view name : EventNames()) {
    CHECK(CheckEventName(name).ok());
  }
  CHECK(CheckEventName("call.decide")
            .error()
            .message.starts_with(
                "'call.decide' is no event; there are call.approval, call.decided, "));
  CHECK(CheckEventName("nothing").error().message.find("workspace.undone") != std::string::npos);
  CHECK_FALSE(CheckEventName("").ok());
}

// An instant beyond what the clock's type holds would wrap into the future: everything would be older than it.
TEST_CASE("no time ago is so long that it is in the future") {
  const testing::ManualClock clock;  // 2023-11-14T22:13:20Z
  const std::string earliest = "1923-12-09T22:13:20.000Z";
  for (const auto& [unit, most] : {std::pair<const char*, int64_t>{"d", 36'500},
                                   {"h", 876'000},
                                   {"m", 52'560'000},
                                   {"s", 3'153'600'000}}) {
    CAPTURE(unit);
    CHECK(ParseInstant(std::to_string(most) + unit, clock.Now()).value() == earliest);
    for (const int64_t beyond : {most + 1, most * 2, most * 5, most * 30, INT64_MAX}) {
      CAPTURE(beyond);
      const auto refused = ParseInstant(std::to_string(beyond) + unit, clock.Now());
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().code == ErrorCode::kInvalidArgument);
      CHECK(refused.error().message.ends_with("is too long ago: at most 36500d"));
    }
  }
}

TEST_CASE("a bundle with more terms than are told apart is a candidate always") {
  const TempDir temp = FastTempDir();
  const std::string secret(32, 's');
  SegmentContent content;
  content.times.resize(SegmentBundles(0));
  content.places = {3, TermOf("a") << 24 | 5, TermOf("b") << 24 | 5, TermOf("b") << 24 | 6};
  std::sort(content.places.begin(), content.places.end());
  REQUIRE(IndexSegment::Write(temp.path(), {0, 7}, secret, {}, content).ok());
  const auto segment = IndexSegment::Open(temp.path(), {0, 7}, secret, {}).value();
  using Places = std::vector<uint32_t>;
  CHECK(segment.Candidates({TermOf("a")}).value() == Places{3, 5});
  CHECK(segment.Candidates({TermOf("b")}).value() == Places{3, 5, 6});
  CHECK(segment.Candidates({TermOf("a"), TermOf("b")}).value() == Places{3, 5});
  CHECK(segment.Candidates({TermOf("c")}).value() == Places{3});
  CHECK(segment.Candidates({}).value().size() == 16);
  CHECK(segment.Content().value().places == content.places);
}

}  // namespace nacre::audit
