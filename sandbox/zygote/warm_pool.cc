#include "sandbox/zygote/warm_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/warm_plan.h"

namespace nacre::sandbox::zygote {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// How long the zygote may take to answer: it builds one slot at a time, and a loaded host is slow.
constexpr milliseconds kAnswerTimeout{2000};
constexpr int kFailuresMax = 3;
// Questions in a row that a zygote leaves without a word before it counts as hung.
constexpr int kUnansweredMax = 3;
constexpr int kChannelNumber = 3;
constexpr size_t kSlotDescriptors = 6;

bool IsReadable(int fd, milliseconds wait) {
  struct pollfd polled = {.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, static_cast<int>(wait.count())) > 0;
}

// With nothing of ours: no environment, no descriptor but its channel.
Result<ChildProcess> Spawn(const std::string& program, int channel) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, channel, kChannelNumber);
  for (const int standard : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
  }
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char* const argv[] = {const_cast<char*>("nacre-zygote"), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv, environment);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return SysError("start " + program, failed);
  }
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  return ChildProcess(pid, UniqueFd(pidfd));
}

}  // namespace

Result<std::unique_ptr<WarmPool>> WarmPool::Start(Options options, kernel::CgroupHost cgroup) {
  std::unique_ptr<WarmPool> pool(new WarmPool(std::move(options), std::move(cgroup)));
  NACRE_TRY(pool->StartZygote());
  return pool;
}

WarmPool::~WarmPool() {
  const std::lock_guard lock(mutex_);
  templates_.clear();
  channel_.reset();
  if (zygote_.pid() > 0 && IsReadable(zygote_.pidfd(), kAnswerTimeout)) {
    zygote_.Reap();
  }
}

pid_t WarmPool::zygote_pid() const {
  const std::lock_guard lock(mutex_);
  return channel_.valid() ? zygote_.pid() : -1;
}

Status WarmPool::StartZygote() {
  ++starts_;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SysError("socketpair", errno);
  }
  channel_.reset(ends[0]);
  const UniqueFd theirs(ends[1]);
  Result<ChildProcess> spawned = Spawn(options_.program, theirs.get());
  if (!spawned.ok()) {
    channel_.reset();
    return spawned.error();
  }
  zygote_ = std::move(spawned).value();
  if (!Send(SetUp{.launch_digest = LaunchDigest(), .cgroup = cgroup_})) {
    return Error{ErrorCode::kUnavailable, options_.program + " ended at once"};
  }
  return Ok();
}

// Its slots die with it. Calls that run in them end as killed; those to come start cold.
void WarmPool::Break() {
  templates_.clear();
  used_.clear();
  returned_.clear();
  channel_.reset();
  zygote_ = ChildProcess();
  kernel::SweepCgroups(cgroup_);
}

bool WarmPool::EnsureZygote() {
  if (!channel_.valid() && starts_ < kStartsMax) {
    (void)StartZygote();
  }
  return channel_.valid();
}

bool WarmPool::Send(const Command& command, const std::vector<int>& descriptors) {
  const std::string bytes = Encode(command);
  const SteadyClock::time_point until = SteadyClock::now() + kAnswerTimeout;
  while (channel_.valid()) {
    const int sent = SendMessage(channel_.get(), bytes, descriptors, Waiting::kNo);
    if (sent == 0) {
      return true;
    }
    // Full: it may wait for us to take what it says.
    if (sent == -EMSGSIZE) {
      return false;
    }
    if (sent != -EAGAIN || SteadyClock::now() >= until) {
      TakeEvents();  // perhaps it has said why it ends
      Break();
      return false;
    }
    TakeEvents();
    ::poll(nullptr, 0, 1);
  }
  return false;
}

void WarmPool::TakeEvents() {
  while (channel_.valid()) {
    Result<Received> received = ReceiveMessage(channel_.get(), Waiting::kNo);
    if (!received.ok() && received.error().code == ErrorCode::kUnavailable) {
      return;
    }
    if (!received.ok() || received.value().bytes.empty()) {
      Break();
      return;
    }
    Result<Event> event = DecodeEvent(received.value().bytes);
    if (!event.ok()) {
      Break();
      return;
    }
    Take(std::move(event).value(), std::move(received.value().descriptors));
  }
}

bool WarmPool::AwaitEvents(SteadyClock::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - SteadyClock::now());
  if (!channel_.valid() || left <= milliseconds(0) || !IsReadable(channel_.get(), left)) {
    return false;
  }
  TakeEvents();
  return channel_.valid();
}

WarmPool::Template* WarmPool::FindNumber(uint32_t number) {
  const auto found = std::find_if(templates_.begin(), templates_.end(),
                                  [&](const Template& each) { return each.number == number; });
  return found == templates_.end() ? nullptr : &*found;
}

void WarmPool::TakeSlotMade(const SlotMade& made, std::vector<UniqueFd> descriptors) {
  size_t meters = 0;
  for (size_t i = 0; i < kernel::CgroupMeter::kFiles; ++i) {
    meters += (made.meter_files >> i) & 1;
  }
  if (descriptors.size() != kSlotDescriptors + meters || made.pid <= 1) {
    Break();
    return;
  }
  Template* const of = FindNumber(made.number);
  if (of == nullptr) {
    GiveBack(made.slot);
    return;
  }
  of->coming -= of->coming > 0 ? 1 : 0;
  if (of->plan.interpreter.empty()) {  // else it shows later
    of->failures = 0;
  }
  Slot slot;
  slot.id = made.slot;
  RunningCall& call = slot.call;
  call.report = std::move(descriptors[0]);
  call.child = ChildProcess(made.pid, std::move(descriptors[1]), ChildProcess::Parent::kZygote);
  call.standard_input = std::move(descriptors[2]);
  call.standard_output = std::move(descriptors[3]);
  call.standard_error = std::move(descriptors[4]);
  call.channel = std::move(descriptors[5]);
  call.slot = made.slot;
  call.slot_template = made.number;
  if (meters > 0) {
    std::array<UniqueFd, kernel::CgroupMeter::kFiles> files;
    size_t next = kSlotDescriptors;
    for (size_t i = 0; i < files.size(); ++i) {
      if (((made.meter_files >> i) & 1) != 0) {
        files[i] = std::move(descriptors[next++]);
      }
    }
    call.meter.emplace(of->plan.cgroup_version, std::move(files));
  }
  of->ready.push_back(std::move(slot));
}

void WarmPool::Take(Event event, std::vector<UniqueFd> descriptors) {
  if (const auto* made = std::get_if<SlotMade>(&event)) {
    TakeSlotMade(*made, std::move(descriptors));
  } else if (const auto* failed = std::get_if<SlotFailed>(&event)) {
    if (failed->number == 0) {
      last_words_ = failed->step;
    } else if (Template* const of = FindNumber(failed->number)) {
      of->coming -= of->coming > 0 ? 1 : 0;
      ++of->failures;
    }
  } else if (std::holds_alternative<TreeOpened>(event)) {
    Break();  // it has a socket of its own
  } else if (const auto* ended = std::get_if<SlotEnded>(&event)) {
    for (Template& each : templates_) {
      const size_t died =
          std::erase_if(each.ready, [&](const Slot& slot) { return slot.id == ended->slot; });
      if (died > 0) {
        // The other slots have our own code only, which does not end by itself.
        each.failures += each.plan.interpreter.empty() ? 0 : 1;
        GiveBack(ended->slot);
        return;
      }
    }
  } else if (const auto* gone = std::get_if<SlotGone>(&event)) {
    returned_.erase(gone->slot);
  }
}

void WarmPool::GiveBack(uint32_t slot) {
  returned_.insert(slot);
  Send(ReturnSlot{.slot = slot});
}

void WarmPool::DropOldest() {
  const auto oldest =
      std::min_element(templates_.begin(), templates_.end(),
                       [](const Template& a, const Template& b) { return a.used < b.used; });
  const Template dropped = std::move(*oldest);
  templates_.erase(oldest);
  Send(DropTemplate{.number = dropped.number});
  for (const Slot& slot : dropped.ready) {
    GiveBack(slot.id);
  }
}

WarmPool::Template* WarmPool::FindTemplate(const LaunchPlan& plan, const LaunchContext& context) {
  for (Template& each : templates_) {
    if (each.plan == plan) {
      each.used = ++clock_;
      return &each;
    }
  }
  if (templates_.size() >= kTemplatesMax) {
    DropOldest();
  }
  const uint32_t number = ++last_number_;
  if (!Send(AddTemplate{.number = number,
                        .plan = plan,
                        .tool_filter = context.tool_filters->reporting.instructions,
                        .killing_tool_filter = context.tool_filters->killing.instructions,
                        .reaper_filter = context.reaper_filter->instructions})) {
    return nullptr;
  }
  Template& made = templates_.emplace_back();
  made.number = number;
  made.plan = plan;
  made.used = ++clock_;
  Refill(made);
  return FindNumber(number);
}

void WarmPool::Refill(Template& of) {
  const auto have = static_cast<uint32_t>(of.ready.size()) + of.coming;
  if (have >= options_.slots || of.failures >= kFailuresMax) {
    return;
  }
  const uint32_t count = options_.slots - have;
  of.coming += count;
  Send(MakeSlots{.number = of.number, .count = count});
}

std::optional<WarmPool::Slot> WarmPool::TakeSlot(Template& from) {
  const uint32_t number = from.number;
  if (options_.slots == 0 && from.failures < kFailuresMax) {
    ++from.coming;
    const SteadyClock::time_point until = SteadyClock::now() + kAnswerTimeout;
    bool coming = Send(MakeSlots{.number = number, .count = 1});
    while (coming) {
      Template* const of = FindNumber(number);
      if (of == nullptr || !of->ready.empty() || of->coming == 0) {
        break;
      }
      coming = AwaitEvents(until);
    }
  }
  Template* const of = FindNumber(number);
  if (of == nullptr) {
    return std::nullopt;
  }
  std::vector<uint32_t> dead;
  std::optional<Slot> taken;
  for (auto slot = of->ready.begin(); slot != of->ready.end() && !taken;) {
    if (IsReadable(slot->call.child.pidfd(), milliseconds(0))) {
      ++of->failures;
      dead.push_back(slot->id);
      slot = of->ready.erase(slot);
    } else if (!IsUp(*of, *slot)) {
      ++slot;
    } else {
      taken.emplace(std::move(*slot));
      of->ready.erase(slot);
    }
  }
  for (const uint32_t id : dead) {
    GiveBack(id);
  }
  return taken;
}

// A slot that is not up yet stays: it will be when the next call comes.
bool WarmPool::IsUp(const Template& of, Slot& slot) {
  bool closed = false;
  while (!of.plan.interpreter.empty() && !slot.up && !closed) {
    std::optional<ReceivedReport> report = ReceiveReport(slot.call.report.get(), closed);
    if (!report) {
      return false;
    }
    slot.up = report->report.kind == ReportKind::kInterpreterUp;
    slot.call.reports.push_back(std::move(*report));
  }
  return of.plan.interpreter.empty() || slot.up;
}

// What the zygote says of one tree, on the socket of that question: the tree, or a negative errno.
int WarmPool::AwaitTree(const UniqueFd& socket) {
  for (bool begun = false;;) {
    if (!IsReadable(socket.get(), kAnswerTimeout)) {
      // Where it has begun, only whoever opens it hangs: with the file system that it lies on.
      const std::lock_guard lock(mutex_);
      if (!begun && ++unanswered_ >= kUnansweredMax) {
        Break();
      }
      return -ETIMEDOUT;
    }
    Result<Received> received = ReceiveMessage(socket.get(), Waiting::kNo);
    if (!received.ok() || received.value().bytes.empty()) {
      return -EPIPE;
    }
    const Result<Event> event = DecodeEvent(received.value().bytes);
    const auto* opened = event.ok() ? std::get_if<TreeOpened>(&event.value()) : nullptr;
    if (opened != nullptr && opened->error == EINPROGRESS && !begun) {
      begun = true;
      continue;
    }
    std::vector<UniqueFd>& descriptors = received.value().descriptors;
    if (opened == nullptr || opened->error < 0 ||
        (opened->error == 0) != (descriptors.size() == 1)) {
      return -EPROTO;
    }
    const std::lock_guard lock(mutex_);
    unanswered_ = 0;
    return opened->error != 0 ? -opened->error : descriptors[0].release();
  }
}

int WarmPool::OpenTrees(const LaunchPlan& warm, Sources& sources, std::string& failed) {
  for (size_t i = 0; i < sources.opened.size(); ++i) {
    OpenedSource& source = sources.opened[i];
    if (source.tree >= 0) {
      continue;
    }
    failed = warm.sources[i].path;
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
      return errno;
    }
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    {
      const std::lock_guard lock(mutex_);
      if (!Send(OpenTree{.path = warm.sources[i].path,
                         .attributes = warm.sources[i].attributes,
                         .device = source.device,
                         .inode = source.inode},
                {theirs.get()})) {
        return EPIPE;
      }
    }
    theirs.reset();  // or its end would not be seen
    const int tree = AwaitTree(ours);
    if (tree < 0) {
      return -tree;
    }
    sources.descriptors.emplace_back(tree);
    source.tree = tree;
  }
  return 0;
}

std::variant<uint32_t, NotWarm> WarmPool::Choose(const LaunchPlan& made_from,
                                                 const LaunchContext& context) {
  TakeEvents();
  if (!EnsureZygote()) {
    return NotWarm{last_words_};
  }
  Template* const of = FindTemplate(made_from, context);
  if (of == nullptr) {
    return NotWarm{"the zygote does not take its template"};
  }
  if (options_.slots == 0 && !made_from.interpreter.empty()) {
    return NotWarm{"no interpreter is started before its call is there"};
  }
  if (options_.slots > 0 && of->ready.empty()) {
    const bool fails = !made_from.interpreter.empty() && of->failures >= kFailuresMax;
    Refill(*of);  // after it `of` may be gone, with its zygote
    return NotWarm{fails ? "no warm sandbox was ready: its interpreter does not start"
                         : "no warm sandbox was ready"};
  }
  return of->number;
}

std::optional<RunningCall> WarmPool::Give(uint32_t number, const std::string& call_plan,
                                          const std::vector<int>& trees) {
  TakeEvents();
  for (Template* from = FindNumber(number); from != nullptr; from = FindNumber(number)) {
    std::optional<Slot> slot = TakeSlot(*from);
    if (!slot) {
      break;
    }
    if (SendMessage(slot->call.report.get(), call_plan, trees, Waiting::kNo) != 0) {
      GiveBack(slot->id);  // it died just now
      continue;
    }
    if (Template* const used = FindNumber(number)) {
      used->failures = 0;
    }
    used_[slot->call.slot] = slot->call.slot_template;
    return std::move(slot->call);
  }
  return std::nullopt;
}

WarmPool::Launched WarmPool::Launch(const LaunchPlan& warm, const LaunchContext& context) {
  const LaunchPlan made_from = TemplateOf(warm);
  if (warm.unmet || made_from.fail_at_step || warm.shared_namespaces != 0) {
    return NotWarm{"its plan is one that only tests make"};
  }
  const std::string bytes = EncodePlan(CallOf(warm));
  if (bytes.size() > kMessageBytesMax) {
    return NotWarm{"its arguments are too long for the zygote"};
  }
  std::variant<uint32_t, NotWarm> chosen;
  {
    const std::lock_guard lock(mutex_);
    chosen = Choose(made_from, context);
  }
  if (auto* not_warm = std::get_if<NotWarm>(&chosen)) {
    return std::move(*not_warm);
  }
  // Not under the lock: a file system that hangs must not keep other calls from theirs.
  auto opened = OpenSources(warm, context);
  if (auto* failure = std::get_if<SetupFailure>(&opened)) {
    return std::move(*failure);
  }
  Sources& sources = std::get<Sources>(opened);
  if (warm.privileged && sources.run_as != kernel::Ids{}) {
    return NotWarm{"a mount needs another identity than the warm sandboxes have"};
  }
  std::string failed;
  if (const int error = OpenTrees(warm, sources, failed); error != 0) {
    return NotWarm{"the zygote could not open " + failed + ": " + SysError("", error).message};
  }
  std::vector<int> trees;
  for (const OpenedSource& source : sources.opened) {
    trees.push_back(source.tree);
  }
  std::optional<RunningCall> call = [&] {
    const std::lock_guard lock(mutex_);
    return Give(std::get<uint32_t>(chosen), bytes, trees);
  }();
  if (!call) {
    return NotWarm{"no warm sandbox was ready"};
  }
  call->weaker = warm.weaker;
  call->weaker.insert(call->weaker.end(), sources.weaker.begin(), sources.weaker.end());
  if (!warm.network_group.empty()) {
    call->weaker.push_back(
        "the network namespace, which is empty, is shared with other calls of the session");
  }
  return std::move(*call);
}

void WarmPool::Return(RunningCall call) {
  const uint32_t id = call.slot;
  const uint32_t number = call.slot_template;
  const std::lock_guard lock(mutex_);
  if (!channel_.valid()) {
    return;
  }
  call.child.Kill();
  // Unless its zygote is gone, and the number is another's.
  const auto used = used_.find(id);
  if (used != used_.end() && used->second == number) {
    used_.erase(used);
    GiveBack(id);
  }
  if (Template* const of = FindNumber(number)) {
    Refill(*of);
  }
  TakeEvents();
  const SteadyClock::time_point until = SteadyClock::now() + kAnswerTimeout;
  while (returned_.size() > kReturnedMax && AwaitEvents(until)) {
  }
}

bool WarmPool::Prepare(const LaunchPlan& warm, const LaunchContext& context,
                       milliseconds patience) {
  const LaunchPlan made_from = TemplateOf(warm);
  const SteadyClock::time_point until = SteadyClock::now() + patience;
  const std::lock_guard lock(mutex_);
  TakeEvents();
  if (!EnsureZygote()) {
    return false;
  }
  Template* of = FindTemplate(made_from, context);
  const uint32_t number = of == nullptr ? 0 : of->number;
  while (of != nullptr && of->coming > 0 && AwaitEvents(until)) {
    of = FindNumber(number);
  }
  of = FindNumber(number);
  const auto all_up = [&] {
    return std::all_of(of->ready.begin(), of->ready.end(),
                       [&](Slot& slot) { return IsUp(*of, slot); });
  };
  while (of != nullptr && of->ready.size() >= options_.slots && !all_up()) {
    if (SteadyClock::now() >= until) {
      return false;
    }
    ::poll(nullptr, 0, 1);
    TakeEvents();
    of = FindNumber(number);
  }
  return of != nullptr && of->ready.size() >= options_.slots;
}

void WarmPool::Settle() {
  const std::lock_guard lock(mutex_);
  const SteadyClock::time_point until = SteadyClock::now() + kAnswerTimeout;
  TakeEvents();
  const auto waits = [&] {
    return !returned_.empty() || std::any_of(templates_.begin(), templates_.end(),
                                             [](const Template& each) { return each.coming > 0; });
  };
  while (waits() && AwaitEvents(until)) {
  }
}

}  // namespace nacre::sandbox::zygote
