#include "runtime/agent/access_log.h"

#include <chrono>
#include <utility>

namespace nacre::agent {
namespace {

constexpr auto kMinute = std::chrono::minutes(1);
constexpr char kAdmittedEvent[] = "client.admitted";

std::string ActorOf(std::optional<uid_t> user) {
  return user.has_value() ? "uid " + std::to_string(*user) : "nacre";
}

}  // namespace

bool RecordsPerMinute::IsOver(MonotonicTime now) const {
  return now - minute >= kMinute;
}

std::optional<uint64_t> RecordsPerMinute::Take(MonotonicTime now, uint32_t most) {
  if (IsOver(now)) {
    minute = now;
    recorded = 0;
  }
  if (recorded >= most) {
    ++left_out;
    return std::nullopt;
  }
  ++recorded;
  return std::exchange(left_out, 0);
}

uint64_t RecordsPerMinute::TakeOneMore() {
  ++recorded;
  return std::exchange(left_out, 0) - 1;
}

void RecordsPerMinute::PutBack(uint64_t left_out_before) {
  --recorded;
  left_out += left_out_before;
}

RecordsPerMinute& AccessLog::BoundOf(const char* event, std::optional<uid_t> user,
                                     MonotonicTime now) {
  const Of own{event, user};
  if (const auto found = bounds_.find(own); found != bounds_.end()) {
    return found->second;
  }
  if (bounds_.size() >= kRefusedUsersMax) {
    ForgetOld(now);
  }
  const Of shared{event, std::nullopt};
  const bool room = bounds_.size() < kRefusedUsersMax;
  return bounds_.try_emplace(room ? own : shared, RecordsPerMinute{.minute = now}).first->second;
}

void AccessLog::ForgetOld(MonotonicTime now) {
  std::map<std::string, uint64_t> left_out;
  std::erase_if(bounds_, [&](const auto& each) {
    const auto& [of, bound] = each;
    const bool old = of.second.has_value() && bound.IsOver(now);
    if (old && bound.left_out > 0) {
      left_out[of.first] += bound.left_out;
    }
    return old;
  });
  for (const auto& [event, count] : left_out) {
    bounds_.try_emplace(Of{event, std::nullopt}, RecordsPerMinute{.minute = now})
        .first->second.left_out += count;
  }
}

void AccessLog::RecordRefusal(const char* event, std::optional<uid_t> user, const std::string& call,
                              const std::string& reason) {
  std::optional<uint64_t> left_out;
  {
    const std::lock_guard lock(mutex_);
    const MonotonicTime now = clock_.Monotonic();
    left_out = BoundOf(event, user, now).Take(now, kRefusalsPerMinute);
  }
  if (!left_out.has_value()) {
    return;
  }
  [[maybe_unused]] const Result<uint64_t> written =
      log_.Append({.event = event,
                   .call = call,
                   .data = {{"reason", reason}, {"left_out", *left_out}},
                   .actor = ActorOf(user)});
}

Status AccessLog::RecordAdmission(uid_t user, Json data, RecordsPerMinute* theirs) {
  std::optional<uint64_t> left_out = theirs->Take(clock_.Monotonic(), kAdmissionsPerMinute);
  if (!left_out.has_value() && log_.Refuses()) {
    left_out = theirs->TakeOneMore();  // nobody comes in uncounted
  }
  if (!left_out.has_value()) {
    return Ok();
  }
  data["left_out"] = *left_out;
  const Result<uint64_t> written =
      log_.Append({.event = kAdmittedEvent, .data = std::move(data), .actor = ActorOf(user)});
  if (!written.ok()) {
    theirs->PutBack(*left_out);
    return written.error();
  }
  return Ok();
}

void AccessLog::RecordLeftOut(uid_t user, Json data, RecordsPerMinute* theirs, bool at_once) {
  if (theirs->left_out == 0 || (!at_once && !theirs->IsOver(clock_.Monotonic()))) {
    return;
  }
  --theirs->left_out;  // the one that the record is of
  theirs->recorded = 0;
  if (!RecordAdmission(user, std::move(data), theirs).ok()) {
    ++theirs->left_out;
  }
}

}  // namespace nacre::agent
