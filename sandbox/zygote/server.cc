#include "sandbox/zygote/server.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <map>

#include "sandbox/interpreter/starter.h"
#include "sandbox/kernel/mount.h"
#include "sandbox/kernel/syscalls.h"
#include "sandbox/kernel/time_namespace.h"
#include "sandbox/launcher.h"
#include "sandbox/zygote/channel.h"
#include "sandbox/zygote/messages.h"
#include "sandbox/zygote/openers.h"
#include "sandbox/zygote/slot.h"
#include "sandbox/zygote/split.h"

namespace nacre::sandbox::zygote {
namespace {

// More than a runtime asks for; a host's table of processes is not ours to fill.
constexpr size_t kLivingSlotsMax = 256;

bool WriteOwn(const char* path, const std::string& text) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// An empty network for root too. An ordinary user's zygote gets the power to clone mounts in user and
// mount namespaces of its own; mounts that the host makes later still come through to it.
bool Seclude(kernel::Standing standing) {
  if (standing != kernel::Standing::kUser) {
    return ::unshare(CLONE_NEWNET) == 0;
  }
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0 &&
         WriteOwn("/proc/self/setgroups", "deny") &&
         WriteOwn("/proc/self/uid_map", uid + " " + uid + " 1\n") &&
         WriteOwn("/proc/self/gid_map", gid + " " + gid + " 1\n");
}

// What interpreters load lies beside our own program.
UniqueFd OpenInterpreterLibrary() {
  char path[PATH_MAX + 32];
  const ssize_t size = ::readlink("/proc/self/exe", path, PATH_MAX);
  if (size <= 0) {
    return UniqueFd();
  }
  const std::string program(path, static_cast<size_t>(size));
  const std::string library = program.substr(0, program.rfind('/')) + "/nacre-interpreter.so";
  const UniqueFd opened(::open(library.c_str(), O_RDONLY | O_CLOEXEC));
  // Above the numbers that a child's own descriptors get.
  return UniqueFd(opened ? ::fcntl(opened.get(), F_DUPFD_CLOEXEC, kLowestDescriptor) : -1);
}

constexpr SlotSteps kSlotSteps = {.start_interpreter = &interpreter::StartInterpreter,
                                  .split = &Split,
                                  .await_call = &AwaitCall,
                                  .hand_over = &HandOver};

UniqueFd OwnNetwork() {
  return UniqueFd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

UniqueFd OwnTime() {
  return UniqueFd(::open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC));
}

class Server {
 public:
  // `standing`: before we secluded ourselves.
  Server(UniqueFd channel, UniqueFd time_offsets, kernel::Standing standing)
      : channel_(std::move(channel)), time_offsets_(std::move(time_offsets)) {
    host_.uid = ::geteuid();
    host_.gid = ::getegid();
    host_.privileged = standing == kernel::Standing::kRoot;
  }

  int Run();

 private:
  struct Template {
    LaunchPlan plan;
    seccomp::ProfileFilters tool_filters;
    seccomp::Filter reaper_filter;
  };
  // In order of acquisition: the process is gone before its cgroup is removed.
  struct Slot {
    std::optional<kernel::Cgroup> cgroup;
    ChildProcess child;
    bool ended = false;
    bool returned = false;
  };

  bool Take(const Command& command, std::vector<UniqueFd> descriptors);
  bool MakeSlot(uint32_t number);
  bool SendTree(const OpenTree& wanted, const UniqueFd& to);
  bool EnterNetwork(const std::string& group);
  int ChooseTime(const LaunchPlan& plan);
  bool RemoveIfDone(std::map<uint32_t, Slot>::iterator slot);
  bool ReapSlots();
  bool Tell(const Event& event, const std::vector<int>& descriptors = {}) {
    return SendMessage(channel_.get(), Encode(event), descriptors, Waiting::kYes) == 0;
  }

  const UniqueFd channel_;
  const UniqueFd time_offsets_;  // invalid: no slot can have a time namespace
  const UniqueFd home_network_ = OwnNetwork();
  const UniqueFd home_time_ = OwnTime();
  bool away_ = false;  // children are born in another one
  const UniqueFd interpreter_library_ = OpenInterpreterLibrary();  // invalid: there is none
  HostSupport host_;
  kernel::IdMappings mappings_;
  std::map<uint32_t, Template> templates_;
  std::map<std::string, UniqueFd> networks_;
  std::map<uint32_t, Slot> slots_;
  Openers openers_;
  std::deque<uint32_t> wanted_;  // templates, one entry per slot
  uint32_t last_slot_ = 0;
};

bool Server::EnterNetwork(const std::string& group) {
  const auto found = networks_.find(group);
  if (found != networks_.end()) {
    return ::setns(found->second.get(), CLONE_NEWNET) == 0;
  }
  if (::unshare(CLONE_NEWNET) != 0) {
    return false;
  }
  UniqueFd made = OwnNetwork();
  if (!made) {
    return false;
  }
  networks_.emplace(group, std::move(made));
  return true;
}

// The time namespace that the next child is born in: a new one, or ours, never that of the slot before.
// An ordinary user's zygote cannot come back to ours: such a call starts cold.
int Server::ChooseTime(const LaunchPlan& plan) {
  if (HasTimeNamespace(plan)) {
    away_ = true;
    return time_offsets_ ? kernel::NewTimeNamespaceForChildren(time_offsets_.get()) : -EACCES;
  }
  if (away_ && ::setns(home_time_.get(), kernel::kCloneNewTime) != 0) {
    return -errno;
  }
  away_ = false;
  return 0;
}

bool Server::MakeSlot(uint32_t number) {
  const auto found = templates_.find(number);
  if (found == templates_.end()) {
    return true;  // dropped meanwhile
  }
  const Template& made_from = found->second;
  const uint32_t id = ++last_slot_;
  LaunchContext context{.host = &host_,
                        .tool_filters = &made_from.tool_filters,
                        .reaper_filter = &made_from.reaper_filter,
                        .mappings = &mappings_,
                        .cgroup_name = kernel::OwnCgroupName("warm-" + std::to_string(id))};
  context.slot = &kSlotSteps;
  context.interpreter_library = interpreter_library_.get();
  if (const int chosen = ChooseTime(made_from.plan); chosen != 0) {
    return Tell(SlotFailed{.number = number, .error = -chosen, .step = "time namespace"});
  }
  const std::string& group = made_from.plan.network_group;
  if (!group.empty()) {
    if (!EnterNetwork(group)) {
      return Tell(SlotFailed{.number = number, .error = errno, .step = "network of the session"});
    }
    context.namespaces &= ~static_cast<uint64_t>(CLONE_NEWNET);
  }
  Result<LaunchResult> launched = slots_.size() < kLivingSlotsMax
                                      ? Launch(made_from.plan, context)
                                      : Result<LaunchResult>(SetupFailure{"slots", EAGAIN});
  if (!group.empty() && ::setns(home_network_.get(), CLONE_NEWNET) != 0) {
    return false;  // what follows would be in the wrong network
  }
  if (!launched.ok()) {
    return Tell(SlotFailed{.number = number, .error = ENOMEM, .step = launched.error().message});
  }
  if (const auto* failure = std::get_if<SetupFailure>(&launched.value())) {
    return Tell(SlotFailed{.number = number, .error = failure->error, .step = failure->step});
  }
  RunningCall& call = std::get<RunningCall>(launched.value());
  SlotMade event{.number = number, .slot = id, .pid = call.child.pid()};
  std::vector<int> descriptors = {call.report.get(),         call.child.pidfd(),
                                  call.standard_input.get(), call.standard_output.get(),
                                  call.standard_error.get(), call.channel.get()};
  if (call.meter) {
    for (size_t i = 0; i < call.meter->files().size(); ++i) {
      if (const UniqueFd& file = call.meter->files()[i]) {
        event.meter_files |= 1U << i;
        descriptors.push_back(file.get());
      }
    }
  }
  const bool told = Tell(event, descriptors);
  Slot& slot = slots_[id];
  if (call.cgroup) {
    slot.cgroup.emplace(std::move(*call.cgroup));
  }
  slot.child = std::move(call.child);
  return told;
}

// The tree that is wanted, or -errno. An ordinary user's runtime cannot clone a mount; we can.
enum class Lookup { kCached = 0, kFull };
int OpenWanted(const OpenTree& wanted, Lookup lookup) {
  struct open_how how = {};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = lookup == Lookup::kCached ? RESOLVE_CACHED : 0;
  const UniqueFd path(kernel::OpenAt2(AT_FDCWD, wanted.path.c_str(), how));
  if (!path) {
    return -errno;
  }
  UniqueFd tree(kernel::CloneTree(path.get(), ""));
  struct statx info = {};
  if (!tree) {
    return tree.get();
  }
  // Device and inode are known; whatever else a file system on the network would ask for is not needed.
  if (::statx(tree.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &info) != 0 ||
      makedev(info.stx_dev_major, info.stx_dev_minor) != wanted.device ||
      info.stx_ino != wanted.inode) {
    return -ESTALE;
  }
  const int set = kernel::SetAttributes(tree.get(), wanted.attributes);
  return set < 0 ? set : tree.release();
}

void AnswerTree(const UniqueFd& to, int tree) {
  const UniqueFd owner(tree);
  const Event event = TreeOpened{.error = tree < 0 ? -tree : 0};
  const std::vector<int> descriptors = tree < 0 ? std::vector<int>() : std::vector<int>{tree};
  (void)SendMessage(to.get(), Encode(event), descriptors, Waiting::kNo);
}

// On the socket that came with the question, so that no answer waits for another. What the kernel does
// not know by heart it asks the file system for, which may never answer: a process of its own waits.
bool Server::SendTree(const OpenTree& wanted, const UniqueFd& to) {
  const int cached = OpenWanted(wanted, Lookup::kCached);
  if (cached >= 0) {
    AnswerTree(to, cached);
    return true;
  }
  if (!openers_.HasRoomFor(wanted.device)) {
    AnswerTree(to, -EAGAIN);
    return true;
  }
  AnswerTree(to, -EINPROGRESS);
  const pid_t self = ::getpid();
  const auto opener = static_cast<pid_t>(kernel::RawFork());
  if (opener == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() == self) {
      AnswerTree(to, OpenWanted(wanted, Lookup::kFull));
    }
    ::_exit(0);
  }
  if (opener < 0) {
    AnswerTree(to, -errno);
  } else {
    openers_.Add(opener, wanted.device);
  }
  return true;
}

bool Server::Take(const Command& command, std::vector<UniqueFd> descriptors) {
  if (const auto* set_up = std::get_if<SetUp>(&command)) {
    if (set_up->launch_digest != LaunchDigest()) {
      Tell(SlotFailed{.number = 0, .error = EPROTO, .step = "the zygote is of another build"});
      return false;
    }
    host_.cgroup = set_up->cgroup;
  } else if (const auto* add = std::get_if<AddTemplate>(&command)) {
    templates_.insert_or_assign(add->number, Template{add->plan,
                                                      {.reporting = {add->tool_filter},
                                                       .killing = {add->killing_tool_filter}},
                                                      {add->reaper_filter}});
  } else if (const auto* drop = std::get_if<DropTemplate>(&command)) {
    templates_.erase(drop->number);
    std::erase(wanted_, drop->number);
    std::erase_if(networks_, [&](const auto& network) {
      return std::none_of(templates_.begin(), templates_.end(), [&](const auto& each) {
        return each.second.plan.network_group == network.first;
      });
    });
  } else if (const auto* make = std::get_if<MakeSlots>(&command)) {
    for (uint32_t i = 0; i < make->count && wanted_.size() < kLivingSlotsMax; ++i) {
      wanted_.push_back(make->number);
    }
  } else if (const auto* open = std::get_if<OpenTree>(&command)) {
    return descriptors.size() == 1 && SendTree(*open, descriptors[0]);
  } else if (const auto* back = std::get_if<ReturnSlot>(&command)) {
    const auto slot = slots_.find(back->slot);
    if (slot != slots_.end()) {
      slot->second.child.Kill();
      slot->second.returned = true;
      return RemoveIfDone(slot);
    }
  }
  return true;
}

// Not before it is returned: the runtime may still read from its cgroup what ended the call.
bool Server::RemoveIfDone(std::map<uint32_t, Slot>::iterator slot) {
  if (!slot->second.ended || !slot->second.returned) {
    return true;
  }
  const uint32_t id = slot->first;
  slots_.erase(slot);
  return Tell(SlotGone{.slot = id});
}

bool Server::ReapSlots() {
  for (;;) {
    const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) {
      return true;
    }
    openers_.Remove(pid);
    const auto slot = std::find_if(slots_.begin(), slots_.end(), [&](const auto& each) {
      return each.second.child.pid() == pid;
    });
    if (slot != slots_.end()) {
      slot->second.child.Forget();
      slot->second.ended = true;
      if (!Tell(SlotEnded{.slot = slot->first}) || !RemoveIfDone(slot)) {
        return false;
      }
    }
  }
}

int Server::Run() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  const UniqueFd ended(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!ended || !home_network_) {
    return 1;
  }
  for (;;) {
    struct pollfd polled[] = {{.fd = channel_.get(), .events = POLLIN, .revents = 0},
                              {.fd = ended.get(), .events = POLLIN, .revents = 0}};
    if (::poll(polled, 2, wanted_.empty() ? -1 : 0) < 0 && errno != EINTR) {
      return 1;
    }
    if (polled[0].revents != 0) {
      Result<Received> received = ReceiveMessage(channel_.get(), Waiting::kYes);
      if (!received.ok()) {
        return 1;
      }
      if (received.value().bytes.empty()) {
        return 0;
      }
      const Result<Command> command = DecodeCommand(received.value().bytes);
      if (!command.ok() || !Take(command.value(), std::move(received.value().descriptors))) {
        return 1;
      }
      continue;  // what a call waits for goes before what is made for the next one
    }
    if (polled[1].revents != 0) {
      struct signalfd_siginfo ignored = {};
      while (::read(ended.get(), &ignored, sizeof ignored) > 0) {
      }
      if (!ReapSlots()) {
        return 1;
      }
    }
    if (!wanted_.empty()) {
      const uint32_t number = wanted_.front();
      wanted_.pop_front();
      if (!MakeSlot(number)) {
        return 1;
      }
    }
  }
}

}  // namespace

int Serve(UniqueFd channel) {
  // Not 0, which a piped core_pattern ignores; and its calls are to have 1, which is then no more. Where
  // the host allows none, there is nothing to lower.
  struct rlimit core = {};
  ::getrlimit(RLIMIT_CORE, &core);
  core.rlim_cur = core.rlim_max = std::min<rlim_t>(core.rlim_max, 1);
  const kernel::Standing standing = kernel::OwnStanding();
  ::setsid();  // a person's interrupt is for the runtime, which then ends us
  if (::setrlimit(RLIMIT_CORE, &core) != 0 || ::chdir("/") != 0 || !Seclude(standing)) {
    return 1;
  }
  // While our files in /proc are our own.
  UniqueFd time_offsets(kernel::OpenTimeOffsets());
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return 1;
  }
  ::signal(SIGPIPE, SIG_IGN);
  return Server(std::move(channel), std::move(time_offsets), standing).Run();
}

}  // namespace nacre::sandbox::zygote
