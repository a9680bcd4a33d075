// What the commands of `nacre audit` share, and those that have a file of their own.
#pragma once

#include <cstdint>

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "runtime/audit/legal_hold.h"
#include "runtime/cli/command.h"

namespace nacre::cli {

// One line: the record with --json, else what a person looks for, safe for a terminal.
void PrintAuditRecord(const Globals& globals, uint64_t index, const Json& record);

// What `nacre audit prune`, `hold` and the like work on: this machine's log.
audit::LogChange ChangeOf(App& app);
// The directory of the log that a command reads: the copy in `offline`, else this machine's. kNotFound where nobody has
// recorded anything yet, kDataLoss when the copy is none.
Result<std::string> LogToRead(const App& app, const std::string& offline);
void AddOfflineFlag(CLI::App& command, std::string* offline);
// The id of the session that is `last`, or whose id begins so. kNotFound, kInvalidArgument when several do, kDataLoss
// when a record is not as it was signed.
Result<std::string> FindSession(App& app, const std::string& log, const std::string& which);
// Where the index of a log is.
std::string IndexOf(const App& app, const std::string& log);
// The exit code is that of the error's kind.
int FailBy(const Globals& globals, const Error& error);

// `nacre audit query`, `copy`, `export`, `rotate-key`, `anchor`, `plot`, `watch`, `prune` and `hold`, for RegisterAudit.
void RegisterAuditQuery(CLI::App& audit, Globals& globals);
void RegisterAuditCopy(CLI::App& audit, Globals& globals);
void RegisterAuditExport(CLI::App& audit, Globals& globals);
void RegisterAuditKey(CLI::App& audit, Globals& globals);
void RegisterAuditPlot(CLI::App& audit, Globals& globals);
void RegisterAuditWatch(CLI::App& audit, Globals& globals);
void RegisterAuditErase(CLI::App& audit, Globals& globals);
void RegisterAuditRetention(CLI::App& audit, Globals& globals);

}  // namespace nacre::cli
