#include "runtime/app.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/regular_file.h"
#include "memory/sqlite_session_store.h"
#include "policy/path_glob.h"
#include "policy/policy_loader.h"
#include "runtime/agent/quarantine_tools.h"
#include "runtime/agent/stored_labels.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/record_format.h"
#include "runtime/inference/llama_engine.h"
#include "runtime/inference/openai_engine.h"
#include "sandbox/host_support.h"
#include "sandbox/tiered_sandbox.h"

namespace nacre {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Of each kind: calls of a session come one after the other, and the next is built meanwhile.
constexpr uint32_t kWarmSandboxes = 2;
constexpr size_t kRecoveredPathsMax = 20;

std::string DefaultStateDirectory() {
  if (std::string explicit_directory = Environment("NACRE_STATE_DIR");
      !explicit_directory.empty()) {
    return explicit_directory;
  }
  if (const std::string state_home = Environment("XDG_STATE_HOME"); !state_home.empty()) {
    return state_home + "/nacre";
  }
  const std::string home = App::Home();
  return (home.empty() ? "/var/lib" : home + "/.local/state") + "/nacre";
}

// "src/gen" for a path below `directory`, empty for any other.
std::string PathBelow(const std::string& path, const std::string& directory) {
  std::error_code ignored;
  const std::string relative =
      fs::weakly_canonical(path, ignored).lexically_relative(directory).string();
  const bool outside = relative == ".." || relative.starts_with("../");
  return relative == "." || outside ? std::string() : relative;
}

// A path as a glob that names just it: a '?' stands for each character that globs give a meaning.
std::string AsGlob(std::string path) {
  std::replace_if(
      path.begin(), path.end(),
      [](char c) { return std::string_view("*?[]\\{}!").find(c) != std::string_view::npos; }, '?');
  return path;
}

Status MakeStateDirectory(const std::string& path) {
  const Status made = MakeDirectories(path);
  if (made.ok()) {
    return made;
  }
  return Error{made.error().code,
               made.error().message +
                   "; choose another state directory with --state DIR or NACRE_STATE_DIR"};
}

bool IsShipped(std::string name) {
  if (name.starts_with("builtin/")) {
    name.erase(0, 8);
  }
  const std::vector<std::string> shipped = policy::ShippedProfiles();
  return std::find(shipped.begin(), shipped.end(), name) != shipped.end();
}

// The files that a policy was read from: its own, and the siblings that it extends.
std::vector<std::string> PolicyFiles(const std::string& name, const policy::Policy& policy) {
  std::vector<std::string> files;
  if (IsShipped(name)) {
    return files;
  }
  files.push_back(name);
  for (const std::string& layer : policy.layers) {
    if (!IsShipped(layer)) {
      files.push_back((fs::path(name).parent_path() / fs::path(layer).filename()).string());
    }
  }
  return files;
}

}  // namespace

InstallPaths FindInstallPaths() {
  std::error_code ignored;
  const fs::path directory = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  if (fs::exists(directory / "nacre-engine", ignored)) {  // a build folder
    return {directory / "nacre-engine", directory / "nacre-zygote", directory / "nacre-guest",
            directory / "tools",        NACRE_SOURCE_MODEL,         directory / "probes"};
  }
  const fs::path prefix = directory.parent_path();
  return {prefix / "libexec/nacre/nacre-engine",  prefix / "libexec/nacre/nacre-zygote",
          prefix / "libexec/nacre/nacre-guest",   prefix / "libexec/nacre/tools",
          prefix / "share/nacre/nacre-mini.gguf", prefix / "libexec/nacre/probes"};
}

App::App(AppOptions options)
    : options_(std::move(options)),
      state_directory_(options_.state_directory.empty() ? DefaultStateDirectory()
                                                        : options_.state_directory) {
  // A session remembers its policy by name: a relative one would mean another file elsewhere.
  if (!IsShipped(options_.policy)) {
    std::error_code ignored;
    options_.policy = fs::absolute(options_.policy, ignored).lexically_normal();
  }
}

App::~App() = default;

std::string App::Home() {
  return Environment("HOME");
}

Result<memory::SessionStore*> App::Store() {
  if (store_ == nullptr) {
    NACRE_TRY(MakeStateDirectory(state_directory_));
    store_ = NACRE_TRY(memory::SqliteSessionStore::Open(database_path()));
  }
  return store_.get();
}

Result<audit::AuditLog*> App::Log() {
  if (log_ == nullptr) {
    NACRE_TRY(MakeStateDirectory(state_directory_));
    std::unique_ptr<audit::AuditLog> log =
        NACRE_TRY(audit::OpenAuditLog(audit_directory(), clock_, random_, audit::DiskStorage(),
                                      SessionsBesideLog(), on_log_failure_));
    log_ = audit::SealingLog(std::move(log), audit_directory(), random_, audit::DiskStorage(),
                             on_log_failure_);
  }
  return log_.get();
}

audit::SessionCount App::SessionsBesideLog() const {
  return [this]() -> Result<uint64_t> {
    const uint64_t sessions = NACRE_TRY(memory::SqliteSessionStore::CountSessions(database_path()));
    if (sessions > 0 && options_.warn != nullptr) {
      options_.warn("a new audit log begins beside " + audit::SessionsWithoutRecords(sessions) +
                    "; its first record says so");
    }
    return sessions;
  };
}

Result<sandbox::Sandbox*> App::Sandbox(uint32_t warm) {
  if (sandbox_ == nullptr) {
    const InstallPaths paths = FindInstallPaths();
    std::unique_ptr<sandbox::TieredSandbox> tiers = NACRE_TRY(sandbox::TieredSandbox::Create(
        paths.guest_program,
        {.zygote_program = warm > 0 ? paths.zygote_program : "", .slots = warm}));
    const sandbox::HostSupport& host = tiers->kernel().host();
    sandbox_summary_ = host.namespaces ? "userns+mount+pid+net+ipc+uts+cgroup" : "no namespaces";
    sandbox_summary_ += host.time_namespace ? "+time" : "";
    sandbox_summary_ += host.seccomp ? ", seccomp" : ", no seccomp";
    sandbox_summary_ += host.landlock_abi > 0
                            ? ", Landlock ABI " + std::to_string(host.landlock_abi)
                            : ", no Landlock";
    sandbox_summary_ +=
        host.cgroup.version == sandbox::kernel::CgroupVersion::kNone
            ? ", no cgroup"
            : std::string(", cgroup ") + sandbox::kernel::CgroupVersionName(host.cgroup.version);
    for (const sandbox::HostLayer& layer : host.layers) {
      if (layer.state == sandbox::LayerState::kWeaker) {
        sandbox_weaker_ += (sandbox_weaker_.empty() ? "" : "; ") + layer.name + ": " +
                           layer.detail + "; to mend it: " + layer.advice;
      }
    }
    sandbox_ = std::move(tiers);
  }
  return sandbox_.get();
}

Result<sandbox::TransactionLog*> App::Transactions() {
  if (transactions_ == nullptr) {
    audit::AuditLog* log = NACRE_TRY(Log());
    memory::SessionStore* store = NACRE_TRY(Store());
    sandbox::TransactionLog::Options options;
    options.before_recovery = [store](const sandbox::JournalHeader& header) {
      return agent::BeforeRecovery(store->file_labels(), header);
    };
    std::unique_ptr<sandbox::TransactionLog> opened = NACRE_TRY(
        sandbox::TransactionLog::Open(state_directory_ + "/transactions", std::move(options)));
    static constexpr const char* kEnds[] = {"committed", "taken back", "waiting"};
    for (const sandbox::Recovered& each : NACRE_TRY(opened->Recover(UnixMillis(clock_.Now())))) {
      const auto named = [](const std::vector<sandbox::Conflict>& all) {
        Json list = audit::RecordList(all.size(), kRecoveredPathsMax, [&](size_t i) {
          return Json(sandbox::EncodePath(all[i].path) + " " + all[i].reason);
        });
        if (list.size() < all.size()) {
          list.push_back("and " + std::to_string(all.size() - list.size()) + " more");
        }
        return list;
      };
      NACRE_TRY(log->Append({"workspace.recovered",
                             {},
                             {},
                             each.id,
                             {},
                             {{"end", kEnds[static_cast<size_t>(each.end)]},
                              {"conflicts", named(each.conflicts)},
                              {"misowned", named(each.misowned)},
                              {"problem", each.problem}}}));
    }
    transactions_ = std::move(opened);
  }
  return transactions_.get();
}

Result<inference::Engine*> App::Engine() {
  if (engine_ == nullptr) {
    if (!options_.engine_url.empty()) {
      engine_ = NACRE_TRY(
          inference::OpenAiEngine::Create({.url = options_.engine_url,
                                           .model = options_.model,
                                           .api_key = Environment(inference::kApiKeyVariable)}));
    } else {
      const InstallPaths paths = FindInstallPaths();
      engine_ = NACRE_TRY(inference::LlamaEngine::Create(
          {.worker_program = paths.engine_program,
           .model_path = options_.model.empty() ? paths.bundled_model : options_.model}));
    }
  }
  return engine_.get();
}

Result<const tools::Registry*> App::Tools() {
  if (tools_ == nullptr) {
    auto registry = std::make_unique<tools::Registry>();
    NACRE_TRY(registry->AddDirectory(FindInstallPaths().tools, true));
    for (tools::Manifest& tool : agent::QuarantineTools()) {
      NACRE_TRY(registry->Add(std::move(tool)));
    }
    for (const std::string& directory : options_.tool_directories) {
      std::error_code ignored;
      NACRE_TRY(registry->AddDirectory(fs::absolute(directory, ignored).lexically_normal(), false));
    }
    tools_ = std::move(registry);
  }
  return tools_.get();
}

Result<std::string> App::Workspace() const {
  std::error_code error;
  const fs::path path = fs::canonical(options_.workspace, error);
  if (error) {
    return Error{ErrorCode::kNotFound, "workspace " + options_.workspace + ": " + error.message() +
                                           "; name an existing folder with --workspace"};
  }
  if (!fs::is_directory(path, error)) {
    return Error{ErrorCode::kInvalidArgument, "workspace " + path.string() + " is not a folder"};
  }
  if (path == "/") {
    return Error{ErrorCode::kInvalidArgument,
                 "the whole file system cannot be a workspace; name a folder with --workspace"};
  }
  if (::access(path.c_str(), R_OK | X_OK) != 0) {
    return Error{ErrorCode::kPermissionDenied, "workspace " + path.string() + ": " +
                                                   std::strerror(errno) + " for uid " +
                                                   std::to_string(::geteuid()) +
                                                   "; name a folder that you may read, or change "
                                                   "its permissions"};
  }
  return path.string();
}

Result<std::shared_ptr<const policy::Policy>> App::Policy(const std::string& name,
                                                          const std::string& workspace) {
  const std::shared_ptr<const policy::Policy> loaded = NACRE_TRY(LoadedPolicy(name));
  return PolicyFor(*loaded, name, workspace);
}

Result<std::shared_ptr<const policy::Policy>> App::LoadedPolicy(const std::string& name) {
  const tools::Registry* registry = NACRE_TRY(Tools());
  policy::LoadOptions load;
  for (const tools::Manifest& tool : registry->all()) {
    load.tools.emplace_back(tool.name, Json(tool.parameters));
  }
  if (!options_.tenant_policy.empty()) {
    constexpr size_t kTenantPolicyBytesMax = 32U << 20;
    Result<std::string> text =
        ReadRegularFile(options_.tenant_policy, kTenantPolicyBytesMax, Links::kFollow);
    if (!text.ok()) {
      return WithContext("tenant policy", text.error());
    }
    load.tenant = {options_.tenant_policy, std::move(text).value()};
  }
  return policy::LoadPolicy(name, load);
}

Result<std::shared_ptr<const policy::Policy>> App::PolicyFor(const policy::Policy& loaded,
                                                             const std::string& name,
                                                             const std::string& workspace) const {
  policy::PolicyDocument effective = loaded;
  std::vector<std::string>& protect = effective.grant.protect;
  std::vector<std::string> files = PolicyFiles(name, loaded);
  if (!options_.tenant_policy.empty()) {
    files.push_back(options_.tenant_policy);
  }
  std::error_code ignored;
  for (const std::string& file : files) {
    // Both by the name that was given, which may be a symlink, and by the file that it leads to.
    const std::string given =
        fs::absolute(file, ignored).lexically_normal().lexically_relative(workspace).string();
    for (const std::string& below : {PathBelow(file, workspace), given}) {
      const std::string glob = AsGlob(below);
      if (below.empty() || below == ".." || below.starts_with("../") ||
          std::find(protect.begin(), protect.end(), glob) != protect.end()) {
        continue;
      }
      protect.push_back(glob);
      effective.protect_sources.emplace_back();  // the host's own rule: it stands in no file
      if (policy::GlobProblem(glob).has_value()) {
        return Error{ErrorCode::kInvalidArgument,
                     "the policy file " + file +
                         " lies in the workspace under a name that cannot be protected; "
                         "move it out of " +
                         workspace};
      }
    }
  }
  if (const std::string below = PathBelow(state_directory_, workspace); !below.empty()) {
    effective.grant.hide.push_back(AsGlob(below) + "/**");
    effective.hide_sources.emplace_back();
  }
  const std::string state = fs::weakly_canonical(state_directory_, ignored);
  if (workspace == state || !PathBelow(workspace, state).empty()) {
    return Error{ErrorCode::kInvalidArgument, "the workspace " + workspace +
                                                  " lies in nacre's own state directory " + state +
                                                  "; choose another --workspace or --state"};
  }
  return policy::Policy::Compile(std::move(effective));
}

Result<agent::Services> App::SessionServices(agent::Approver* approver) {
  // First, before threads and the engine exist: it starts the zygote.
  sandbox::Sandbox* sandbox = NACRE_TRY(Sandbox(kWarmSandboxes));
  memory::SessionStore* store = NACRE_TRY(Store());
  audit::AuditLog* log = NACRE_TRY(Log());
  const tools::Registry* registry = NACRE_TRY(Tools());
  sandbox::TransactionLog* transactions = NACRE_TRY(Transactions());
  inference::Engine* engine = NACRE_TRY(Engine());
  std::string no_energy;
  inference::EnergyMeter* energy = Energy(*engine, &no_energy);
  return agent::Services{.engine = *engine,
                         .sandbox = *sandbox,
                         .store = *store,
                         .log = *log,
                         .tools = *registry,
                         .clock = clock_,
                         .random = random_,
                         .approver = approver,
                         .home = Home(),
                         .sandbox_summary = sandbox_summary_,
                         .sandbox_weaker = sandbox_weaker_,
                         .transactions = transactions,
                         .energy = energy,
                         .no_energy = no_energy};
}

inference::EnergyMeter* App::Energy(const inference::Engine& engine, std::string* missing) {
  if (!engine.Info().on_processors) {
    *missing = "the engine does not compute on this machine's processors alone";
    return nullptr;
  }
  if (energy_ == nullptr) {
    Result<std::unique_ptr<inference::EnergyMeter>> meter = inference::EnergyMeter::Open();
    if (!meter.ok()) {
      *missing = meter.error().message;
      return nullptr;
    }
    energy_ = std::move(meter).value();
  }
  return energy_.get();
}

}  // namespace nacre
