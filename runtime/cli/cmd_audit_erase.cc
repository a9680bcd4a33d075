// nacre audit erase: the contents of a session, or of all sessions of a tenant, are gone from the log.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "memory/session_store.h"
#include "runtime/audit/content_erase.h"
#include "runtime/audit/content_keys.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/session_deletion.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct EraseFlags {
  std::string session;
  std::string tenant;
  std::string reason;
  bool everywhere = false;
};

// kNotFound when there is nothing of it. The caller holds the session's lease.
Result<OrderedJson> EraseSession(App& app, const EraseFlags& flags, const std::string& session) {
  auto erased = audit::EraseContents(ChangeOf(app), session, flags.reason);
  const bool none = !erased.ok() && erased.error().code == ErrorCode::kNotFound;
  if (!erased.ok() && !(flags.everywhere && none)) {
    return erased.error();
  }
  OrderedJson json = {{"session", session},
                      {"keys", erased.ok() ? erased.value() : std::vector<std::string>()}};
  if (flags.everywhere) {
    const Result<DeletedSession> deleted = DeleteSession(app, session, flags.reason);
    const bool gone = !deleted.ok() && deleted.error().code == ErrorCode::kNotFound;
    if (!deleted.ok() && !(gone && erased.ok())) {
      return deleted.error();
    }
    json["deleted"] = deleted.ok() ? ToJson(deleted.value()) : OrderedJson(nullptr);
  }
  return json;
}

void PrintErased(const OrderedJson& erased) {
  const std::string session = SafeLine(erased.at("session").get<std::string>(), 26);
  if (!erased.at("keys").empty()) {
    std::printf("erased: the contents of session %s in the log, and in every copy of it\n",
                session.c_str());
  }
  if (erased.contains("deleted")) {
    std::printf("deleted: session %s in the database, and what its calls left to be taken back\n",
                session.c_str());
  }
}

// Those that have contents under a key or, when all is to go, stand in the database.
Result<std::vector<std::string>> SessionsThere(App& app, memory::SessionStore& store,
                                               bool everywhere) {
  std::vector<std::string> sessions =
      NACRE_TRY(audit::ContentKeys(app.audit_directory()).Sessions());
  if (everywhere) {
    for (const memory::SessionRecord& session :
         NACRE_TRY(store.ListSessions(std::numeric_limits<int64_t>::max()))) {
      sessions.push_back(session.id);
    }
    std::sort(sessions.begin(), sessions.end());
    sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
  }
  return sessions;
}

// Of all of them, or of none: a hold or a session that runs is found before the first one goes.
Result<OrderedJson> EraseTenant(App& app, memory::SessionStore& store, const EraseFlags& flags) {
  const std::vector<std::string> there = NACRE_TRY(SessionsThere(app, store, flags.everywhere));
  std::vector<std::string> unknown;
  const std::vector<std::string> sessions =
      NACRE_TRY(audit::SessionsOfTenant(ChangeOf(app), flags.tenant, there, &unknown));
  if (sessions.empty()) {
    return Error{ErrorCode::kNotFound, "no session with anything to erase is of the tenant " +
                                           SafeLine(flags.tenant, 64) +
                                           "; nacre audit query --tenant shows its records"};
  }
  std::vector<std::unique_ptr<memory::SessionStore::Lease>> leases;
  for (const std::string& session : sessions) {
    leases.push_back(NACRE_TRY(store.LockSession(session)));
    NACRE_TRY(audit::CheckNotHeld(ChangeOf(app), session));
  }
  OrderedJson erased = OrderedJson::array();
  for (const std::string& session : sessions) {
    erased.push_back(NACRE_TRY(EraseSession(app, flags, session)));
  }
  return OrderedJson{{"tenant", flags.tenant}, {"sessions", erased}, {"unknown", unknown}};
}

int Erase(Globals& globals, const EraseFlags& flags) {
  if (flags.session.empty() == flags.tenant.empty()) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument, "say whose contents: --session ID or --tenant NAME"},
                kExitUsage);
  }
  if (flags.tenant.empty() && !IsUlid(flags.session)) {
    return Fail(globals,
                {ErrorCode::kInvalidArgument,
                 "name the session by its whole id: nacre session list shows it"},
                kExitUsage);
  }
  App app(globals.app);
  const Result<memory::SessionStore*> store = app.Store();
  if (!store.ok()) {
    return Fail(globals, store.error());
  }
  if (!flags.tenant.empty()) {
    const Result<OrderedJson> erased = EraseTenant(app, *store.value(), flags);
    if (!erased.ok()) {
      return FailBy(globals, erased.error());
    }
    if (globals.json) {
      std::printf("%s\n", DumpJson(erased.value()).c_str());
      return kExitOk;
    }
    for (const OrderedJson& session : erased.value().at("sessions")) {
      PrintErased(session);
    }
    for (const OrderedJson& session : erased.value().at("unknown")) {
      std::printf(
          "left: session %s, whose records were pruned, so nobody knows its tenant; "
          "--session erases it\n",
          SafeLine(session.get<std::string>(), 26).c_str());
    }
    return kExitOk;
  }
  // A session that runs would go on writing contents.
  const auto lease = store.value()->LockSession(flags.session);
  if (!lease.ok()) {
    return Fail(globals, lease.error(), kExitFailed);
  }
  const Result<OrderedJson> erased = EraseSession(app, flags, flags.session);
  if (!erased.ok()) {
    return FailBy(globals, erased.error());
  }
  if (globals.json) {
    std::printf("%s\n", DumpJson(erased.value()).c_str());
  } else {
    PrintErased(erased.value());
  }
  return kExitOk;
}

}  // namespace

void RegisterAuditErase(CLI::App& audit, Globals& globals) {
  CLI::App* erase = audit.add_subcommand(
      "erase",
      "Destroys the key of a session's contents: the texts are gone, the log still verifies");
  auto flags = std::make_shared<EraseFlags>();
  erase->add_option("--session", flags->session, "The whole id");
  erase->add_option("--tenant", flags->tenant,
                    "All sessions of this tenant, or none when one is held or runs");
  erase->add_option("--reason", flags->reason, "Why; it is recorded");
  erase->add_flag("--everywhere", flags->everywhere,
                  "Also deletes the session, as nacre session delete");
  AddJsonFlag(*erase, globals);
  erase->footer(
      "The session's texts in the database and what its calls left to be taken back are other "
      "files: --everywhere, or nacre session delete.\n"
      "Examples:\n  nacre audit erase --session 01K3V5T0Q4X6Z8B2D4F6H8J0M2 --reason 'asked for'\n"
      "  nacre audit erase --tenant acme --everywhere --reason 'the contract ended'");
  erase->callback([&globals, flags] { globals.exit_code = Erase(globals, *flags); });
}

}  // namespace nacre::cli
