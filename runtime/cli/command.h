// One command per file; main.cc registers them. A command parses its flags with CLI11, does its
// work, and answers the process's exit code.
//
// Exit codes, stable: 0 done · 1 what was asked for did not succeed (a failed turn, an invalid
// policy) · 2 wrong usage, or an audit log that does not verify · 3 the runtime could not do its job (unwritable
// state, no engine, no sandbox) · 130 cancelled.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "base/cancel_token.h"
#include "base/json.h"
#include "base/result.h"
#include "runtime/app.h"

namespace nacre::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitTampered = 2;
inline constexpr int kExitBroken = 3;
inline constexpr int kExitCancelled = 130;

// What every command shares: the state directory, --json, and where the exit code goes.
struct Globals {
  AppOptions app;
  bool json = false;
  int exit_code = kExitOk;
};

void RegisterRun(CLI::App& root, Globals& globals);
void RegisterServe(CLI::App& root, Globals& globals);
void RegisterApproval(CLI::App& root, Globals& globals);
void RegisterSession(CLI::App& root, Globals& globals);
void RegisterCall(CLI::App& root, Globals& globals);
void RegisterPolicy(CLI::App& root, Globals& globals);
// `nacre policy diff`, `import`, `reference`, `schema` and `replay`, for RegisterPolicy.
void RegisterPolicyDiff(CLI::App& policy, Globals& globals);
void RegisterPolicyImport(CLI::App& policy, Globals& globals);
void RegisterPolicyLanguage(CLI::App& policy, Globals& globals);
void RegisterPolicyReplay(CLI::App& policy, Globals& globals);
// `nacre policy redteam`, for RegisterPolicy.
void RegisterRedteam(CLI::App& policy, Globals& globals);
void RegisterAudit(CLI::App& root, Globals& globals);
void RegisterSandbox(CLI::App& root, Globals& globals);
// `nacre sandbox profile`, for RegisterSandbox.
void RegisterSandboxProfile(CLI::App& sandbox, Globals& globals);
void RegisterWorkspace(CLI::App& root, Globals& globals);
void RegisterTool(CLI::App& root, Globals& globals);
void RegisterSelftest(CLI::App& root, Globals& globals);
void RegisterDoctor(CLI::App& root, Globals& globals);

// Flags that several commands have. Their values land in globals.app.
void AddJsonFlag(CLI::App& command, Globals& globals);
void AddPolicyFlag(CLI::App& command, Globals& globals);
void AddTenantFlag(CLI::App& command, Globals& globals);  // a part of AddPolicyFlag
void AddWorkspaceFlag(CLI::App& command, Globals& globals);
void AddEngineFlags(CLI::App& command, Globals& globals);
void AddToolFlag(CLI::App& command, Globals& globals);

// One line on standard output, in ASCII: what is in it may be hostile, and a pipe may end at a terminal.
void PrintJson(const Json& value);
void PrintJson(const OrderedJson& value);

// Prints "nacre: MESSAGE" to standard error, or {"error": ...} to standard output with --json.
int Fail(const Globals& globals, const Error& error, int exit_code = kExitBroken);

// Cancelled by the first SIGINT or SIGTERM; the second ends the process at once. One per process.
CancelToken CancelOnSignal();
// Cancels that token, as a signal would. Thread-safe; nothing before CancelOnSignal().
void CancelFromWithin();

}  // namespace nacre::cli
