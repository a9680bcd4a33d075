// What evidence costs: durable records a second next to what the disk can do at all and to what others do
// with it, verification next to plain SHA-256 of the same bytes, and proofs from a log of millions.
//
// The options are in kUsage. The default of ten million records for queries needs 8 GB in DIR and some minutes to write them.
//
// Contenders that wait for the disk run in the same process, on the same file system, in turns. Rates of
// pure computation are of this thread's processor time, so that other work on the machine does not count.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/temp_dir.h"
#include "runtime/audit/audit_log.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/log_writer.h"
#include "runtime/audit/pooled_random.h"
#include "runtime/audit/tile_reader.h"
#include "tests/bench/log_daemons.h"
#ifdef NACRE_ZYGOTE
#include "sandbox/kernel_sandbox.h"
#endif

namespace nacre::audit {
namespace {

struct Options {
  double seconds = 5;
  uint64_t records = 1'000'000;
  uint64_t proof_records = 10'000'000;
  uint64_t query_records = 10'000'000;
  std::string directory = "/var/tmp";
  uint64_t calls = 300;
  std::string only;  // empty: all
};

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "audit_bench: %s\n", what.c_str());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    Die(result.error().message);
  }
  return std::move(result).value();
}
void Must(const Status& status) {
  if (!status.ok()) {
    Die(status.error().message);
  }
}

double Wall() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ThreadSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// A decision as the runtime writes them: about 700 bytes.
AuditRecord Decision(uint64_t number) {
  AuditRecord record;
  record.event = "call.decided";
  record.session = "01J00000000000000000000001";
  record.turn = "01J00000000000000000000002";
  record.call = "01J00000000000000000000003";
  record.policy_digest = "sha256:" + std::string(64, 'a');
  // As the authorizer makes it: member by member.
  record.data["tool"] = "fs.read";
  record.data["number"] = number;
  Json& arguments = record.data["arguments"];
  arguments["digest"] = "sha256:" + std::string(64, 'b');
  arguments["bytes"] = 40;
  record.data["verdict"] = "allow";
  record.data["reason"] = "the agent reads the workspace";
  record.data["source"] = "coding.yaml:12:5";
  record.rule = "tools.read-workspace";
  record.step = 3;
  record.actor = "agent";
  return record;
}

// The most that this process has had so far.
int64_t PeakMemoryMiB() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return use.ru_maxrss / 1024;
}

struct Latencies {
  std::vector<double> ms;
  double seconds = 0;

  double Percentile(double part) {
    std::sort(ms.begin(), ms.end());
    return ms.empty() ? 0
                      : ms[std::min(ms.size() - 1,
                                    static_cast<size_t>(part * static_cast<double>(ms.size())))];
  }
  double Rate() const { return static_cast<double>(ms.size()) / seconds; }
};

// Calls `act` in each of `threads` threads until the time is over.
Latencies Measure(int threads, double seconds, const std::function<void(int)>& act) {
  std::vector<std::vector<double>> of_thread(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  const double begin = Wall();
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      std::vector<double>& ms = of_thread[static_cast<size_t>(thread)];
      for (double now = Wall(); now < begin + seconds;) {
        act(thread);
        const double after = Wall();
        ms.push_back((after - now) * 1e3);
        now = after;
      }
    });
  }
  for (std::thread& thread : running) {
    thread.join();
  }
  Latencies all;
  all.seconds = Wall() - begin;
  for (const auto& ms : of_thread) {
    all.ms.insert(all.ms.end(), ms.begin(), ms.end());
  }
  return all;
}

class Sqlite final {
 public:
  explicit Sqlite(const std::string& path) {
    if (::sqlite3_open(path.c_str(), &database_) != SQLITE_OK) {
      Die("sqlite3_open");
    }
    Run("PRAGMA journal_mode=WAL");
    Run("PRAGMA synchronous=FULL");
    Run("CREATE TABLE records (number INTEGER PRIMARY KEY, line TEXT)");
    ::sqlite3_prepare_v2(database_, "INSERT INTO records (line) VALUES (?)", -1, &insert_, nullptr);
  }
  ~Sqlite() {
    ::sqlite3_finalize(insert_);
    ::sqlite3_close(database_);
  }
  void Insert(const std::string& line) {
    ::sqlite3_bind_text(insert_, 1, line.data(), static_cast<int>(line.size()), SQLITE_STATIC);
    if (::sqlite3_step(insert_) != SQLITE_DONE) {
      Die("sqlite3_step");
    }
    ::sqlite3_reset(insert_);
  }

 private:
  void Run(const char* sql) {
    if (::sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
      Die(sql);
    }
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

void PrintRow(const char* what, int writers, Latencies& of) {
  std::printf("%-34s %7d  %12.0f  %9.3f  %9.3f\n", what, writers, of.Rate(), of.Percentile(0.5),
              of.Percentile(0.99));
}

OrderedJson MeasureWriting(const Options& options, const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  const auto log = Must(OpenAuditLog(directory + "/log", clock, random));
  const std::string line =
      FinishRecord(Must(EncodeRecord(Decision(1), clock, random)), 1, std::string(64, 'c'));

  // One writer, in turns with the floors: the disk's moods hit all.
  const UniqueFd raw(
      ::open((directory + "/raw").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  Sqlite sqlite(directory + "/sqlite.db");
  Latencies floor;
  Latencies one;
  Latencies full;
  const auto timed = [](Latencies& into, const std::function<void()>& act) {
    const double begin = Wall();
    act();
    into.ms.push_back((Wall() - begin) * 1e3);
    into.seconds += into.ms.back() / 1e3;
  };
  uint64_t number = 0;
  for (const double end = Wall() + 3 * options.seconds; Wall() < end;) {
    timed(floor, [&] {
      Must(WriteAll(raw.get(), line));
      if (::fdatasync(raw.get()) != 0) {
        Die("fdatasync");
      }
    });
    timed(one, [&] { Must(log->Append(Decision(++number))); });
    timed(full, [&] { sqlite.Insert(line); });
  }
  const double ratio = one.Percentile(0.5) / floor.Percentile(0.5);
  std::printf("%-34s %7s  %12s  %9s  %9s\n", "", "writers", "durable/s", "p50 ms", "p99 ms");
  PrintRow("raw write and fdatasync", 1, floor);
  PrintRow("nacre audit log", 1, one);
  PrintRow("SQLite, WAL, synchronous=FULL", 1, full);
  OrderedJson result = {{"single_writer_over_fdatasync", ratio},
                        {"fdatasync_p50_ms", floor.Percentile(0.5)},
                        {"durable_per_s_1_writer", one.Rate()},
                        {"sqlite_full_per_s", full.Rate()}};
  for (const int writers : {8, 64}) {
    Latencies many = Measure(writers, options.seconds, [&](int thread) {
      Must(log->Append(Decision(static_cast<uint64_t>(thread))));
    });
    // One connection in turns: quicker than one each, which would wait for the lock of the database by sleeping.
    std::mutex turn;
    Latencies in_sqlite = Measure(writers, options.seconds, [&](int) {
      const std::scoped_lock lock(turn);
      sqlite.Insert(line);
    });
    PrintRow("nacre audit log", writers, many);
    PrintRow("SQLite, WAL, synchronous=FULL", writers, in_sqlite);
    const std::string suffix = "_" + std::to_string(writers) + "_writers";
    result["durable_per_s" + suffix] = many.Rate();
    result["p99_ms" + suffix] = many.Percentile(0.99);
    result["sqlite_full_per_s" + suffix] = in_sqlite.Rate();
    result["sqlite_full_p99_ms" + suffix] = in_sqlite.Percentile(0.99);
  }
  Must(log->WriteCheckpoint());
  const VerifyReport verified = Must(VerifyAuditLog(directory + "/log"));
  if (!verified.ok) {
    Die("the log that was just written does not verify: " + verified.problems.front());
  }
  PooledRandom ids(random);  // as the log has it
  const double begin = ThreadSeconds();
  constexpr int kBuilt = 100'000;
  for (int i = 0; i < kBuilt; ++i) {
    Must(EncodeRecord(Decision(static_cast<uint64_t>(i)), clock, ids));
  }
  const double with_data = (ThreadSeconds() - begin) / kBuilt * 1e6;
  const AuditRecord ready = Decision(1);
  const double again = ThreadSeconds();
  for (int i = 0; i < kBuilt; ++i) {
    Must(EncodeRecord(ready, clock, ids));
  }
  const double encoded = (ThreadSeconds() - again) / kBuilt * 1e6;
  std::printf("building one record: %.2f us, of them %.2f us its encoding\n", with_data, encoded);
  result["build_record_us"] = with_data;
  result["encode_record_us"] = encoded;
  return result;
}

// The host's log daemons, each a private one on the same file system; null with a reason where there is none.
OrderedJson MeasureDaemons(const Options& options, const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  const std::string line =
      FinishRecord(Must(EncodeRecord(Decision(1), clock, random)), 1, std::string(64, 'c'));
  OrderedJson result = {{"journald_per_s_1_writer", nullptr},
                        {"journald_per_s_64_writers", nullptr},
                        {"rsyslog_bulk_per_s", nullptr},
                        {"missing", OrderedJson::object()}};
  const auto missing = [&](const char* name, const Error& why) {
    std::printf("%s: not measured: %s\n", name, why.message.c_str());
    result["missing"][name] = why.message;
  };
  const auto journald = bench::Journald::Start(directory + "/journald");
  if (!journald.ok()) {
    missing("journald", journald.error());
  } else {
    for (const int writers : {1, 64}) {
      std::vector<bench::Journald::Sender> senders;
      for (int i = 0; i < writers; ++i) {
        senders.push_back(Must(journald.value()->Connect()));
      }
      std::atomic<bool> broken = false;
      Latencies synced = Measure(writers, options.seconds, [&](int thread) {
        if (!senders[static_cast<size_t>(thread)].Append(line).ok()) {
          broken = true;
        }
      });
      if (broken) {
        missing("journald", {ErrorCode::kUnavailable, "it did not synchronize each record"});
        break;
      }
      PrintRow("journald, each record synchronized", writers, synced);
      result["journald_per_s_" + std::to_string(writers) +
             (writers == 1 ? "_writer" : "_writers")] = synced.Rate();
    }
  }
  const auto rsyslog = bench::RsyslogRate(directory + "/rsyslog", line, 20'000);
  if (!rsyslog.ok()) {
    missing("rsyslog", rsyslog.error());
  } else {
    std::printf(
        "%-34s %7d  %12.0f  20,000 handed over at once; nobody is told when they are on the disk\n",
        "rsyslog, sync=\"on\"", 1, rsyslog.value());
    result["rsyslog_bulk_per_s"] = rsyslog.value();
  }
  return result;
}

#ifdef NACRE_ZYGOTE
// What a call is made slower by: /bin/true in a warm sandbox, in turns with its three records (decided, started,
// finished, each durable before the next step) and without any.
OrderedJson MeasureCalls(const Options& options, const std::string& directory) {
  const auto none = [](const std::string& why) {
    std::printf("being audited, of a call: not measured: %s\n", why.c_str());
    return OrderedJson{{"audit_share_of_call_p50", nullptr}, {"missing_calls", why}};
  };
  const auto sandbox = sandbox::KernelSandbox::Create({.zygote_program = NACRE_ZYGOTE, .slots = 2});
  if (!sandbox.ok()) {
    return none(sandbox.error().message);
  }
  const SystemClock clock;
  SystemRandom random;
  const auto log = Must(OpenAuditLog(directory, clock, random));
  sandbox::SandboxSpec spec;
  spec.id = "bench";
  spec.argv = {"/bin/true"};
  spec.require.cgroup = false;  // what this host gives
  Latencies audited;
  Latencies alone;
  for (uint64_t i = 0; i < 2 * options.calls; ++i) {
    const auto record = [&](const char* event) {
      if (i % 2 == 0) {
        AuditRecord made = Decision(i);
        made.event = event;
        Must(log->Append(made));
      }
    };
    const double begin = Wall();
    record("call.decided");
    record("call.started");
    sandbox::NoCallIo io;
    const auto outcome = sandbox.value()->Run(spec, io, CancelToken());
    if (!outcome.ok() || outcome.value().exit_code != 0) {
      return none(outcome.ok() ? "the call failed" : outcome.error().message);
    }
    record("call.finished");
    (i % 2 == 0 ? audited : alone).ms.push_back((Wall() - begin) * 1e3);
    // As long for all: the next sandbox is warm again.
    constexpr useconds_t kPauseUs = 12'000;
    ::usleep(kPauseUs);
  }
  const double cost = audited.Percentile(0.5) - alone.Percentile(0.5);
  std::printf(
      "being audited, of one warm call of /bin/true (p50): %.3f ms of %.3f ms, a share of %.0f "
      "%%\n",
      cost, audited.Percentile(0.5), 100 * cost / audited.Percentile(0.5));
  return {{"call_p50_ms", alone.Percentile(0.5)},
          {"audited_call_p50_ms", audited.Percentile(0.5)},
          {"audit_per_call_p50_ms", cost},
          {"audit_share_of_call_p50", cost / audited.Percentile(0.5)}};
}
#else
OrderedJson MeasureCalls(const Options& /*options*/, const std::string& /*directory*/) {
  return {{"audit_share_of_call_p50", nullptr}, {"missing_calls", "built without the sandbox"}};
}
#endif

OrderedJson MeasureVerification(const Options& options, const std::string& directory) {
  const SystemClock clock;
  SystemRandom random;
  {
    const auto writer = Must(LogWriter::Open(directory, clock, random, DiskStorage()));
    std::vector<EncodedRecord> batch;
    std::vector<const EncodedRecord*> pointers;
    for (uint64_t i = 0; i < 2048; ++i) {
      batch.push_back(Must(EncodeRecord(Decision(i), clock, random)));
    }
    for (const EncodedRecord& record : batch) {
      pointers.push_back(&record);
    }
    for (uint64_t written = 0; written < options.records; written += pointers.size()) {
      pointers.resize(std::min<uint64_t>(pointers.size(), options.records - written));
      Must(writer->Commit(pointers));
    }
    Must(writer->WriteCheckpoint());
  }
  // The same bytes from the page cache, for both.
  double sha = 1e9;
  double verify = 1e9;
  uint64_t bytes = 0;
  uint64_t records = 0;
  for (int round = 0; round < 3; ++round) {
    const double begin = ThreadSeconds();
    bytes = 0;
    for (uint64_t bundle = 0;; ++bundle) {
      const auto content = ReadFile(directory + "/" + BundlePath(bundle), kBundleBytesMax);
      if (!content.ok()) {
        break;
      }
      bytes += content.value().size();
      (void)Sha256(content.value());
    }
    const double middle = ThreadSeconds();
    const VerifyReport report = Must(VerifyAuditLog(directory));
    if (!report.ok) {
      Die("it does not verify: " + report.problems.front());
    }
    records = report.records;
    sha = std::min(sha, middle - begin);
    verify = std::min(verify, ThreadSeconds() - middle);
  }
  const double begin = Wall();
  Must(LogWriter::Open(directory, clock, random, DiskStorage()));
  const double open_ms = (Wall() - begin) * 1e3;
  const int64_t peak = PeakMemoryMiB();
  std::printf(
      "verification of %llu records, %.0f MB: %.0f records/s a core, %.2f times SHA-256 of "
      "the same files; opening for writing: %.1f ms; peak memory %lld MB\n",
      static_cast<unsigned long long>(records), static_cast<double>(bytes) / 1e6,
      static_cast<double>(records) / verify, verify / sha, open_ms, static_cast<long long>(peak));
  return {{"verify_records", records},
          {"verify_per_s_per_core", static_cast<double>(records) / verify},
          {"verify_gb_per_s", static_cast<double>(bytes) / verify / 1e9},
          {"verify_over_sha256", verify / sha},
          {"open_ms", open_ms},
          {"verify_peak_memory_mib", peak}};
}

// Only the tiles: a proof does not look at records.
OrderedJson MeasureProofs(const Options& options, const std::string& directory) {
  TreeEdge edge;
  std::vector<FullTile> full;
  const auto write = [&](const std::string& path, const std::string& bytes) {
    const UniqueFd file = Must(DiskStorage().Open(directory + "/" + path, true));
    Must(DiskStorage().Write(file.get(), bytes, 0));
  };
  for (uint64_t i = 0; i < options.proof_records; ++i) {
    Sha256Digest leaf{};
    for (size_t byte = 0; byte < sizeof i; ++byte) {
      leaf[byte] = static_cast<uint8_t>(i >> (8 * byte));
    }
    edge.Append(leaf, &full);
    for (const FullTile& tile : full) {
      write(TilePath(tile.level, tile.number), tile.bytes);
    }
    full.clear();
  }
  for (size_t level = 0; level < edge.open().size(); ++level) {
    if (!edge.open()[level].empty()) {
      write(TilePath(static_cast<int>(level), (edge.size() >> (8 * level)) / kTileWidth,
                     edge.open()[level].size()),
            TileBytes(edge.open()[level]));
    }
  }
  Latencies each;
  uint64_t index = 12345;
  for (int i = 0; i < 2000; ++i) {
    index = (index * 6364136223846793005ULL + 1442695040888963407ULL) % options.proof_records;
    const double begin = Wall();
    TileReader tiles = Must(TileReader::Open(directory, options.proof_records));
    const auto proof = Must(tiles.InclusionProof(index));
    each.ms.push_back((Wall() - begin) * 1e3);
    Sha256Digest leaf{};
    for (size_t byte = 0; byte < sizeof index; ++byte) {
      leaf[byte] = static_cast<uint8_t>(index >> (8 * byte));
    }
    if (Must(RootOfInclusion(leaf, index, options.proof_records, proof)) != edge.Root()) {
      Die("a proof does not lead to the root");
    }
  }
  std::printf(
      "proof of inclusion among %llu records, files opened anew for each: p50 %.3f ms, p99 %.3f "
      "ms\n",
      static_cast<unsigned long long>(options.proof_records), each.Percentile(0.5),
      each.Percentile(0.99));
  return {{"proof_records", options.proof_records},
          {"proof_p50_ms", each.Percentile(0.5)},
          {"proof_p99_ms", each.Percentile(0.99)}};
}

// A disk that is not waited for: what is measured comes after the writing.
class UnsyncedStorage final : public Storage {
 public:
  Status Sync(int) override { return Ok(); }
  Status SyncDirectory(const std::string&) override { return Ok(); }
};

std::string SessionName(uint64_t number) {
  std::string digits = std::to_string(number);
  return "01J0" + std::string(22 - digits.size(), '0') + digits;
}

// 40 records of each session, those of four at a time between each other.
OrderedJson MeasureQueries(const Options& options, const std::string& parent) {
  const std::string directory = parent + "/queried";
  const std::string index = parent + "/index";
  constexpr uint64_t kLength = 40;
  constexpr uint64_t kTogether = 4;
  const SystemClock clock;
  SystemRandom random;
  const uint64_t count = options.query_records / (kLength * kTogether) * (kLength * kTogether);
  const double begin = Wall();
  {
    UnsyncedStorage storage;
    const auto writer = Must(LogWriter::Open(directory, clock, random, storage));
    for (uint64_t written = 0; written < count;) {
      std::vector<EncodedRecord> batch;
      for (int i = 0; i < 4096 && written < count; ++i, ++written) {
        AuditRecord record = Decision(written);
        record.session =
            SessionName(written / (kLength * kTogether) * kTogether + written % kTogether);
        record.turn = record.session;
        record.call = "01J1" + SessionName(written).substr(4);
        batch.push_back(Must(EncodeRecord(record, clock, random)));
      }
      std::vector<const EncodedRecord*> pointers;
      for (const EncodedRecord& record : batch) {
        pointers.push_back(&record);
      }
      Must(writer->Commit(pointers));
    }
    Must(writer->WriteCheckpoint());
  }
  const auto query = [&](const RecordFilter& filter) {
    uint64_t found = 0;
    const QueryReport report = Must(
        QueryAuditLog(directory, filter, {.index_directory = index, .newest = 0, .progress = {}},
                      random, [&](uint64_t, const Json&) {
                        ++found;
                        return true;
                      }));
    if (!report.problems.empty() || !report.notes.empty()) {
      Die("a query: " + (report.problems.empty() ? report.notes : report.problems).front());
    }
    return found;
  };
  const double wrote = Wall();
  const double cpu = ThreadSeconds();
  query({.session = "none"});  // makes the index
  const double indexed_cpu = ThreadSeconds() - cpu;
  const double indexed = Wall();
  uint64_t index_bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(index)) {
    index_bytes += file.file_size();
  }
  Latencies each;
  Latencies computing;
  uint64_t number = 12345;
  const uint64_t sessions = count / kLength;
  for (int i = 0; i < 2000; ++i) {
    number = (number * 6364136223846793005ULL + 1442695040888963407ULL) % sessions;
    const double start = Wall();
    const double start_cpu = ThreadSeconds();
    const uint64_t found = query({.session = SessionName(number)});
    computing.ms.push_back((ThreadSeconds() - start_cpu) * 1e3);
    each.ms.push_back((Wall() - start) * 1e3);
    if (found != kLength) {
      Die("a session has " + std::to_string(found) + " records");
    }
  }
  const int64_t peak = PeakMemoryMiB();
  std::printf(
      "query of one session among %llu records, files opened anew for each: p50 %.2f ms, p99 %.2f "
      "ms, of the processor's time %.2f ms; written in %.0f s, indexed in %.0f s (%.0f records/s "
      "of "
      "a core), the index has %.0f MB; peak memory %lld MB\n",
      static_cast<unsigned long long>(count), each.Percentile(0.5), each.Percentile(0.99),
      computing.Percentile(0.99), wrote - begin, indexed - wrote,
      static_cast<double>(count) / indexed_cpu, static_cast<double>(index_bytes) / 1e6,
      static_cast<long long>(peak));
  constexpr uint64_t kMillion = 1'000'000;
  const std::string of = count % kMillion == 0 ? std::to_string(count / kMillion) + "m"
                                               : std::to_string(count) + "_records";
  return {{"query_session_p99_ms_" + of, each.Percentile(0.99)},
          {"query_session_p50_ms_" + of, each.Percentile(0.5)},
          {"index_per_s_per_core", static_cast<double>(count) / indexed_cpu},
          {"index_bytes_per_record", static_cast<double>(index_bytes) / static_cast<double>(count)},
          {"query_peak_memory_mib", peak}};
}

constexpr char kUsage[] =
    "Usage: audit_bench [--seconds S] [--records N] [--proof-records N] [--query-records N]\n"
    "                   [--calls N] [--directory DIR] [--only writing|calls]\n"
    "What evidence costs: a table, and as the last line one JSON object. Without options it needs\n"
    "8 GB in DIR (/var/tmp) and some minutes.\n";

// kUsage, and the end, for anything else than numbers where these belong.
Options ParseOptions(int argc, char** argv) {
  const auto refuse = [](const std::string& why) {
    std::fprintf(stderr, "audit_bench: %s\n%s", why.c_str(), kUsage);
    std::exit(2);
  };
  Options options;
  const std::map<std::string_view, uint64_t*> counts = {{"--records", &options.records},
                                                        {"--proof-records", &options.proof_records},
                                                        {"--query-records", &options.query_records},
                                                        {"--calls", &options.calls}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    const std::string_view value = i + 1 < argc ? argv[++i] : "";
    const auto number = [&](auto* into) {
      const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), *into);
      if (problem != std::errc() || end != value.data() + value.size() || !(*into > 0)) {
        refuse(std::string(name) + " needs a number");
      }
    };
    if (const auto count = counts.find(name); count != counts.end()) {
      number(count->second);
    } else if (name == "--seconds") {
      number(&options.seconds);
    } else if (name == "--directory" && !value.empty()) {
      options.directory = value;
    } else if (name == "--only" && (value == "writing" || value == "calls")) {
      options.only = value;
    } else {
      refuse("what is " + std::string(name) + (value.empty() ? "" : " " + std::string(value)) +
             "?");
    }
  }
  return options;
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  ::setenv("TMPDIR", options.directory.c_str(), 1);
  const TempDir temp = Must(TempDir::Create());
  struct statfs info {};
  constexpr long kTmpfs = 0x01021994;
  if (::statfs(temp.path().c_str(), &info) == 0 && info.f_type == kTmpfs) {
    std::printf("note: %s is in memory, where a sync costs nothing\n", options.directory.c_str());
  }
  OrderedJson all = OrderedJson::object();
  if (options.only != "calls") {
    all.update(MeasureWriting(options, temp.path()));
    all.update(MeasureDaemons(options, temp.path()));
  }
  if (options.only != "writing") {
    all.update(MeasureCalls(options, temp.path() + "/calls"));
  }
  if (options.only.empty()) {
    all.update(MeasureVerification(options, temp.path() + "/verified"));
    all.update(MeasureProofs(options, temp.path() + "/proofs"));
    all.update(MeasureQueries(options, temp.path()));
  }
  all["peak_memory_mib"] = PeakMemoryMiB();
  std::printf("%s\n", DumpJson(all).c_str());
  return 0;
}

}  // namespace
}  // namespace nacre::audit

int main(int argc, char** argv) {
  return nacre::audit::Main(argc, argv);
}
