// nacre-mini-world: nacre with a generator in the place of the model. The training data of nacre-mini
// holds what the real session machine, policy, tools and notes say, so nothing of them is imitated.
//
//   nacre-mini-world BUILD_FOLDER/tools
//
// One JSON object a line on standard input:
//   {"world": {"policy": NAME or document, "context": TOKENS, "home": PATH, "person": BOOL,
//              "files": {PATH: TEXT}, "sizes": {PATH: BYTES}, "times": {PATH: SECONDS},
//              "directories": [PATH], "notes": [TEXT], "now": SECONDS}}   a new workspace and session
//   {"user": TEXT}                                          begins a turn
//   {"call": NAME, "arguments": TEXT, "person": BOOL,
//    "outcome": {"kind": NAME, "wall_ms": N, "exit_code": N}}
//       what the model does next; answered with {"text": what the model is told}. `outcome` makes the
//       call end so instead of running; `person` is the answer of the person who is asked.
//   {"answer": TEXT}                                        ends the turn
//   {"files": true}   answered with {"files": {PATH: TEXT or null}, "directories": [PATH]}
// Files of "sizes" are sparse zeros: for listings. A line that cannot be understood ends the program.
//
// Only the sandbox is played: the tools' code is linked in and called here, a hundred times faster than
// a process each, in one user, mount and network namespace that sees /usr and the workspace. The
// programs that proc.run starts are coreutils and scripts of the generator; this is no place for
// hostile ones. tests/integration/run_mini_data.py compares what is said here with `nacre run`.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/file.h"
#include "base/frame.h"
#include "memory/sqlite_session_store.h"
#include "nacre/sdk/tool_main.h"
#include "policy/policy_loader.h"
#include "runtime/agent/session_driver.h"

#include "sdk/src/channel.h"

// The main functions of the tools, renamed by the build.
int fs_edit_main(int argc, char** argv);
int fs_list_main(int argc, char** argv);
int fs_read_main(int argc, char** argv);
int fs_search_main(int argc, char** argv);
int fs_write_main(int argc, char** argv);
int memory_note_main(int argc, char** argv);
int memory_search_main(int argc, char** argv);
int proc_run_main(int argc, char** argv);

namespace nacre::mini {
namespace {

struct ToolEntry {
  std::string_view program;
  int (*main)(int argc, char** argv);
};
constexpr ToolEntry kTools[] = {
    {"fs-edit", fs_edit_main},
    {"fs-list", fs_list_main},
    {"fs-read", fs_read_main},
    {"fs-search", fs_search_main},
    {"fs-write", fs_write_main},
    {"memory-note", memory_note_main},
    {"memory-search", memory_search_main},
    {"proc-run", proc_run_main},
};

namespace fs = std::filesystem;

constexpr JsonLimits kLineLimits{.bytes_max = 16U << 20, .depth_max = 16};
constexpr uintmax_t kShownFileBytes = 64U << 10;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "nacre-mini-world: %s\n", why.c_str());
  std::exit(1);
}

void DieUnless(bool ok, const std::string& what) {
  if (!ok) {
    Die(SysError(what, errno).message);
  }
}

template <typename Value>
Value Need(Result<Value> result) {
  if (!result.ok()) {
    Die(result.error().message);
  }
  return std::move(result).value();
}

void Need(const Status& status) {
  if (!status.ok()) {
    Die(status.error().message);
  }
}

// The lines' descriptors are out of reach of the programs that run here, whose standard input is empty.
class Lines final {
 public:
  Lines() : in_(Move(STDIN_FILENO, O_RDONLY, "r")), out_(Move(STDOUT_FILENO, O_WRONLY, "w")) {}

  // Nothing at the end of the input.
  std::optional<Json> Next() {
    const ssize_t size = ::getline(&line_, &capacity_, in_);
    if (size < 0) {
      return std::nullopt;
    }
    return Need(ParseJson({line_, static_cast<size_t>(size)}, kLineLimits));
  }

  void Say(const Json& message) {
    const std::string text = DumpJson(message) + "\n";
    DieUnless(
        std::fwrite(text.data(), 1, text.size(), out_) == text.size() && std::fflush(out_) == 0,
        "write an answer");
  }

 private:
  static std::FILE* Move(int descriptor, int null_flags, const char* mode) {
    const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
    const UniqueFd null(::open("/dev/null", null_flags | O_CLOEXEC));
    DieUnless(moved >= 0 && null && ::dup2(null.get(), descriptor) >= 0,
              "take the standard streams");
    return ::fdopen(moved, mode);
  }

  std::FILE* in_;
  std::FILE* out_;
  char* line_ = nullptr;
  size_t capacity_ = 0;
};

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) {
    Die("cannot write " + path);
  }
}

void Bind(const std::string& source, const std::string& target, unsigned long flags) {
  DieUnless(::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0,
            "bind " + target);
  DieUnless(::mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) == 0,
            "remount " + target);
}

// A root with /usr, the tools below /nacre/tools, an empty /workspace that executes nothing, and a
// /usr/local/bin of our own.
void EnterWorldRoot(const std::string& tools) {
  const std::string user = std::to_string(::getuid());
  const std::string group = std::to_string(::getgid());
  DieUnless(::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) == 0,
            "make namespaces (this host may not allow user namespaces)");
  WriteText("/proc/self/setgroups", "deny");
  WriteText("/proc/self/uid_map", "0 " + user + " 1");
  WriteText("/proc/self/gid_map", "0 " + group + " 1");
  DieUnless(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
  // Opened before /tmp is covered, where the tools may lie.
  const UniqueFd tools_fd(::open(tools.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  DieUnless(static_cast<bool>(tools_fd), "open " + tools);
  const std::string root = "/tmp";
  DieUnless(::mount("tmpfs", root.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0, "tmpfs");
  for (const char* folder :
       {"usr", "dev", "tmp", "state", "bin-local", "nacre/tools", "workspace"}) {
    fs::create_directories(root + "/" + folder);
  }
  for (const char* link : {"bin", "lib", "lib64", "sbin"}) {
    if (fs::is_symlink(std::string("/") + link)) {
      fs::create_directory_symlink(std::string("usr/") + link, root + "/" + link);
    }
  }
  // In a user namespace, flags of the mount below may not be dropped; these add to them.
  constexpr unsigned long kReadOnly = MS_RDONLY | MS_NOSUID | MS_NODEV;
  Bind("/usr", root + "/usr", kReadOnly);
  Bind("/proc/self/fd/" + std::to_string(tools_fd.get()), root + "/nacre/tools", kReadOnly);
  Bind(root + "/bin-local", root + "/usr/local/bin", MS_NOSUID | MS_NODEV);
  for (const char* device : {"null", "zero", "urandom"}) {
    WriteText(root + "/dev/" + device, "");
    DieUnless(::mount((std::string("/dev/") + device).c_str(), (root + "/dev/" + device).c_str(),
                      nullptr, MS_BIND, nullptr) == 0,
              "bind /dev");
  }
  DieUnless(::mount("tmpfs", (root + "/workspace").c_str(), "tmpfs",
                    MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0,
            "tmpfs of the workspace");
  DieUnless(::chroot(root.c_str()) == 0 && ::chdir("/workspace") == 0, "enter the root");
}

class CountingClock final : public Clock {
 public:
  WallTime Now() const override { return WallTime(std::chrono::milliseconds(++ticks_)); }
  MonotonicTime Monotonic() const override { return {}; }

 private:
  mutable int64_t ticks_ = 0;
};

class NoLog final : public audit::AuditLog {
 public:
  Result<uint64_t> Append(const audit::AuditRecord& record) override {
    (void)record;
    return uint64_t{0};
  }
  Status WriteCheckpoint() override { return Ok(); }
};

class NoSink final : public agent::EventSink {
 public:
  void OnEvent(const agent::Event& event) override { (void)event; }
};

// Keeps notes as the real store does, and nothing else.
class NotesOnly final : public memory::SessionStore {
 public:
  explicit NotesOnly(memory::SessionStore& notes) : notes_(notes) {}
  // Whose notes are seen: each world has a workspace of its own.
  void BeginWorld() { ++world_; }

  Status AddNote(const std::string& workspace, const std::string& text,
                 const std::vector<std::string>& labels, int64_t now_ms) override {
    return notes_.AddNote(workspace + std::to_string(world_), text, labels, now_ms);
  }
  Result<std::vector<memory::NoteRecord>> SearchNotes(const std::string& workspace,
                                                      const std::string& query,
                                                      int64_t limit) override {
    return notes_.SearchNotes(workspace + std::to_string(world_), query, limit);
  }
  Status CreateSession(const memory::SessionRecord& /*session*/) override { return Ok(); }
  Status BeginTurn(const std::string& /*id*/, const memory::TurnRecord& /*turn*/) override {
    return Ok();
  }
  Status AppendStep(const std::string& /*id*/, const memory::StepRecord& /*step*/) override {
    return Ok();
  }
  Status FinishCall(const memory::CallRecord& /*call*/) override { return Ok(); }
  Status NoteRun(const std::string& /*call_id*/, int64_t /*run_us*/) override { return Ok(); }
  Status FinishTurn(const std::string& /*id*/, memory::TurnState /*state*/,
                    const std::string& /*answer*/, const std::string& /*error*/,
                    int64_t /*now_ms*/) override {
    return Ok();
  }
  Result<std::vector<memory::SessionRecord>> ListSessions(int64_t /*limit*/) override {
    return std::vector<memory::SessionRecord>();
  }
  Result<memory::Use> UseSince(int64_t /*since_ms*/) override { return memory::Use(); }
  Result<std::map<std::string, memory::ToolUse>> CallsSince(int64_t /*since_ms*/) override {
    return std::map<std::string, memory::ToolUse>();
  }
  Result<memory::SessionDetail> LoadSession(const std::string& id) override {
    return Error{ErrorCode::kNotFound, "there is no session " + id};
  }
  Result<memory::CallDetail> LoadCall(const std::string& id) override {
    return Error{ErrorCode::kNotFound, "there is no call " + id};
  }
  memory::FileLabels& file_labels() override { return notes_.file_labels(); }
  Result<std::unique_ptr<Lease>> LockSession(const std::string& /*id*/) override {
    return std::unique_ptr<Lease>();
  }
  Status Check() override { return Ok(); }

 private:
  memory::SessionStore& notes_;
  int64_t world_ = 0;
};

sandbox::OutcomeKind ParseOutcomeKind(const std::string& name) {
  for (int value = 0; value <= static_cast<int>(sandbox::OutcomeKind::kCancelled); ++value) {
    if (name == sandbox::OutcomeKindName(static_cast<sandbox::OutcomeKind>(value))) {
      return static_cast<sandbox::OutcomeKind>(value);
    }
  }
  Die("no outcome is called " + name);
}

// What the call of the current line shall meet instead of its usual way.
struct Fate {
  std::optional<sandbox::Outcome> outcome;
  bool person = false;
};

std::string Unframed(const std::string& frame) {
  return frame.substr(std::min<size_t>(frame.size(), kFrameHeaderBytes));
}

// What sdk::ToolMain does in a tool's own process: a request, calls of the host, a result.
class ToolSide final : public sdk::Memory {
 public:
  ToolSide(sandbox::CallIo& io, const sdk::Arguments& arguments) : io_(io), arguments_(arguments) {}

  void Answer(sdk::Tool& tool) {
    sdk::ToolReply reply;
    try {
      sdk::Context context("call", *this);
      reply = tool.Call(arguments_, context);
    } catch (const std::exception& exception) {
      reply = {.text = std::string("error: ") + exception.what(), .error = true};
    }
    Send({{"result", {{"text", sdk::BoundedText(reply.text)}, {"error", reply.error}}}});
  }

  void Note(const std::string& text) override { Host("memory.note", {{"text", text}}); }
  std::vector<std::string> Search(const std::string& query) override {
    return Host("memory.search", {{"query", query}}).get<std::vector<std::string>>();
  }

 private:
  std::string Send(const Json& message) {
    return io_.OnChannelBytes(EncodeFrame(DumpJson(message))).bytes;
  }
  Json Host(const char* method, const Json& arguments) {
    const Json answer = Json::parse(Unframed(Send({{"host", method}, {"arguments", arguments}})));
    if (!answer.at("ok").get<bool>()) {
      throw sdk::ToolError(answer.at("value").get<std::string>());
    }
    return answer.at("value");
  }

  sandbox::CallIo& io_;
  const sdk::Arguments& arguments_;
};

ToolSide* current_call = nullptr;

class PlayedSandbox final : public sandbox::Sandbox {
 public:
  explicit PlayedSandbox(const Fate& fate) : fate_(fate) {}

  Result<sandbox::Outcome> Run(const sandbox::SandboxSpec& spec, sandbox::CallIo& io,
                               const CancelToken& /*cancel*/) override {
    if (fate_.outcome.has_value()) {
      return *fate_.outcome;
    }
    for (const std::string& path : spec.hidden) {
      Empty(path);
    }
    return Exchange(spec, io);
  }

 private:
  // A hidden file or folder is seen empty.
  static void Empty(const std::string& path) {
    if (fs::is_directory(fs::symlink_status(path))) {
      for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
        fs::remove_all(entry);
      }
    } else {
      DieUnless(::truncate(path.c_str(), 0) == 0, "empty " + path);
    }
  }

  // The tool's side of its channel, without the channel.
  static Result<sandbox::Outcome> Exchange(const sandbox::SandboxSpec& spec, sandbox::CallIo& io) {
    const std::string program = fs::path(spec.argv.front()).filename();
    const ToolEntry* entry =
        std::find_if(std::begin(kTools), std::end(kTools),
                     [&](const ToolEntry& tool) { return tool.program == program; });
    if (entry == std::end(kTools)) {
      Die("no tool program is called " + program);
    }
    const sdk::Arguments request = sdk::Arguments::parse(Unframed(io.OnStart().bytes));
    ToolSide side(io, request.at("arguments"));
    current_call = &side;
    entry->main(0, nullptr);
    sandbox::Outcome outcome;
    outcome.kind = sandbox::OutcomeKind::kExited;
    outcome.exit_code = 0;
    return outcome;
  }

  const Fate& fate_;
};

class PlayedPerson final : public agent::Approver {
 public:
  explicit PlayedPerson(const Fate& fate) : fate_(fate) {}
  agent::Approval Ask(const agent::ApprovalRequest& /*request*/) override {
    return {fate_.person, "the person"};
  }

 private:
  const Fate& fate_;
};

// The model: asked for a reply, it tells the generator the last result and reads what comes next.
class PlayedModel final : public inference::Engine {
 public:
  PlayedModel(Lines& lines, Fate& fate) : lines_(lines), fate_(fate) {}
  uint32_t context_tokens = 0;

  inference::EngineInfo Info() const override {
    return {.name = "generator", .model = "generator", .context_tokens = context_tokens};
  }

  Result<inference::ModelReply> Generate(const inference::GenerateRequest& request,
                                         inference::TokenSink& /*sink*/,
                                         const CancelToken& /*cancel*/) override {
    const inference::ChatMessage& last = request.messages.back();
    if (last.role == inference::Role::kTool) {
      lines_.Say({{"text", last.content}});
    }
    const std::optional<Json> line = lines_.Next();
    if (!line.has_value() || !(line->contains("answer") || line->contains("call"))) {
      Die("a turn was left without an answer");
    }
    if (line->contains("answer")) {
      return inference::ModelReply{.content = StringMember(*line, "answer")};
    }
    fate_ = {.outcome = std::nullopt, .person = BoolMember(*line, "person")};
    if (const Json* wanted = FindMember(*line, "outcome")) {
      fate_.outcome = sandbox::Outcome{.kind = ParseOutcomeKind(StringMember(*wanted, "kind"))};
      const std::chrono::milliseconds wall(IntMember(*wanted, "wall_ms"));
      fate_.outcome->use = {.wall = wall, .cpu = wall};
      fate_.outcome->exit_code = static_cast<int>(IntMember(*wanted, "exit_code"));
    }
    return inference::ModelReply{
        .content =
            inference::EmittedCall{StringMember(*line, "call"), StringMember(*line, "arguments")}};
  }

 private:
  Lines& lines_;
  Fate& fate_;
};

// Files and folders of a new workspace.
void Furnish(const Json& world) {
  for (const fs::directory_entry& entry : fs::directory_iterator("/workspace")) {
    fs::remove_all(entry);
  }
  const auto each = [&world](const char* key, const auto& make) {
    if (const Json* table = FindMember(world, key)) {
      for (const auto& [path, value] : table->items()) {
        fs::create_directories(fs::path(path).parent_path().empty() ? fs::path(".")
                                                                    : fs::path(path).parent_path());
        make(path, value);
      }
    }
  };
  if (const Json* folders = FindMember(world, "directories")) {
    for (const Json& path : *folders) {
      fs::create_directories(path.get<std::string>());
    }
  }
  each("files",
       [](const std::string& path, const Json& text) { WriteText(path, text.get<std::string>()); });
  each("sizes", [](const std::string& path, const Json& bytes) {
    WriteText(path, "");
    fs::resize_file(path, bytes.get<uintmax_t>());
  });
  each("times", [](const std::string& path, const Json& seconds) {
    const timespec time{.tv_sec = seconds.get<time_t>(), .tv_nsec = 0};
    const timespec both[] = {time, time};
    DieUnless(::utimensat(AT_FDCWD, path.c_str(), both, 0) == 0, "date " + path);
  });
  // A clock that the seed sets, so that a conversation about the time can be made again.
  WriteText("/bin-local/date", "#!/bin/sh\nexec /usr/bin/date -u -d @" +
                                   std::to_string(IntMember(world, "now")) + " \"$@\"\n");
  fs::permissions("/bin-local/date", fs::perms(0755));
}

Json FilesNow() {
  Json files = Json::object();
  Json directories = Json::array();
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(".")) {
    const std::string path = entry.path().lexically_normal().string();
    if (entry.is_directory()) {
      directories.push_back(path);
    } else if (entry.is_regular_file()) {
      Json text = nullptr;
      if (entry.file_size() <= kShownFileBytes) {
        const std::string content = Need(ReadFile(path, kShownFileBytes));
        if (content.find('\0') == std::string::npos) {
          text = content;
        }
      }
      files[path] = std::move(text);
    }
  }
  std::sort(directories.begin(), directories.end());
  return {{"files", std::move(files)}, {"directories", std::move(directories)}};
}

class Play final {
 public:
  explicit Play(Lines& lines)
      : lines_(lines), person_(fate_), model_(lines, fate_), sandbox_(fate_) {
    Need(tools_.AddDirectory("/nacre/tools", true));
    database_ = Need(memory::SqliteSessionStore::Open("/state/notes.db"));
    store_.emplace(*database_);
  }

  void Perform(const Json& line) {
    if (const Json* world = FindMember(line, "world")) {
      Begin(*world);
    } else if (line.contains("user")) {
      if (driver_ == nullptr) {
        Die("a turn needs a world");
      }
      Need(driver_->RunTurn(StringMember(line, "user"), CancelToken()));
    } else if (line.contains("files")) {
      lines_.Say(FilesNow());
    } else {
      Die("not understood: " + DumpJson(line).substr(0, 200));
    }
  }

 private:
  void Begin(const Json& world) {
    driver_.reset();
    Furnish(world);
    store_->BeginWorld();
    if (const Json* notes = FindMember(world, "notes")) {
      for (const Json& note : *notes) {
        Need(store_->AddNote("/workspace", note.get<std::string>(), {}, UnixMillis(clock_.Now())));
      }
    }
    model_.context_tokens = static_cast<uint32_t>(IntMember(world, "context"));
    const agent::Services services{.engine = model_,
                                   .sandbox = sandbox_,
                                   .store = *store_,
                                   .log = log_,
                                   .tools = tools_,
                                   .clock = clock_,
                                   .random = random_,
                                   .approver = BoolMember(world, "person") ? &person_ : nullptr,
                                   .home = StringMember(world, "home"),
                                   .sandbox_summary = {}};
    const std::string policy = StringMember(world, "policy", "coding");
    driver_ = Need(agent::SessionDriver::Create(
        services, {"/workspace", "world", LoadedPolicy(policy)}, "play", sink_));
  }

  std::shared_ptr<const policy::Policy> LoadedPolicy(const std::string& text) {
    const bool document = text.find('\n') != std::string::npos;
    std::shared_ptr<const policy::Policy>& policy = policies_[text];
    if (policy == nullptr) {
      policy = Need(document ? policy::LoadPolicyText("world", text) : policy::LoadPolicy(text));
    }
    std::shared_ptr<const policy::Policy> loaded = policy;
    if (policy->grant.workspace == policy::WorkspaceMode::kTransactional) {
      // The workspace is a value here: there is no folder to commit to.
      policy::PolicyDocument played = *policy;
      played.grant.workspace = policy::WorkspaceMode::kDirect;
      loaded = policy::Policy::Compile(std::move(played));
    }
    if (document) {
      policies_.erase(text);  // of that world alone
    }
    return loaded;
  }

  Lines& lines_;
  Fate fate_;
  PlayedPerson person_;
  PlayedModel model_;
  PlayedSandbox sandbox_;
  CountingClock clock_;
  SystemRandom random_;
  NoLog log_;
  NoSink sink_;
  tools::Registry tools_;
  std::unique_ptr<memory::SqliteSessionStore> database_;
  std::optional<NotesOnly> store_;
  std::map<std::string, std::shared_ptr<const policy::Policy>> policies_;
  std::unique_ptr<agent::SessionDriver> driver_;
};

int Main(const std::string& tools) {
  EnterWorldRoot(fs::absolute(tools).string());
  // As the real sandbox has it.
  ::clearenv();
  for (const char* variable : {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp",
                               "LANG=C.UTF-8", "TERM=dumb"}) {
    ::putenv(const_cast<char*>(variable));  // kept, never written to
  }
  Lines lines;
  Play play(lines);
  lines.Say({{"ready", true}});
  while (const std::optional<Json> line = lines.Next()) {
    play.Perform(*line);
  }
  return 0;
}

}  // namespace
}  // namespace nacre::mini

// In the place of the library's: a tool's main() ends here, in this process.
int nacre::sdk::ToolMain(Tool& tool, int /*argc*/, char** /*argv*/) {
  mini::current_call->Answer(tool);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: nacre-mini-world BUILD_FOLDER/tools\n");
    return 2;
  }
  return nacre::mini::Main(argv[1]);
}
