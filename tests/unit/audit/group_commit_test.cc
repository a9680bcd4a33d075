// Many threads, one commit at a time: each gets the place of its own record, or the error of its own commit.
#include "runtime/audit/group_commit.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace nacre::audit {
namespace {

// Commits to a vector; the turn is checked by what would be a data race otherwise.
struct Ledger {
  std::atomic<int> inside{0};
  bool alone_ok = true;
  std::vector<const EncodedRecord*> records;
  size_t commits = 0;

  GroupCommit group{[this](const GroupCommit::Records& batch) { return Commit(batch); }};

  Result<uint64_t> Commit(const GroupCommit::Records& batch) {
    alone_ok = alone_ok && inside.fetch_add(1) == 0 && !batch.empty();
    const uint64_t first = records.size();
    ++commits;
    std::this_thread::yield();
    const bool refused = std::any_of(batch.begin(), batch.end(), [](const EncodedRecord* record) {
      return record->before_index == "refused";
    });
    if (!refused) {
      records.insert(records.end(), batch.begin(), batch.end());
    }
    inside.fetch_sub(1);
    return refused ? Result<uint64_t>(Error{ErrorCode::kUnavailable, "refused"})
                   : Result<uint64_t>(first);
  }
};

}  // namespace

TEST_CASE("each of many threads gets the place of its own record") {
  Ledger ledger;
  constexpr int kThreads = 16;
  constexpr int kEach = 200;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      std::vector<EncodedRecord> own(kEach);
      for (const EncodedRecord& record : own) {
        const auto index = ledger.group.Append(record);
        // Nobody else writes while this one looks: entries before the end never move.
        const Status same = ledger.group.Alone([&] {
          return index.ok() && ledger.records.at(index.value()) == &record
                     ? Ok()
                     : Status(Error{ErrorCode::kInternal, "not its own"});
        });
        wrong += same.ok() ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
  CHECK(ledger.alone_ok);
  CHECK(ledger.records.size() == kThreads * kEach);
}

TEST_CASE("the error of a commit is that of all who were in it, and of nobody else") {
  Ledger ledger;
  EncodedRecord bad;
  bad.before_index = "refused";
  const EncodedRecord good;
  const auto refused = ledger.group.Append(bad);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "refused");
  CHECK(ledger.group.Append(good).value() == 0);
  CHECK(ledger.records.size() == 1);
}

TEST_CASE(
    "when a commit of many threads' records fails, each of them is told, and the next ones go on") {
  struct Outcome {
    uint64_t commit = 0;
    bool failed = false;
  };
  std::map<const EncodedRecord*, Outcome> outcomes;  // written by who has the turn, read at the end
  std::vector<const EncodedRecord*> kept;
  std::atomic<bool> shared_failure = false;
  std::atomic<bool> shared_success = false;
  uint64_t commits = 0;
  GroupCommit group([&](const GroupCommit::Records& batch) -> Result<uint64_t> {
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // the others come together
    const uint64_t commit = commits++;
    const bool failed = commit % 2 == 0;
    for (const EncodedRecord* record : batch) {
      outcomes[record] = {.commit = commit, .failed = failed};
    }
    if (batch.size() > 1) {
      (failed ? shared_failure : shared_success) = true;
    }
    if (failed) {
      return Error{ErrorCode::kResourceExhausted, "commit " + std::to_string(commit)};
    }
    const uint64_t first = kept.size();
    kept.insert(kept.end(), batch.begin(), batch.end());
    return first;
  });
  constexpr size_t kThreads = 8;
  struct Told {
    std::unique_ptr<EncodedRecord> record = std::make_unique<EncodedRecord>();
    std::optional<Result<uint64_t>> answer;
  };
  std::vector<std::vector<Told>> told(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<Told>& own : told) {
    threads.emplace_back([&] {
      while (own.size() < 50 || !shared_failure || !shared_success) {
        Told& next = own.emplace_back();
        next.answer.emplace(group.Append(*next.record));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  size_t acknowledged = 0;
  for (const std::vector<Told>& own : told) {
    for (const Told& one : own) {
      const Outcome& outcome = outcomes.at(one.record.get());
      REQUIRE(one.answer->ok() != outcome.failed);
      if (outcome.failed) {
        REQUIRE(one.answer->error().code == ErrorCode::kResourceExhausted);
        REQUIRE(one.answer->error().message == "commit " + std::to_string(outcome.commit));
      } else {
        REQUIRE(kept.at(one.answer->value()) == one.record.get());
        ++acknowledged;
      }
    }
  }
  CHECK(acknowledged == kept.size());
}

TEST_CASE(
    "no batch goes beyond the end of a bundle, and who waits may do something while another "
    "writes") {
  constexpr uint64_t kWidth = 8;
  constexpr uint64_t kBefore = 5;
  constexpr int kThreads = 6;
  constexpr int kEach = 100;
  uint64_t end = kBefore;
  bool divided = false;
  bool shared = false;
  std::atomic<uint64_t> meanwhiles{0};
  GroupCommit group(
      [&](const GroupCommit::Records& batch) -> Result<uint64_t> {
        while (end == kBefore &&
               meanwhiles == 0) {  // the first one ends when another thread has come
          std::this_thread::yield();
        }
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        const uint64_t first = end;
        end += batch.size();
        divided = divided || first / kWidth != (end - 1) / kWidth;
        shared = shared || batch.size() > 1;
        return first;
      },
      {.records = kBefore, .width = kWidth}, [&] { ++meanwhiles; });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      const EncodedRecord record;
      for (int i = 0; i < kEach; ++i) {
        if (!group.Append(record).ok()) {
          return;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(end == kBefore + kThreads * kEach);
  CHECK(shared);
  CHECK_FALSE(divided);
  CHECK(meanwhiles > 0);
  CHECK(meanwhiles < kThreads * kEach);  // who writes does not wait
}

}  // namespace nacre::audit
