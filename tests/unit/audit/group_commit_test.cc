// Many threads, one commit at a time: each gets the place of its own record, or the error of its own commit.
#include "runtime/audit/group_commit.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

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

}  // namespace nacre::audit
