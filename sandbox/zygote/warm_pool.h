// WarmPool: the runtime's side of the zygote. Keeps slots ready, sandboxes that are built and wait for
// their call, and gives each to exactly one.
//
//   auto pool = NACRE_TRY(WarmPool::Start({.program = ".../nacre-zygote"}, host.cgroup));
//   WarmPool::Launched launched = pool->Launch(MakeWarmPlan(plan), context);
//   if (auto* call = std::get_if<RunningCall>(&launched)) {
//     Outcome outcome = Monitor(*call, warm_plan, io, cancel);
//     pool->Return(std::move(*call));
//   } else { ... a cold launch of the same plan; std::get<NotWarm>(launched).why says why ... }
//
// A slot is built for a template: what plans have in common before their call is known. A template is
// added by its first call, which itself starts cold. Thread-safe. The zygote is restarted a few times
// when it dies; what it says is parsed as if it were hostile, and nonsense ends it.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "sandbox/launcher.h"
#include "sandbox/zygote/messages.h"

namespace nacre::sandbox::zygote {

// Why a call cannot have a warm sandbox: "none was ready".
struct NotWarm {
  std::string why;
};

class WarmPool final {
 public:
  // Kinds of sandboxes that are kept ready; the one unused for longest makes room.
  static constexpr size_t kTemplatesMax = 8;
  // Returned slots that may wait to be taken down: one more waits with its caller.
  static constexpr size_t kReturnedMax = 32;
  static constexpr int kStartsMax = 4;

  struct Options {
    std::string program;  // of the zygote
    // Ready at any time, of each template. 0: built when the call comes.
    uint32_t slots = 4;
  };
  using Launched = std::variant<RunningCall, SetupFailure, NotWarm>;

  static Result<std::unique_ptr<WarmPool>> Start(Options options, kernel::CgroupHost cgroup);
  ~WarmPool();

  // `warm` is a MakeWarmPlan(). A SetupFailure is the call's own (a mount that cannot be opened);
  // nothing of it ran then.
  Launched Launch(const LaunchPlan& warm, const LaunchContext& context);
  void Return(RunningCall call);

  // Makes slots for such plans and waits until there are as many as shall be, at most `patience`.
  bool Prepare(const LaunchPlan& warm, const LaunchContext& context,
               std::chrono::milliseconds patience);
  // Until all that was returned is gone and all that was asked for is made.
  void Settle();

  // For tests: -1 when there is none.
  pid_t zygote_pid() const;

 private:
  struct Slot {
    uint32_t id = 0;
    bool up = false;  // its interpreter waits for the call
    RunningCall call;
  };
  struct Template {
    uint32_t number = 0;
    LaunchPlan plan;
    std::list<Slot> ready;  // the oldest first
    uint32_t coming = 0;
    int failures = 0;  // in a row
    uint64_t used = 0;
  };

  WarmPool(Options options, kernel::CgroupHost cgroup)
      : options_(std::move(options)), cgroup_(std::move(cgroup)) {}

  // Without mutex_: what they wait for may hang.
  int AwaitTree(const UniqueFd& socket);
  int OpenTrees(const LaunchPlan& warm, Sources& sources, std::string& failed);

  // All below with mutex_ held.
  // The number of a template that has a slot, or may have one.
  std::variant<uint32_t, NotWarm> Choose(const LaunchPlan& made_from, const LaunchContext& context);
  std::optional<RunningCall> Give(uint32_t number, const std::string& call_plan,
                                  const std::vector<int>& trees);
  Status StartZygote();
  void Break();
  bool EnsureZygote();
  Template* FindTemplate(const LaunchPlan& plan, const LaunchContext& context);
  Template* FindNumber(uint32_t number);
  void DropOldest();
  void GiveBack(uint32_t slot);  // may Break()
  void Refill(Template& of);
  std::optional<Slot> TakeSlot(Template& from);
  static bool IsUp(const Template& of, Slot& slot);
  bool Send(const Command& command, const std::vector<int>& descriptors = {});
  void TakeEvents();
  bool AwaitEvents(std::chrono::steady_clock::time_point until);
  void Take(Event event, std::vector<UniqueFd> descriptors);
  void TakeSlotMade(const SlotMade& made, std::vector<UniqueFd> descriptors);

  const Options options_;
  const kernel::CgroupHost cgroup_;
  mutable std::mutex mutex_;
  int starts_ = 0;
  UniqueFd channel_;  // invalid: there is no zygote
  ChildProcess zygote_;
  std::list<Template> templates_;
  // Slots with a call, and of which template, whose numbers no other zygote's have.
  std::map<uint32_t, uint32_t> used_;
  std::set<uint32_t> returned_;  // that are not gone yet
  int unanswered_ = 0;           // OpenTrees in a row
  std::string last_words_ = "the zygote has ended";
  uint32_t last_number_ = 0;
  uint64_t clock_ = 0;
};

}  // namespace nacre::sandbox::zygote
