#include "policy/internal/language.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/result.h"
#include "policy/internal/data_reader.h"
#include "policy/quarantine.h"

namespace nacre::policy {
namespace {

using Type = Field::Type;
using Many = Field::Many;
using Narrower = Field::Narrower;

constexpr int64_t kKiB = 1LL << 10;
constexpr int64_t kMiB = 1LL << 20;
constexpr int64_t kTiB = 1LL << 40;
constexpr int64_t kSecond = 1000;  // in milliseconds
constexpr int64_t kHour = 3600 * kSecond;

class Table {
 public:
  // The fields that follow stand in this map.
  void Map(std::string name) { map_ = std::move(name); }
  void Add(Field field) {
    field.map = map_;
    fields_.push_back(std::move(field));
  }
  std::vector<Field> Take() { return std::move(fields_); }

 private:
  std::string map_;
  std::vector<Field> fields_;
};

std::vector<std::string> Without(std::vector<std::string> names, const std::string& name) {
  names.erase(std::remove(names.begin(), names.end(), name), names.end());
  return names;
}

void AddDocument(Table& table) {
  table.Map("");
  table.Add({.key = "nacre",
             .type = Type::kVersion,
             .choices = {"policy/1"},
             .required = true,
             .meaning = "the version of the language"});
  table.Add({.key = "name",
             .type = Type::kIdentifier,
             .required = true,
             .meaning = "what the policy is called"});
  table.Add({.key = "extends",
             .type = Type::kText,
             .many = Many::kList,
             .items_max = kExtendsMax,
             .maximum = kNameBytesMax,
             .meaning = "shipped profiles (`builtin/base`) and files of the same folder that this "
                        "one is put upon: see [layers](#layers)"});
  table.Add({.key = "workspace",
             .type = Type::kMap,
             .inner = "workspace",
             .meaning = "which files calls see and may change"});
  table.Add({.key = "sandbox",
             .type = Type::kMap,
             .inner = "sandbox",
             .meaning = "what each call runs in"});
  table.Add({.key = "tools",
             .type = Type::kMap,
             .many = Many::kList,
             .items_max = kLayerRulesMax,
             .inner = "rule",
             .meaning = "rules: which calls are allowed, asked for or denied"});
  table.Add({.key = "narrow",
             .type = Type::kMap,
             .many = Many::kList,
             .items_max = kLayerRulesMax,
             .inner = "rule",
             .meaning =
                 "rules that ask or deny, and hold only for calls that `tools` allows or asks "
                 "for: none of them lets anything through. Decisions name them `narrow.ID`"});
  table.Add({.key = "data",
             .type = Type::kMap,
             .inner = "data",
             .meaning = "what data is, and where it may go"});
  table.Add({.key = "budgets",
             .type = Type::kMap,
             .inner = "budgets",
             .meaning = "how much may be used up"});
  table.Add({.key = "audit", .type = Type::kMap, .inner = "audit", .meaning = "what is recorded"});
  table.Add({.key = "network", .meaning = "which hosts calls reach"});
  table.Add({.key = "inference", .meaning = "which engine sees what"});
}

void AddWorkspace(Table& table) {
  table.Map("workspace");
  table.Add({.key = "mode",
             .type = Type::kChoice,
             .choices = {"none", "read-only", "transactional", "direct"},
             .initial = "none",
             .narrower = Narrower::kEarlier,
             .meaning = "see [the workspace's modes](#the-workspaces-modes)"});
  table.Add({.key = "hide",
             .type = Type::kGlob,
             .many = Many::kList,
             .items_max = kGlobsMax,
             .maximum = kNameBytesMax,
             .meaning = "read as if they were not there, with all below them"});
  table.Add({.key = "protect",
             .type = Type::kGlob,
             .many = Many::kList,
             .items_max = kGlobsMax,
             .maximum = kNameBytesMax,
             .meaning = "readable, never writable, with all below them"});
  table.Add({.key = "commit",
             .type = Type::kMap,
             .inner = "workspace.commit",
             .meaning = "what one call may change in a transactional workspace"});

  table.Map("workspace.commit");
  table.Add({.key = "changes",
             .type = Type::kInteger,
             .minimum = 1,
             .maximum = 65536,
             .initial = "10000",
             .narrower = Narrower::kSmaller,
             .meaning = "most paths that a call may change"});
  table.Add({.key = "bytes",
             .type = Type::kSize,
             .minimum = kKiB,
             .maximum = kTiB,
             .initial = "256MiB",
             .narrower = Narrower::kSmaller,
             .meaning = "most bytes of files that a call may write and replace"});
  table.Add({.key = "executables",
             .type = Type::kChoice,
             .choices = {"allow", "deny"},
             .initial = "allow",
             .narrower = Narrower::kLater,
             .meaning = "may a call leave files that it made executable"});
  table.Add({.key = "links",
             .type = Type::kChoice,
             .choices = {"allow", "inside", "deny"},
             .initial = "inside",
             .narrower = Narrower::kLater,
             .meaning = "which symlinks may a call leave; `inside` the workspace, by their text"});
}

void AddSandbox(Table& table) {
  table.Map("sandbox");
  // From the narrowest; network-client stands beside shell and build (see settings.cc).
  table.Add({.key = "profile",
             .type = Type::kChoice,
             .choices = {"pure", "default", "shell", "build", "network-client"},
             .initial = "default",
             .narrower = Narrower::kEarlier,
             .meaning = "which system calls: see [sandbox profiles](#sandbox-profiles)"});
  table.Add({.key = "isolation",
             .type = Type::kChoice,
             .choices = {"namespace", "gvisor", "microvm"},
             .initial = "namespace",
             .narrower = Narrower::kLater,
             .meaning = "whose kernel: see [isolation](#isolation)"});
  table.Add({.key = "share_network",
             .type = Type::kBoolean,
             .initial = "false",
             .narrower = Narrower::kSmaller,
             .meaning = "the calls of a session share one network namespace, which is empty: see "
                        "[one network](#one-network-for-a-session)"});
  table.Add({.key = "limits",
             .type = Type::kMap,
             .inner = "sandbox.limits",
             .meaning = "what one call may use"});
  table.Add({.key = "require",
             .type = Type::kMap,
             .inner = "sandbox.require",
             .meaning = "layers of the sandbox without which a call stops: see "
                        "[exceptions](#exceptions)"});

  table.Map("sandbox.limits");
  const auto limit = [&](const char* key, Type type, int64_t minimum, int64_t maximum,
                         const char* initial, const char* meaning) {
    table.Add({.key = key,
               .type = type,
               .minimum = minimum,
               .maximum = maximum,
               .initial = initial,
               .narrower = Narrower::kSmaller,
               .meaning = meaning});
  };
  limit("wall", Type::kDuration, 10, kHour, "30s", "time");
  limit("cpu", Type::kSeconds, kSecond, kHour, "10s", "processor time of all its processes");
  limit("memory", Type::kSize, 8 * kMiB, kTiB, "512MiB", "memory of all its processes");
  limit("tasks", Type::kInteger, 1, 4096, "64", "processes and threads");
  limit("files", Type::kInteger, 16, 65'536, "256", "open files of each process");
  limit("output", Type::kSize, kKiB, 64 * kMiB, "1MiB", "standard output and error, each");
  limit("disk", Type::kSize, kMiB, kTiB, "256MiB",
        "what it writes; to a `direct` workspace each file, not all of them");
  limit(
      "inodes", Type::kInteger, 16, 1 << 24, "65536",
      "files, folders and links that it makes, but for those in a `direct` workspace; in `gvisor` "
      "those in a transactional workspace only");

  table.Map("sandbox.require");
  table.Add({.key = "landlock",
             .type = Type::kInteger,
             .minimum = 0,
             .maximum = 100,
             .initial = "1",
             .narrower = Narrower::kGreater,
             .meaning = "the least Landlock ABI of the kernel; `0` is an exception"});
  table.Add({.key = "cgroup",
             .type = Type::kBoolean,
             .initial = "true",
             .narrower = Narrower::kGreater,
             .meaning = "a cgroup of its own; `false` is an exception, made by the shipped "
                        "policies"});
  table.Add({.key = "id_maps",
             .type = Type::kBoolean,
             .initial = "true",
             .narrower = Narrower::kGreater,
             .meaning = "as root, a call does not run as root; `false` is an exception, made by "
                        "the shipped policies"});
  table.Add({.key = "kvm",
             .type = Type::kBoolean,
             .initial = "true",
             .narrower = Narrower::kGreater,
             .meaning = "in `microvm`: the processor's own virtualisation, not an emulated "
                        "processor; `false` is an exception"});
}

void AddRule(Table& table) {
  table.Map("rule");
  table.Add({.key = "id",
             .type = Type::kIdentifier,
             .required = true,
             .meaning = "unique among all layers; decisions name it `tools.ID`"});
  table.Add({.key = "reason",
             .type = Type::kReason,
             .required = true,
             .meaning = "what people and the model are told"});
  table.Add({.key = "tool",
             .type = Type::kTool,
             .many = Many::kOneOrMore,
             .items_max = kToolsMax,
             .maximum = kMatcherTextBytesMax,
             .required = true,
             .meaning = "`fs.*` is every tool whose name begins with `fs.`, `\"*\"` every tool"});
  table.Add({.key = "args",
             .type = Type::kArguments,
             .items_max = kArgumentsMax,
             .inner = "matcher",
             .meaning = "conditions, all of which must hold: see [arguments and "
                        "matchers](#arguments-and-matchers)"});
  table.Add({.key = "decision",
             .type = Type::kChoice,
             .choices = {"allow", "ask", "deny"},
             .required = true,
             .meaning = "what such a call is answered"});
  table.Add(
      {.key = "approvers",
       .type = Type::kMap,
       .inner = "approvers",
       .meaning = "of `ask`: who may say yes, and for how long: see [approvals](#approvals)"});

  table.Map("approvers");
  table.Add(
      {.key = "users",
       .type = Type::kAccount,
       .many = Many::kOneOrMore,
       .items_max = kApproversMax,
       .maximum = kAccountBytesMax,
       .meaning =
           "accounts of the host whose yes counts; absent, and no `role`: whoever runs nacre"});
  table.Add({.key = "expires",
             .type = Type::kDuration,
             .minimum = kSecond,
             .maximum = 24 * kHour,
             .initial = "15m",
             .meaning = "a yes that comes later counts as no"});
  table.Add({.key = "role",
             .type = Type::kAccount,
             .maximum = kAccountBytesMax,
             .meaning = "a group of the host whose members are meant too: `operator`"});
  table.Add({.key = "count",
             .type = Type::kInteger,
             .minimum = 1,
             .maximum = kApproversMax,
             .initial = "1",
             .meaning = "how many of them must say yes. More than one can be asked through "
                        "[`nacre serve`](#approvals) only"});

  table.Map("matcher");
  const auto list = [&](const char* key, Type type, const char* meaning) {
    table.Add({.key = key,
               .type = type,
               .many = Many::kList,
               .items_max = kChoicesMax,
               .maximum = kMatcherTextBytesMax,
               .meaning = meaning});
  };
  const auto text = [&](const char* key, Type type, const char* meaning) {
    table.Add({.key = key, .type = type, .maximum = kMatcherTextBytesMax, .meaning = meaning});
  };
  text("equals", Type::kValue,
       "this value and type: `3` is not `\"3\"`. A value in place of the matcher means the same: "
       "`argv[0]: find`");
  list("one_of", Type::kValue, "one of these values");
  text("matches", Type::kRegex,
       "a text of which the whole matches, `.` being a line break too: "
       "`'[^@]+@example\\.com'`");
  text("glob", Type::kGlob, "a text or path that this [glob](#globs) matches: `\"src/**/*.c\"`");
  text("under", Type::kSandboxPath,
       "this folder and what is below it, by whole segments: `/workspace/src`, not "
       "`/workspace/src2`");
  list("host_in", Type::kHost,
       "a URL, `host:port` or host of which the host is one of these: `[api.example.com, "
       "\"*.example.org\"]`");
  table.Add({.key = "max_length",
             .type = Type::kInteger,
             .minimum = 0,
             .maximum = INT32_MAX,
             .meaning = "a text of at most so many bytes"});
  table.Add({.key = "max_items",
             .type = Type::kInteger,
             .minimum = 0,
             .maximum = INT32_MAX,
             .meaning = "a list of at most so many elements"});
  table.Add({.key = "range",
             .type = Type::kRange,
             .minimum = INT64_MIN,
             .maximum = INT64_MAX,
             .meaning = "a number between the two, both included: `[1, 100]`"});
  table.Add({.key = "not",
             .type = Type::kMap,
             .inner = "matcher",
             .meaning = "an argument that is there, of the right type, and does not meet the one "
                        "matcher inside: `{not: {one_of: [-delete, -exec]}}`"});
}

void AddSources(Table& table) {
  table.Map("data");
  table.Add({.key = "unlisted",
             .type = Type::kChoice,
             .choices = {"trusted", "untrusted"},
             .initial = "untrusted",
             .meaning = "results that neither a source nor the tool's manifest speaks of"});
  table.Add({.key = "sources",
             .type = Type::kMap,
             .many = Many::kList,
             .items_max = kDataEntriesMax,
             .inner = "source",
             .meaning = "which data, and what it is"});
  table.Add({.key = "flows",
             .type = Type::kMap,
             .many = Many::kList,
             .items_max = kDataEntriesMax,
             .inner = "flow",
             .meaning = "what may not follow"});
  table.Add({.key = "quarantine",
             .type = Type::kMap,
             .inner = "data.quarantine",
             .meaning = "results that are not shown to the model: see [quarantine](#quarantine)"});

  table.Map("data.quarantine");
  table.Add({.key = "integrity",
             .type = Type::kChoice,
             .choices = {"untrusted"},
             .required = true,
             .meaning = "what is withheld: results of which any part has this label"});
  table.Add({.key = "extract",
             .type = Type::kChoice,
             .many = Many::kList,
             .items_max = kDataNamesMax,
             .choices = ExtractTypes(),
             .meaning = "types of which `data.extract` may tell a value; absent: all of them; "
                        "`[]`: none"});

  table.Map("source");
  table.Add({.key = "tool",
             .type = Type::kTool,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .maximum = kMatcherTextBytesMax,
             .meaning = "results of these tools"});
  table.Add({.key = "path",
             .type = Type::kSandboxGlob,
             .maximum = kNameBytesMax,
             .meaning = "a glob over the call's path arguments, absolute as tools see them: "
                        "`/workspace/customers/**`. Folders that hold such paths count as well, "
                        "but a source that says `trusted` must cover all that is read; a `**` "
                        "before a name makes every path below one that may hold it"});
  table.Add({.key = "host",
             .type = Type::kHost,
             .maximum = kNameBytesMax,
             .meaning = "the host of an argument with the role `url`: `api.example.com`, "
                        "`\"*.example.com\"`"});
  table.Add(
      {.key = "memory", .type = Type::kBoolean, .meaning = "`true`: what the agent kept as notes"});
  table.Add({.key = "user", .type = Type::kBoolean, .meaning = "`true`: the user's own words"});
  table.Add({.key = "integrity",
             .type = Type::kChoice,
             .choices = {"trusted", "untrusted"},
             .meaning = "`untrusted` wins where several sources match, and over the manifest"});
  table.Add({.key = "confidentiality",
             .type = Type::kChoice,
             .choices = ConfidentialityNames(),
             .meaning = "the most private one that matches; `public` is what no source speaks of, "
                        "and is not written"});
  table.Add({.key = "categories",
             .type = Type::kCategory,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .maximum = kNameBytesMax,
             .meaning = "names of your own: `pii`, `customer:acme`"});
}

void AddFlows(Table& table) {
  table.Map("flow");
  table.Add({.key = "id",
             .type = Type::kIdentifier,
             .required = true,
             .meaning = "unique among all layers; decisions name it `data.ID`"});
  table.Add({.key = "reason",
             .type = Type::kReason,
             .required = true,
             .meaning = "what people and the model are told, with what was found"});
  table.Add({.key = "when",
             .type = Type::kMap,
             .required = true,
             .inner = "flow.when",
             .meaning = "all that are given must hold"});
  table.Add({.key = "to",
             .type = Type::kFlowTo,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .maximum = kMatcherTextBytesMax,
             .required = true,
             .inner = "flow.to",
             .meaning = "any of these: tools and `network` (the effects fetch, send and pay)"});
  table.Add({.key = "decision",
             .type = Type::kChoice,
             .choices = {"ask", "deny"},
             .required = true,
             .meaning = "what such a call is answered where a tool rule would allow it"});
  table.Add(
      {.key = "approvers",
       .type = Type::kMap,
       .inner = "approvers",
       .meaning = "of `ask`: who may say yes, and for how long: see [approvals](#approvals)"});

  table.Map("flow.when");
  table.Add({.key = "integrity",
             .type = Type::kChoice,
             .choices = {"trusted", "untrusted"},
             .meaning = "of the context; only `untrusted` narrows anything, and `trusted` is "
                        "refused"});
  table.Add({.key = "confidentiality",
             .type = Type::kMap,
             .inner = "flow.when.confidentiality",
             .meaning = "of the context"});
  table.Add({.key = "categories",
             .type = Type::kCategory,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .maximum = kNameBytesMax,
             .meaning = "any of these, of the context"});
  table.Add({.key = "argument",
             .type = Type::kMap,
             .inner = "flow.when.argument",
             .meaning = "at least one argument has one of the roles and one of the origins"});

  table.Map("flow.when.confidentiality");
  table.Add({.key = "at_least",
             .type = Type::kChoice,
             .choices = ConfidentialityNames(),
             .required = true,
             .meaning = "this or more private"});

  table.Map("flow.when.argument");
  table.Add({.key = "roles",
             .type = Type::kChoice,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .choices = Without(RoleNames(), "option"),  // an option is where nothing matters
             .required = true,
             .meaning = "what the argument is for, by the tool's manifest"});
  table.Add({.key = "origin",
             .type = Type::kChoice,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .choices = OriginNames(),
             .required = true,
             .meaning = "who named it"});

  table.Map("flow.to");
  table.Add({.key = "effects",
             .type = Type::kChoice,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .choices = EffectNames(),
             .meaning = "what the call does, by the tool's manifest"});
  table.Add({.key = "tools",
             .type = Type::kTool,
             .many = Many::kOneOrMore,
             .items_max = kDataNamesMax,
             .maximum = kMatcherTextBytesMax,
             .meaning = "these tools"});
}

void AddBudgets(Table& table) {
  table.Map("budgets");
  table.Add({.key = "turn",
             .type = Type::kMap,
             .inner = "budgets.turn",
             .meaning = "from one request of the user to the agent's answer"});
  table.Add({.key = "session",
             .type = Type::kMap,
             .inner = "budgets.session",
             .meaning = "all turns of a session, also after a restart"});
  table.Add({.key = "tenant_per_day",
             .type = Type::kMap,
             .inner = "budgets.tenant_per_day",
             .meaning =
                 "all sessions of one state directory, which is one tenant's, in the last 24 "
                 "hours"});
  table.Add({.key = "rates",
             .type = Type::kMap,
             .many = Many::kList,
             .items_max = kRatesMax,
             .inner = "rate",
             .meaning = "how often calls of some tools may run, for how long, and with how much"});

  table.Map("budgets.turn");
  const auto budget = [&](const char* key, Type type, int64_t minimum, int64_t maximum,
                          const char* initial, const char* meaning) {
    table.Add({.key = key,
               .type = type,
               .minimum = minimum,
               .maximum = maximum,
               .initial = initial,
               .narrower = Narrower::kSmaller,
               .meaning = meaning});
  };
  budget("steps", Type::kInteger, 1, 10'000, "40", "replies of the model");
  budget("tool_calls", Type::kInteger, 0, 10'000, "30", "calls, denied ones included");
  budget("tokens", Type::kInteger, 1, 1'000'000'000, "60000",
         "new tokens of prompts, and generated ones");
  budget("wall", Type::kDuration, 100, 24 * kHour, "10m", "time");
  const auto outside = [&] {
    budget("bytes_out", Type::kSize, 0, 1LL << 50, "", "that an engine at a URL is sent");
    budget("joules", Type::kInteger, 1, 1'000'000'000'000, "",
           "that the machine's processors use while they compute replies");
  };
  outside();
  for (const char* map : {"budgets.session", "budgets.tenant_per_day"}) {
    table.Map(map);
    budget("steps", Type::kInteger, 1, 1'000'000'000, "", "replies of the model");
    budget("tool_calls", Type::kInteger, 0, 1'000'000'000, "", "calls, denied ones included");
    budget("tokens", Type::kInteger, 1, 1'000'000'000'000, "",
           "new tokens of prompts, and generated ones");
    budget("wall", Type::kDuration, 100, 365 * 24 * kHour, "", "time of its turns");
    outside();
  }

  table.Map("rate");
  table.Add({.key = "id",
             .type = Type::kIdentifier,
             .required = true,
             .meaning = "unique among all layers; decisions name it `budgets.ID`"});
  table.Add({.key = "reason",
             .type = Type::kReason,
             .required = true,
             .meaning = "what people and the model are told when it is used up"});
  table.Add({.key = "tool",
             .type = Type::kTool,
             .many = Many::kOneOrMore,
             .items_max = kToolsMax,
             .maximum = kMatcherTextBytesMax,
             .required = true,
             .meaning = "these tools together"});
  table.Add({.key = "calls",
             .type = Type::kInteger,
             .minimum = 0,
             .maximum = 1'000'000'000,
             .meaning = "most calls that may run; denied ones do not count. At least one of "
                        "`calls`, `wall` and `bytes_out` is needed"});
  table.Add({.key = "wall",
             .type = Type::kDuration,
             .minimum = 100,
             .maximum = 365 * 24 * kHour,
             .meaning = "time that calls run, after which none begins"});
  table.Add({.key = "bytes_out",
             .type = Type::kSize,
             .minimum = 0,
             .maximum = 1LL << 50,
             .meaning = "of the calls' arguments as they are judged; what is in files that they "
                        "name is not counted"});
  table.Add({.key = "per",
             .type = Type::kChoice,
             .choices = {"turn", "session", "minute", "hour", "day"},
             .required = true,
             .meaning = "minutes, hours and days are the last 60 seconds, 60 minutes and 24 hours "
                        "of all sessions of the state directory"});

  table.Map("audit");
  table.Add({.key = "on_failure",
             .type = Type::kChoice,
             .choices = {"refuse", "stop"},
             .initial = "refuse",
             .meaning =
                 "what cannot be recorded does not run; with `refuse` that is so until the log can "
                 "be written again, with `stop` `nacre serve` ends, with exit code 3"});
  table.Add({.key = "content",
             .type = Type::kChoice,
             .choices = {"digest", "redacted", "full"},
             .initial = "digest",
             .meaning = "of arguments and results: their digests, they themselves without what is "
                        "recognised as a secret or labelled confidential, or they themselves"});
  table.Add({.key = "retention",
             .type = Type::kMap,
             .inner = "audit.retention",
             .meaning =
                 "what is pruned of the log, by `nacre serve` and at the end of `nacre run`; "
                 "by default nothing"});

  table.Map("audit.retention");
  table.Add({.key = "age",
             .type = Type::kSeconds,
             .minimum = kHour,
             .maximum = 100 * 365 * 24 * kHour,
             .meaning = "records that are older, and all before them"});
  table.Add({.key = "bytes",
             .type = Type::kSize,
             .minimum = kMiB / 16,
             .maximum = 1024 * kTiB,
             .meaning = "the oldest records beyond so many bytes of them"});
  table.Add({.key = "exported",
             .type = Type::kText,
             .maximum = kNameBytesMax,
             .meaning = "the file that `nacre audit export --cursor` keeps, from `/`: what that "
                        "export has not handed on stays"});
}

std::vector<Field> MakeFields() {
  Table table;
  AddDocument(table);
  AddWorkspace(table);
  AddSandbox(table);
  AddRule(table);
  AddSources(table);
  AddFlows(table);
  AddBudgets(table);
  return table.Take();
}

struct MapOfFields {
  std::vector<const Field*> fields;
  NodeReader::Keys keys;
};

const MapOfFields& Find(std::string_view map) {
  static const std::map<std::string, MapOfFields, std::less<>> kMaps = [] {
    std::map<std::string, MapOfFields, std::less<>> maps;
    for (const Field& field : LanguageFields()) {
      MapOfFields& entry = maps[field.map];
      entry.fields.push_back(&field);
      (field.type == Type::kNotEnforced ? entry.keys.not_enforced : entry.keys.known)
          .push_back(field.key);
    }
    return maps;
  }();
  const auto found = kMaps.find(map);
  NACRE_CHECK(found != kMaps.end());
  return found->second;
}

}  // namespace

const std::vector<Field>& LanguageFields() {
  static const std::vector<Field> kFields = MakeFields();
  return kFields;
}

const std::vector<const Field*>& FieldsOf(std::string_view map) {
  return Find(map).fields;
}

const Field& FieldOf(std::string_view map, std::string_view key) {
  const Field* found = nullptr;
  for (const Field* field : FieldsOf(map)) {
    found = field->key == key ? field : found;
  }
  NACRE_CHECK(found != nullptr);
  return *found;
}

const NodeReader::Keys& KeysOf(std::string_view map) {
  return Find(map).keys;
}

std::string PathOf(const Field& field) {
  return field.map.empty() ? field.key : field.map + "." + field.key;
}

}  // namespace nacre::policy
