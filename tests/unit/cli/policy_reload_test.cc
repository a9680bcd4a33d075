#include "runtime/cli/policy_reload.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <mutex>
#include <vector>

#include "policy/policy_loader.h"

namespace nacre::cli {
namespace {

class KeptLog final : public audit::AuditLog {
 public:
  Result<uint64_t> Append(const audit::AuditRecord& record) override {
    if (broken) {
      return Error{ErrorCode::kUnavailable, "disk full"};
    }
    records.push_back(record);
    return records.size();
  }
  Status WriteCheckpoint() override { return {}; }

  std::atomic<bool> broken{false};
  std::vector<audit::AuditRecord> records;
};

std::shared_ptr<const policy::Policy> Named(const std::string& name) {
  return policy::LoadPolicyText(name, "nacre: policy/1\nname: " + name + "\n").value();
}

TEST_CASE("SIGHUP reads the policy again; what is wrong or cannot be recorded changes nothing") {
  const auto first = Named("first");
  policy::LivePolicy live(first);
  KeptLog log;
  std::string text = "nacre: policy/1\nname: second\n";
  std::mutex mutex;
  std::vector<std::string> told;
  PolicyReload reload([&] { return policy::LoadPolicyText("p.yaml", text); }, live, log,
                      [&](const std::string& said) {
                        const std::lock_guard<std::mutex> lock(mutex);
                        told.push_back(said);
                      });
  const auto hang_up = [&](size_t expected) {
    ::raise(SIGHUP);
    for (;;) {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (told.size() == expected) {
          return told.back();
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  };

  CHECK_THAT(hang_up(1), Catch::StartsWith("the policy was reloaded: sha256:"));
  CHECK(live.Current()->name == "second");
  REQUIRE(log.records.size() == 1);
  CHECK(log.records[0].event == "policy.loaded");
  CHECK(log.records[0].policy_digest == live.Current()->digest);
  CHECK(log.records[0].data["before"] == first->digest);

  text = "nacre: policy/1\nname: third\ntols: []\n";
  const std::string said = hang_up(2);
  CHECK_THAT(said, Catch::Contains("stays in force") &&
                       Catch::Contains("p.yaml:3:1: tols: unknown key; did you mean \"tools\"?"));
  CHECK(live.Current()->name == "second");
  REQUIRE(log.records.size() == 2);
  CHECK(log.records[1].event == "policy.refused");
  CHECK(log.records[1].policy_digest == live.Current()->digest);
  CHECK_THAT(log.records[1].data["reason"].get<std::string>(), Catch::Contains("unknown key"));

  text = "nacre: policy/1\nname: fourth\n";
  log.broken = true;
  CHECK_THAT(hang_up(3), Catch::Contains("disk full"));
  CHECK(live.Current()->name == "second");
}

}  // namespace
}  // namespace nacre::cli
