// What a sandbox costs: one call of /bin/true, ours and others', against posix_spawn of the same
// program; and of a small Python script, in an interpreter that was started before the call and in one
// that was not, against Python without a sandbox. All contenders take turns in each round, so that whatever else the machine does meets all
// of them alike: ratios travel between machines, microseconds do not. Between two runs there is a
// pause, the same for all, in which the machine finishes what the last one left behind.
//
//   sandbox_bench [--rounds N] [--pause MS] [--sustain SECONDS] [--leak CALLS]
//
// As root everything is measured twice: as root, and as an ordinary user. A peer that is not installed
// is reported as null with the package that has it. The last line of the output is one JSON object.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/temp_dir.h"
#include "sandbox/interpreter/python.h"
#include "sandbox/kernel_sandbox.h"

namespace nacre::sandbox {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr char kProgram[] = "/bin/true";
constexpr id_t kOrdinary = 64321;  // not nobody, which root's calls run as

struct Options {
  size_t rounds = 500;
  std::chrono::milliseconds pause{12};
  std::chrono::seconds sustain{5};
  size_t leak = 0;
};

struct Contender {
  std::string name;
  std::string gives;         // what isolation
  std::string why_not = {};  // empty: it runs
  std::function<bool()> run = {};
  std::vector<double> alone = {};
  std::vector<double> together = {};  // two at once
};

bool Spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  char* const environment[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"),
                               const_cast<char*>("HOME=/tmp"), nullptr};
  // Not /dev/null: runc gives its standard streams to the container's user, the host's device too.
  static const int streams = ::memfd_create("standard streams", MFD_CLOEXEC);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int standard : {0, 1, 2}) {
    ::posix_spawn_file_actions_adddup2(&actions, streams, standard);
  }
  pid_t pid = -1;
  int status = 0;
  const int failed = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment);
  ::posix_spawn_file_actions_destroy(&actions);
  return failed == 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

double Percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.empty()
             ? 0
             : values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

SandboxSpec Spec(const std::string& group) {
  SandboxSpec spec;
  spec.id = "bench";
  spec.argv = {kProgram};
  spec.network_group = group;
  spec.require.cgroup = false;  // measures what this host gives, and says what that is
  return spec;
}

// What a small tool does: the interpreter's start is nearly all of it. As tools have it, the module is
// imported at the start, beforehand where there is a beforehand.
constexpr char kModule[] = "started\nimport json\n";
constexpr char kScript[] = "import json, sys\njson.dumps({'argv': sys.argv})\n";

SandboxSpec PythonSpec(const std::string& folder) {
  SandboxSpec spec = Spec("");
  spec.argv = interpreter::PythonCommand(kModule);
  spec.interpreter_arguments = spec.argv.size();
  spec.argv.push_back("/nacre/tool/tool.py");
  spec.mounts.push_back({folder, "/nacre/tool"});
  return spec;
}

bool RunOurs(KernelSandbox& sandbox, const SandboxSpec& spec, bool want_warm) {
  NoCallIo io;
  const auto outcome = sandbox.Run(spec, io, CancelToken());
  return outcome.ok() && outcome.value().kind == OutcomeKind::kExited &&
         outcome.value().exit_code == 0 && (!want_warm || outcome.value().warm);
}

std::string FindProgram(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"}) {
    if (::access((folder + name).c_str(), X_OK) == 0) {
      return folder + name;
    }
  }
  return {};
}

// An OCI bundle that runs the program with the host's system files, read-only.
void WriteBundle(const std::string& folder) {
  ::mkdir((folder + "/rootfs").c_str(), 0755);
  Json mounts = Json::array();
  mounts.push_back({{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}});
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64"}) {
    mounts.push_back({{"destination", path},
                      {"type", "bind"},
                      {"source", path},
                      {"options", {"rbind", "ro", "nosuid", "nodev"}}});
  }
  Json namespaces = Json::array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount"}) {
    namespaces.push_back({{"type", type}});
  }
  const Json config = {{"ociVersion", "1.0.2"},
                       {"process",
                        {{"terminal", false},
                         {"user", {{"uid", 0}, {"gid", 0}}},
                         {"args", {kProgram}},
                         {"env", {"PATH=/usr/bin:/bin"}},
                         {"cwd", "/"},
                         {"noNewPrivileges", true}}},
                       {"root", {{"path", "rootfs"}, {"readonly", true}}},
                       {"mounts", mounts},
                       {"linux", {{"namespaces", namespaces}}}};
  std::ofstream(folder + "/config.json") << config.dump();
}

// One of ours or of the others. `slow` peers get the same number of runs.
std::vector<Contender> MakeContenders(KernelSandbox& cold, KernelSandbox& on_demand,
                                      KernelSandbox& warm, const std::string& bundle,
                                      const std::string& script) {
  const std::string layers =
      "7 namespaces, own root, Landlock, seccomp, no capabilities, limits (cgroup " +
      std::string(kernel::CgroupVersionName(cold.host().cgroup.version)) + ")";
  std::vector<Contender> all;
  all.push_back(
      {.name = "posix_spawn", .gives = "nothing", .run = [] { return Spawn({kProgram}); }});
  all.push_back({.name = "nacre cold", .gives = layers, .run = [&cold] {
                   return RunOurs(cold, Spec(""), false);
                 }});
  all.push_back({.name = "nacre cold, shared netns",
                 .gives = "the same, the empty network shared by a session",
                 .run = [&on_demand] { return RunOurs(on_demand, Spec("bench"), true); }});
  all.push_back({.name = "nacre warm", .gives = layers, .run = [&warm] {
                   return RunOurs(warm, Spec(""), true);
                 }});
  all.push_back({.name = "nacre warm, shared netns",
                 .gives = "the same, the empty network shared by a session",
                 .run = [&warm] { return RunOurs(warm, Spec("bench"), true); }});
  const std::string no_python =
      ::access(interpreter::kPythonProgram, X_OK) == 0 ? "" : "not installed (package python3)";
  std::vector<std::string> bare = interpreter::PythonCommand(kModule);
  bare.push_back(script + "/tool.py");
  all.push_back({.name = "python3", .gives = "nothing", .why_not = no_python, .run = [bare] {
                   return Spawn(bare);
                 }});
  all.push_back({.name = "nacre cold, python3",
                 .gives = layers,
                 .why_not = no_python,
                 .run = [&cold, script] { return RunOurs(cold, PythonSpec(script), false); }});
  all.push_back({.name = "nacre warm, python3",
                 .gives = layers + "; the interpreter is started beforehand",
                 .why_not = no_python,
                 .run = [&warm, script] { return RunOurs(warm, PythonSpec(script), true); }});
  const auto add = [&](const std::string& name, const std::string& program,
                       const std::string& package, const std::string& gives,
                       std::vector<std::string> arguments, bool needs_root) {
    Contender made{.name = name, .gives = gives};
    const std::string found = FindProgram(program);
    if (found.empty()) {
      made.why_not = "not installed (package " + package + ")";
    } else if (needs_root && ::geteuid() != 0) {
      made.why_not = "needs root";
    } else {
      arguments.insert(arguments.begin(), found);
      made.run = [arguments] { return Spawn(arguments); };
    }
    all.push_back(std::move(made));
  };
  add("bubblewrap", "bwrap", "bubblewrap", "7 namespaces, own root, no capabilities",
      {"--unshare-all", "--new-session", "--die-with-parent",
       "--ro-bind",     "/usr",          "/usr",
       "--symlink",     "usr/bin",       "/bin",
       "--symlink",     "usr/lib",       "/lib",
       "--symlink",     "usr/lib64",     "/lib64",
       "--proc",        "/proc",         "--dev",
       "/dev",          "--tmpfs",       "/tmp",
       kProgram},
      false);
  add("firejail", "firejail", "firejail", "4 namespaces, seccomp deny-list; the host's files",
      {"--quiet", "--noprofile", "--seccomp", "--net=none", "--caps.drop=all", kProgram}, false);
  add("minijail", "minijail0", "minijail (not in Debian 12)", "6 namespaces; the host's files",
      {"-U", "-v", "-p", "-n", "-l", "-e", "--", kProgram}, false);
  add("nsjail", "nsjail", "nsjail (not in Debian 12)", "7 namespaces, own root, rlimits",
      {"-Mo", "--really_quiet", "-R", "/usr", "-R", "/lib", "-R", "/lib64", "-R", "/bin", "--",
       kProgram},
      false);
  const std::string id = "nacre-bench-" + std::to_string(::getpid());
  const auto add_oci = [&](const std::string& name, const std::string& package,
                           const std::string& gives, std::vector<std::string> before,
                           std::vector<std::string> after) {
    add(name, name, package, gives, {}, true);
    Contender& made = all.back();
    if (made.why_not.empty()) {
      const std::string program = FindProgram(name);
      made.run = [=, number = std::make_shared<std::atomic<int>>(0)] {
        std::vector<std::string> arguments = {program};
        arguments.insert(arguments.end(), before.begin(), before.end());
        arguments.insert(arguments.end(), after.begin(), after.end());
        arguments.push_back(id + "-" + std::to_string(++*number));
        return Spawn(arguments);
      };
    }
  };
  add_oci("crun", "crun", "5 namespaces, own root; no seccomp in this bundle",
          {"--cgroup-manager=disabled"}, {"run", "--bundle", bundle});
  add_oci("runc", "runc", "5 namespaces, own root, cgroup; no seccomp in this bundle", {},
          {"run", "--bundle", bundle});
  add_oci("runsc", "runsc", "a kernel of its own in user space (gVisor)",
          {"--network=none", "--platform=ptrace", "--ignore-cgroups"}, {"run", "--bundle", bundle});
  return all;
}

void RunRounds(std::vector<Contender>& all, const Options& options) {
  const auto one = [](Contender& contender) {
    const auto start = Clock::now();
    const bool good = contender.run();
    const double took = Microseconds(Clock::now() - start).count();
    return good ? took : -1;
  };
  for (Contender& contender : all) {  // what is made once is made; what cannot run is found
    for (int i = 0; contender.why_not.empty() && i < 3 && !contender.run(); ++i) {
      if (i == 2) {
        contender.why_not = "did not run here";
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  for (size_t round = 0; round < options.rounds; ++round) {
    for (Contender& contender : all) {
      if (!contender.why_not.empty()) {
        continue;
      }
      std::this_thread::sleep_for(options.pause);
      const double took = one(contender);
      if (took >= 0) {
        contender.alone.push_back(took);
      }
      std::this_thread::sleep_for(options.pause);
      double times[2] = {-1, -1};
      std::thread other([&] { times[1] = one(contender); });
      times[0] = one(contender);
      other.join();
      for (const double time : times) {
        if (time >= 0) {
          contender.together.push_back(time);
        }
      }
    }
  }
}

// What a leak would be made of.
struct Counts {
  size_t descriptors = 0;
  size_t mounts = 0;
  size_t cgroups = 0;
  size_t processes = 0;
  size_t resident_kib = 0;
};

size_t CountEntries(const std::string& path, const std::string& prefix = "") {
  size_t count = 0;
  if (DIR* directory = ::opendir(path.c_str())) {
    while (const struct dirent* entry = ::readdir(directory)) {
      count += entry->d_name[0] != '.' && std::string(entry->d_name).starts_with(prefix) ? 1 : 0;
    }
    ::closedir(directory);
  }
  return count;
}

size_t ResidentKib(pid_t pid) {
  const auto status = ReadFile("/proc/" + std::to_string(pid) + "/status", 1 << 16);
  const size_t at = status.ok() ? status.value().find("VmRSS:") : std::string::npos;
  return at == std::string::npos ? 0 : std::strtoul(status.value().c_str() + at + 6, nullptr, 10);
}

Counts Count(KernelSandbox& sandbox) {
  sandbox.Settle();
  Counts counts;
  const pid_t zygote = sandbox.warm_pool()->zygote_pid();
  const std::string zygote_path = "/proc/" + std::to_string(zygote);
  counts.descriptors = CountEntries("/proc/self/fd") + CountEntries(zygote_path + "/fd");
  const std::string mounts = ReadFile("/proc/self/mountinfo", 1 << 22).value();
  counts.mounts = static_cast<size_t>(std::count(mounts.begin(), mounts.end(), '\n'));
  for (const std::string& directory :
       {sandbox.host().cgroup.memory_directory, sandbox.host().cgroup.pids_directory}) {
    counts.cgroups += directory.empty() ? 0 : CountEntries(directory, "nacre-");
  }
  const auto children =
      ReadFile(zygote_path + "/task/" + std::to_string(zygote) + "/children", 1 << 16);
  counts.processes =
      !children.ok()
          ? 0
          : static_cast<size_t>(std::count(children.value().begin(), children.value().end(), ' '));
  counts.resident_kib = ResidentKib(::getpid()) + ResidentKib(zygote);
  return counts;
}

void PrintCounts(const char* when, const Counts& counts) {
  std::printf("%-8s %5zu descriptors %5zu mounts %5zu cgroups %5zu slots %8zu KiB\n", when,
              counts.descriptors, counts.mounts, counts.cgroups, counts.processes,
              counts.resident_kib);
}

// Calls per second by two callers, until the time or the number is over.
double Sustain(const std::function<bool()>& run, std::chrono::seconds time, size_t calls,
               size_t& failed) {
  std::atomic<size_t> done{0};
  std::atomic<size_t> bad{0};
  const auto start = Clock::now();
  const auto work = [&] {
    while (calls > 0 ? done < calls : Clock::now() < start + time) {
      bad += run() ? 0 : 1;
      ++done;
    }
  };
  std::thread other(work);
  work();
  other.join();
  failed += bad;
  return static_cast<double>(done) / std::chrono::duration<double>(Clock::now() - start).count();
}

const Contender& Named(const std::vector<Contender>& all, const std::string& name) {
  return *std::find_if(all.begin(), all.end(),
                       [&](const Contender& each) { return each.name == name; });
}

Json Ratio(const Contender& above, const Contender& below, double part) {
  if (above.alone.empty() || below.alone.empty()) {
    return nullptr;
  }
  const double ratio = Percentile(above.alone, part) / Percentile(below.alone, part);
  return std::round(ratio * 100) / 100;
}

Json Measure(const Options& options, const char* who) {
  const std::string zygote = NACRE_ZYGOTE;
  auto cold = KernelSandbox::Create();
  auto on_demand = KernelSandbox::Create({.zygote_program = zygote, .slots = 0});
  auto warm = KernelSandbox::Create({.zygote_program = zygote, .slots = 4});
  const auto bundle = TempDir::Create();
  for (const auto* made : {&cold, &on_demand, &warm}) {
    if (!made->ok()) {
      std::fprintf(stderr, "sandbox_bench: %s\n", made->error().message.c_str());
      std::exit(1);
    }
  }
  if (!bundle.ok()) {
    std::fprintf(stderr, "sandbox_bench: %s\n", bundle.error().message.c_str());
    std::exit(1);
  }
  WriteBundle(bundle.value().path());
  const auto script = TempDir::Create();
  if (!script.ok() || ::chmod(script.value().path().c_str(), 0755) != 0) {
    std::fprintf(stderr, "sandbox_bench: no folder for a script\n");
    std::exit(1);
  }
  std::ofstream(script.value().path() + "/tool.py") << kScript;
  KernelSandbox& pool = *warm.value();
  const Counts before = [&] {
    for (const char* group : {"", "bench"}) {
      pool.Prepare(Spec(group), std::chrono::seconds(10));
    }
    pool.Prepare(PythonSpec(script.value().path()), std::chrono::seconds(10));
    return Count(pool);
  }();
  std::vector<Contender> all = MakeContenders(*cold.value(), *on_demand.value(), pool,
                                              bundle.value().path(), script.value().path());
  RunRounds(all, options);

  std::printf("\n%s, %zu rounds, %s, times in us\n", who, options.rounds, kProgram);
  std::printf("%-26s %5s %8s %8s %8s %8s  %7s  %s\n", "", "runs", "p50", "p99", "p50 x2", "p99 x2",
              "/spawn", "what it gives");
  Json json = Json::object();
  Json missing = Json::object();
  const Contender& spawn = all.front();
  for (const Contender& each : all) {
    if (!each.why_not.empty()) {
      std::printf("%-26s %s\n", each.name.c_str(), each.why_not.c_str());
      missing[each.name] = each.why_not;
      continue;
    }
    std::printf("%-26s %5zu %8.0f %8.0f %8.0f %8.0f  %7.2f  %s\n", each.name.c_str(),
                each.alone.size(), Percentile(each.alone, 0.5), Percentile(each.alone, 0.99),
                Percentile(each.together, 0.5), Percentile(each.together, 0.99),
                Percentile(each.alone, 0.5) / Percentile(spawn.alone, 0.5), each.gives.c_str());
  }
  const Contender& ours = Named(all, "nacre warm");
  json["posix_spawn_p50_us"] = std::round(Percentile(spawn.alone, 0.5));
  json["warm_p50_over_spawn"] = Ratio(ours, spawn, 0.5);
  json["warm_p99_over_spawn"] = Ratio(ours, spawn, 0.99);
  json["warm_shared_netns_p50_over_spawn"] =
      Ratio(Named(all, "nacre warm, shared netns"), spawn, 0.5);
  json["cold_p50_over_spawn"] = Ratio(Named(all, "nacre cold"), spawn, 0.5);
  json["cold_shared_netns_p50_over_spawn"] =
      Ratio(Named(all, "nacre cold, shared netns"), spawn, 0.5);
  for (const auto& [key, name] :
       std::map<std::string, std::string>{{"python_bare_p50_ms", "python3"},
                                          {"python_cold_p50_ms", "nacre cold, python3"},
                                          {"python_zygote_p50_ms", "nacre warm, python3"}}) {
    const std::vector<double>& times = Named(all, name).alone;
    json[key] = times.empty() ? Json(nullptr) : Json(std::round(Percentile(times, 0.5) / 10) / 100);
  }
  json["warm_runs"] = ours.alone.size();
  for (const auto& [key, name] : std::map<std::string, std::string>{{"bwrap", "bubblewrap"},
                                                                    {"firejail", "firejail"},
                                                                    {"minijail", "minijail"},
                                                                    {"nsjail", "nsjail"},
                                                                    {"crun", "crun"},
                                                                    {"runc", "runc"},
                                                                    {"runsc", "runsc"}}) {
    json[key + "_p50_over_warm"] = Ratio(Named(all, name), ours, 0.5);
  }
  json["missing"] = missing;

  size_t failed = 0;
  const auto sustain = [&](const std::function<bool()>& run) {
    return Sustain(run, options.sustain, options.leak, failed);
  };
  const double floor = sustain([] { return Spawn({kProgram}); });
  const double shared = sustain([&] { return RunOurs(pool, Spec("bench"), false); });
  const double separate = sustain([&] { return RunOurs(pool, Spec(""), false); });
  std::printf(
      "\nsustained by two callers, %s: %.0f calls/s, with a shared netns %.0f calls/s; "
      "posix_spawn %.0f/s\n",
      options.leak > 0 ? (std::to_string(options.leak) + " calls each").c_str()
                       : (std::to_string(options.sustain.count()) + " s each").c_str(),
      separate, shared, floor);
  const Counts after = Count(pool);
  PrintCounts("before", before);
  PrintCounts("after", after);
  json["calls_per_s"] = std::round(shared);
  json["calls_per_s_private_netns"] = std::round(separate);
  json["spawns_per_s"] = std::round(floor);
  json["calls_failed"] = failed;
  json["left_descriptors"] =
      static_cast<int64_t>(after.descriptors) - static_cast<int64_t>(before.descriptors);
  json["left_mounts"] = static_cast<int64_t>(after.mounts) - static_cast<int64_t>(before.mounts);
  json["left_cgroups"] = static_cast<int64_t>(after.cgroups) - static_cast<int64_t>(before.cgroups);
  json["left_slots"] =
      static_cast<int64_t>(after.processes) - static_cast<int64_t>(before.processes);
  json["grown_kib"] =
      static_cast<int64_t>(after.resident_kib) - static_cast<int64_t>(before.resident_kib);
  return json;
}

// In a child that has given root up, before this process has made anything.
Json MeasureAsOrdinaryUser(const Options& options) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return nullptr;
  }
  std::fflush(stdout);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kOrdinary, kOrdinary, kOrdinary) != 0 ||
        ::setresuid(kOrdinary, kOrdinary, kOrdinary) != 0 || ::access(NACRE_ZYGOTE, X_OK) != 0) {
      std::printf("as an ordinary user: the build folder is not accessible to other users\n");
      std::fflush(stdout);
      ::_exit(0);
    }
    const std::string text = Measure(options, "as an ordinary user").dump();
    std::fflush(stdout);
    const ssize_t written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(size));
  }
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return text.empty() ? Json(nullptr) : Json::parse(text, nullptr, false);
}

int Main(const Options& options) {
  if (::geteuid() != 0) {
    Json json = Measure(options, "as an ordinary user");
    json["bench"] = "sandbox";
    std::printf("%s\n", json.dump().c_str());
    return 0;
  }
  const Json unprivileged = MeasureAsOrdinaryUser(options);
  Json json = Measure(options, "as root");
  json["bench"] = "sandbox";
  json["rounds"] = options.rounds;
  json["unprivileged"] = unprivileged;
  std::printf("%s\n", json.dump().c_str());
  return json["calls_failed"] == 0 ? 0 : 1;
}

}  // namespace
}  // namespace nacre::sandbox

int main(int argc, char** argv) {
  nacre::sandbox::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const long value = std::strtol(argv[i + 1], nullptr, 10);
    const bool sane = value >= 1 && value <= 1'000'000;
    if (sane && name == "--rounds") {
      options.rounds = static_cast<size_t>(value);
    } else if (sane && name == "--pause") {
      options.pause = std::chrono::milliseconds(value);
    } else if (sane && name == "--sustain") {
      options.sustain = std::chrono::seconds(value);
    } else if (sane && name == "--leak") {
      options.leak = static_cast<size_t>(value);
    } else {
      argc = 0;
    }
  }
  if (argc % 2 == 0) {
    std::fprintf(stderr,
                 "usage: sandbox_bench [--rounds N] [--pause MS] [--sustain SECONDS] [--leak "
                 "CALLS], each 1 to 1000000\n");
    return 2;
  }
  return nacre::sandbox::Main(options);
}
