// App: the composition root. The only place that names concrete classes, reads the real clock and
// knows where things lie on disk. Commands and the server ask it for what they need; each part is
// made when first asked for, so `nacre audit verify` never loads a model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "memory/session_store.h"
#include "policy/policy.h"
#include "runtime/agent/session_driver.h"
#include "runtime/audit/audit_log.h"
#include "runtime/inference/energy_meter.h"
#include "runtime/inference/engine.h"
#include "sandbox/sandbox.h"
#include "sandbox/workspace/transaction_log.h"
#include "tools/registry.h"

namespace nacre {

struct AppOptions {
  std::string
      state_directory;  // empty: $NACRE_STATE_DIR, $XDG_STATE_HOME/nacre, ~/.local/state/nacre
  std::string policy = "coding";  // a shipped profile or a file
  std::string tenant_policy;      // a file that narrows it; empty: none
  std::string workspace = ".";
  std::string model;       // a GGUF file; empty: the bundled one. With an engine URL: a name
  std::string engine_url;  // empty: the embedded engine
  std::vector<std::string> tool_directories;  // in addition to the built-in tools
  // Told what a person should know though all goes on; null: nobody is told.
  std::function<void(const std::string& text)> warn = nullptr;
};

// Where this copy of nacre keeps its parts: the build folder, or an installation's prefix.
struct InstallPaths {
  std::string engine_program;  // nacre-engine
  std::string zygote_program;  // nacre-zygote
  std::string guest_program;   // nacre-guest: in the tiers with a kernel of their own
  std::string tools;           // one sub-directory per built-in tool
  std::string bundled_model;   // nacre-mini.gguf
  std::string probes;          // the escape suite: nacre-probes and probes.json
};
InstallPaths FindInstallPaths();

// Thread-compatible while parts are being made; the parts have their own rules.
class App final {
 public:
  explicit App(AppOptions options);
  ~App();

  const AppOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  std::string database_path() const { return state_directory_ + "/nacre.db"; }
  std::string audit_directory() const { return state_directory_ + "/audit"; }
  const std::string& state_directory() const { return state_directory_; }
  // What a leading "~" of a call's path means: $HOME, or an empty text.
  static std::string Home();

  Result<memory::SessionStore*> Store();
  Result<audit::AuditLog*> Log();
  // For who may begin a log, while this lives: counts those in the store, and warns when there are some.
  audit::SessionCount SessionsBesideLog() const;
  // Of Log(), to be set before it is called first.
  void OnLogFailure(audit::OnLogFailure tell) { on_log_failure_ = std::move(tell); }
  // `warm`: as many sandboxes stand ready for each kind of call; 0 for a command that makes one call.
  Result<sandbox::Sandbox*> Sandbox(uint32_t warm = 0);
  // What calls did to their workspaces. The first time, what a crash left half-way is finished or taken
  // back, and recorded.
  Result<sandbox::TransactionLog*> Transactions();
  Result<inference::Engine*> Engine();
  Result<const tools::Registry*> Tools();

  // The workspace of the options: absolute, symlinks resolved, an existing directory.
  Result<std::string> Workspace() const;
  // A policy, with what this host adds to it: the policy file in use is protected and nacre's own
  // state is hidden when they lie inside the workspace.
  Result<std::shared_ptr<const policy::Policy>> Policy(const std::string& name,
                                                       const std::string& workspace);
  // The same in two steps, for who reads a policy again while sessions run.
  Result<std::shared_ptr<const policy::Policy>> LoadedPolicy(const std::string& name);
  Result<std::shared_ptr<const policy::Policy>> PolicyFor(const policy::Policy& loaded,
                                                          const std::string& name,
                                                          const std::string& workspace) const;

  // Everything a session needs, opened.
  Result<agent::Services> SessionServices(agent::Approver* approver);

 private:
  // Null, and why, where nothing counts what this engine uses.
  inference::EnergyMeter* Energy(const inference::Engine& engine, std::string* missing);

  AppOptions options_;
  std::string state_directory_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<memory::SessionStore> store_;
  audit::OnLogFailure on_log_failure_;
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<sandbox::TransactionLog> transactions_;
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::unique_ptr<inference::Engine> engine_;
  std::unique_ptr<inference::EnergyMeter> energy_;
  std::unique_ptr<tools::Registry> tools_;
  std::string sandbox_summary_;
  std::string sandbox_weaker_;
};

}  // namespace nacre
