#include "runtime/cli/policy_reload.h"

#include <chrono>
#include <csignal>
#include <utility>

namespace nacre::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{100};
constexpr size_t kReasonBytesMax = 16U << 10;  // 20 problems of a policy, in one record

// A signal handler can reach only globals. It is reset in programs that we start.
std::atomic<bool> g_hung_up{false};

void OnHangup(int) {
  g_hung_up = true;
}

// `in_force`: the digest of the policy that stays, if there is one.
Result<uint64_t> RecordRefusal(audit::AuditLog& log, const Error& error,
                               const std::string& in_force) {
  return log.Append({"policy.refused",
                     {},
                     {},
                     {},
                     in_force,
                     {{"reason", error.message.substr(0, kReasonBytesMax)}}});
}

}  // namespace

LoadedPolicy RecordIfRefused(App& app, LoadedPolicy loaded) {
  if (!loaded.ok()) {
    if (const Result<audit::AuditLog*> log = app.Log(); log.ok()) {
      (void)RecordRefusal(*log.value(), loaded.error(), "");
    }
  }
  return loaded;
}

PolicyReload::PolicyReload(Load load, policy::LivePolicy& live, audit::AuditLog& log, Tell tell)
    : load_(std::move(load)), live_(live), log_(log), tell_(std::move(tell)) {
  struct sigaction action {};
  action.sa_handler = OnHangup;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGHUP, &action, nullptr);
  watcher_ = std::thread([this] { Watch(); });
}

PolicyReload::~PolicyReload() {
  stop_ = true;
  watcher_.join();
}

void PolicyReload::Watch() {
  while (!stop_) {
    if (g_hung_up.exchange(false)) {  // before reading: a signal from now on means another reading
      Reload();
    }
    std::this_thread::sleep_for(kPoll);
  }
}

void PolicyReload::Reload() {
  const std::string before = live_.Current()->digest;
  const LoadedPolicy loaded = load_();
  if (!loaded.ok()) {
    const Result<uint64_t> recorded = RecordRefusal(log_, loaded.error(), before);
    tell_("the policy was not reloaded, " + before + " stays in force:\n" + loaded.error().message +
          (recorded.ok() ? "" : "\n" + recorded.error().message));
    return;
  }
  const policy::Policy& policy = *loaded.value();
  const Result<uint64_t> recorded =
      log_.Append({"policy.loaded",
                   {},
                   {},
                   {},
                   policy.digest,
                   {{"name", policy.name}, {"layers", policy.layers}, {"before", before}}});
  if (!recorded.ok()) {
    tell_("the policy was not reloaded, " + before +
          " stays in force: " + recorded.error().message);
    return;
  }
  live_.Replace(loaded.value());
  tell_(policy.digest == before
            ? "the policy was read again and is the same: " + before
            : "the policy was reloaded: " + policy.digest + ", for new sessions");
}

}  // namespace nacre::cli
