// nacre audit erase: the contents of a session, or of all sessions of a tenant, are gone from the log.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
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

// kNotFound when there is nothing of it. After any other error the same call does what is left. The caller holds the
// session's lease.
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
      return erased.ok() ? WithContext("its contents are erased, and it stays in the database",
                                       deleted.error())
                         : deleted.error();
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

// `with_contents`, which is sorted, and those that stand in the database: one that runs may have no content yet.
Result<std::vector<std::string>> SessionsThere(memory::SessionStore& store,
                                               const std::vector<std::string>& with_contents) {
  std::vector<std::string> sessions = with_contents;
  for (const memory::SessionRecord& session :
       NACRE_TRY(store.ListSessions(std::numeric_limits<int64_t>::max()))) {
    sessions.push_back(session.id);
  }
  std::sort(sessions.begin(), sessions.end());
  sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
  return sessions;
}

// Of those whose records do not say it, what the database says; `unknown` are those of which neither does.
struct TenantsSessions {
  std::vector<std::string> own;  // sorted
  std::vector<std::string> unknown;
};

Result<TenantsSessions> FindOwn(App& app, memory::SessionStore& store, const std::string& tenant,
                                const std::vector<std::string>& sessions) {
  audit::TenantSessions found = NACRE_TRY(audit::SessionsOfTenant(ChangeOf(app), tenant, sessions));
  TenantsSessions known{.own = std::move(found.own), .unknown = {}};
  found.pruned.insert(found.pruned.end(), found.unnamed.begin(), found.unnamed.end());
  std::map<std::string, std::string> stored;
  for (memory::SessionRecord& session :
       NACRE_TRY(store.ListSessions(std::numeric_limits<int64_t>::max()))) {
    stored.emplace(std::move(session.id), std::move(session.tenant));
  }
  for (std::string& session : found.pruned) {
    const auto said = stored.find(session);
    if (said == stored.end() || said->second.empty()) {
      known.unknown.push_back(std::move(session));
    } else if (said->second == tenant) {
      known.own.push_back(std::move(session));
    }
  }
  std::sort(known.own.begin(), known.own.end());
  std::sort(known.unknown.begin(), known.unknown.end());
  return known;
}

// A lease of each session of a tenant is open at the same time, and the usual limit is 1,024. Beyond the hard one it says
// that there are too many.
void OpenAsManyFilesAsAllowed() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

// Nothing goes while one of them is held or runs, which is found before the first one goes. What is found later keeps
// only that session: the others go.
Result<OrderedJson> EraseTenant(App& app, memory::SessionStore& store, const EraseFlags& flags) {
  const audit::ContentKeys keys(app.audit_directory());
  const std::vector<std::string> known = NACRE_TRY(keys.Sessions());
  const std::vector<std::string> there = NACRE_TRY(SessionsThere(store, known));
  const TenantsSessions found = NACRE_TRY(FindOwn(app, store, flags.tenant, there));
  OpenAsManyFilesAsAllowed();
  std::vector<std::unique_ptr<memory::SessionStore::Lease>> leases;
  for (const std::string& session : found.own) {
    leases.push_back(NACRE_TRY(store.LockSession(session)));
  }
  // Now that none of them runs: one may have got its first content meanwhile.
  const std::vector<std::string> with_contents = NACRE_TRY(keys.Sessions());
  std::vector<std::string> sessions;
  for (const std::string& session : found.own) {
    if (flags.everywhere ||
        std::binary_search(with_contents.begin(), with_contents.end(), session)) {
      sessions.push_back(session);
      NACRE_TRY(audit::CheckNotHeld(ChangeOf(app), session));
    }
  }
  if (sessions.empty() && found.unknown.empty()) {
    return Error{ErrorCode::kNotFound, "no session with anything to erase is of the tenant " +
                                           SafeLine(flags.tenant, 64) +
                                           "; nacre audit query --tenant shows its records"};
  }
  OrderedJson erased = OrderedJson::array();
  OrderedJson left = OrderedJson::array();
  for (const std::string& session : sessions) {
    Result<OrderedJson> one = EraseSession(app, flags, session);
    if (one.ok()) {
      erased.push_back(std::move(one).value());
    } else {
      left.push_back({{"session", session}, {"reason", one.error().message}});
    }
  }
  return OrderedJson{
      {"tenant", flags.tenant}, {"sessions", erased}, {"left", left}, {"unknown", found.unknown}};
}

void PrintTenantErased(const OrderedJson& erased) {
  for (const OrderedJson& session : erased.at("sessions")) {
    PrintErased(session);
  }
  for (const OrderedJson& each : erased.at("left")) {
    std::printf("left: session %s: %s\n",
                SafeLine(each.at("session").get<std::string>(), 26).c_str(),
                SafeLine(each.at("reason").get<std::string>(), 300).c_str());
  }
  const OrderedJson& unknown = erased.at("unknown");
  if (!unknown.empty()) {
    std::printf(
        "left: %zu sessions of which nobody knows the tenant any more, as their records were "
        "pruned or are from before they said one; --session erases each:\n",
        unknown.size());
  }
  for (const OrderedJson& session : unknown) {
    std::printf("  %s\n", SafeLine(session.get<std::string>(), 26).c_str());
  }
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
      const bool runs = erased.error().code == ErrorCode::kUnavailable;
      return runs ? Fail(globals, erased.error(), kExitFailed) : FailBy(globals, erased.error());
    }
    if (globals.json) {
      PrintJson(erased.value());
    } else {
      PrintTenantErased(erased.value());
    }
    // One that nobody knows may be the tenant's.
    const bool done = !erased.value().at("sessions").empty() && erased.value().at("left").empty() &&
                      erased.value().at("unknown").empty();
    return done ? kExitOk : kExitFailed;
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
    PrintJson(erased.value());
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
  erase->add_option(
      "--tenant", flags->tenant,
      "All sessions of this tenant, or none when one is held or runs; exit code 1 when "
      "one had to be left");
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
