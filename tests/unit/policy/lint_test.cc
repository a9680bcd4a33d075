#include "policy/lint.h"

#include <algorithm>

#include "load.h"

namespace nacre::policy {
namespace {

// "shell tools.a", in order.
std::vector<std::string> Named(const Policy& policy) {
  std::vector<std::string> names;
  for (const Risk& risk : FindRisks(policy)) {
    CHECK_FALSE(risk.what.empty());
    CHECK_FALSE(risk.advice.empty());
    names.push_back(risk.name + " " + risk.rule);
  }
  return names;
}

bool Has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST_CASE("a rule that grants more than it seems is named, with its line") {
  const auto policy = FromText(R"(
workspace: {mode: direct, commit: {links: allow}}
sandbox: {profile: build}
tools:
  - {id: files, reason: r, tool: "fs.*", decision: allow}
  - {id: programs, reason: r, tool: proc.run, args: {argv[0]: {matches: '.*'}}, decision: allow}
  - {id: web, reason: r, tool: web.get, args: {url: {host_in: ["*.com", "*.example.com"]}}, decision: allow}
)");
  const std::vector<std::string> names = Named(*policy);
  for (const char* name :
       {"shell tools.programs", "runs-other-programs tools.programs", "inline-code tools.programs",
        "leaves-the-sandbox tools.programs", "secret-readable tools.files",
        "runs-as-the-person tools.files", "every-tool tools.files",
        "empty-condition tools.programs", "wide-hosts tools.web", "no-undo workspace.mode",
        "no-disk-limit workspace.mode", "writable-and-executable sandbox.profile"}) {
    INFO(name);
    CHECK(Has(names, name));
  }
  CHECK(std::count(names.begin(), names.end(), "wide-hosts tools.web") == 1);
  const std::vector<Risk> risks = FindRisks(*policy);
  CHECK(risks[0].source == SourceLocation{"p.yaml", 8, 5});
  CHECK(risks[0].what.rfind("it allows \"proc.run sh -c true\": ", 0) == 0);
}

TEST_CASE("of the shipped policies, only what their comments say is named") {
  CHECK(Named(*Loaded(LoadPolicy("base"))).empty());
  CHECK(Named(*Loaded(LoadPolicy("offline"))).empty());
  CHECK(Named(*Loaded(LoadPolicy("coding"))) ==
        std::vector<std::string>{"writable-and-executable sandbox.profile"});
}

TEST_CASE("hosts below a domain where anybody gets a name are named, and no others") {
  const auto wide = [](const std::string& pattern) {
    return Has(
        Named(*FromText("tools:\n  - {id: web, reason: r, tool: web.get, args: {url: {host_in: ['" +
                        pattern + "']}}, decision: allow}\n")),
        "wide-hosts tools.web");
  };
  for (const char* pattern : {"*.com", "*.co.uk", "*.com.au", "*.or.jp", "*.github.io",
                              "*.pages.dev", "*.s3.amazonaws.com"}) {
    INFO(pattern);
    CHECK(wide(pattern));
  }
  for (const char* pattern : {"*.example.com", "*.example.co.uk", "*.me.github.io", "*.uk.example",
                              "co.uk", "github.io", "*.example.io", "*.com.example"}) {
    INFO(pattern);
    CHECK_FALSE(wide(pattern));
  }
}

TEST_CASE("a program that runs others is named however the rule names it") {
  const auto named = [](const std::string& condition) {
    return Named(*FromText("tools:\n  - {id: run, reason: r, tool: proc.run, args: {argv[0]: " +
                           condition + "}, decision: allow}\n"));
  };
  const auto only = [](const char* danger) {
    return std::vector<std::string>{std::string(danger) + " tools.run"};
  };
  for (const char* shell : {"bash", "/bin/bash", "/usr/bin/bash", "/usr/local/bin/fish", "ksh",
                            "ash", "rbash", "/bin/sh"}) {
    INFO(shell);
    CHECK(named(shell) == only("shell"));
  }
  for (const char* program :
       {"/usr/bin/env", "tclsh", "expect", "ed", "vim", "less", "strace", "gdb", "script",
        "parallel", "/usr/sbin/chroot", "unshare", "nsenter", "setpriv", "/usr/bin/find"}) {
    INFO(program);
    CHECK(named(program) == only("runs-other-programs"));
  }
  for (const char* interpreter :
       {"python3.11", "/usr/bin/python3.12", "lua", "lua5.4", "/usr/bin/perl", "nodejs"}) {
    INFO(interpreter);
    CHECK(named(interpreter) == only("inline-code"));
  }
  for (const char* client : {"socat", "ncat", "rsync", "/usr/bin/ssh", "/usr/bin/sudo"}) {
    INFO(client);
    CHECK(named(client) == only("leaves-the-sandbox"));
  }
  for (const char* folder : {"/bin", "/usr/bin", "/usr/local/bin"}) {
    INFO(folder);
    CHECK(named(std::string("{under: ") + folder + "}") ==
          std::vector<std::string>{"shell tools.run", "runs-other-programs tools.run",
                                   "inline-code tools.run", "leaves-the-sandbox tools.run"});
  }
  for (const char* program : {"wc", "/usr/bin/wc", "/opt/bash", "bashful", "{under: /opt/tools}"}) {
    INFO(program);
    CHECK(named(program).empty());
  }
}

TEST_CASE(
    "a deny that sees only how a program's argument is written is named, unless it is hidden") {
  const std::string run =
      "  - {id: run, reason: r, tool: proc.run, args: {argv[0]: cat}, decision: allow}\n";
  const auto named = [&](const std::string& hide, const std::string& rule) {
    return Named(*FromText("workspace: {hide: [" + hide +
                           "]}\ntools:\n  - {id: no, reason: r, decision: deny, " + rule + "}\n" +
                           run));
  };
  const std::string under = "tool: proc.run, args: {'argv[?]': {under: /workspace/private}}";
  const std::string glob = "tool: 'proc.*', args: {'argv[1]': {glob: 'private/*.txt'}}";
  for (const std::string& rule : {under, glob}) {
    INFO(rule);
    CHECK(named("", rule) == std::vector<std::string>{"denied-by-name tools.no"});
    CHECK(named("other/**", rule).size() == 1);
    CHECK(named("private/**", rule).empty());
    CHECK(named("'**/private/**'", rule).empty());
  }
  for (const char* rule : {"tool: proc.run, args: {'argv[?]': {under: /etc}}",
                           "tool: proc.run, args: {'argv[?]': {not: {under: /workspace/a}}}",
                           "tool: proc.run, args: {'argv[?]': {matches: '.*a.*'}}",
                           "tool: fs.read, args: {path: {under: /workspace/private}}"}) {
    INFO(rule);
    CHECK(named("", rule).empty());
  }
  const auto policy =
      FromText("tools:\n  - {id: no, reason: r, decision: deny, " + under + "}\n" + run);
  CHECK(FindRisks(*policy).at(0).advice == "add \"private/**\" to workspace.hide");
  CHECK(
      Named(*FromText("tools:\n  - {id: no, reason: r, decision: deny, " + under + "}\n")).empty());
}

TEST_CASE("a pattern of addresses that holds for every host is named") {
  const auto wide = [](const std::string& condition) {
    return Has(Named(*FromText("tools:\n  - {id: web, reason: r, tool: web.get, args: {url: " +
                               condition + "}, decision: allow}\n")),
               "wide-hosts tools.web");
  };
  for (const char* condition :
       {"{matches: 'https?://.*'}", "{matches: 'http://.*'}", "{matches: '(?i)https://[^ ]*'}",
        "{matches: 'https://[^/]+/.*'}"}) {
    INFO(condition);
    CHECK(wide(condition));
  }
  for (const char* condition :
       {"{matches: 'https://a\\.example/.*'}", "{matches: 'https://[a-z]+\\.example/.*'}",
        "{not: {matches: 'https?://.*'}}", "{host_in: [a.example]}"}) {
    INFO(condition);
    CHECK_FALSE(wide(condition));
  }
}

TEST_CASE("what a deny rule takes back, or a person is asked about, is no risk") {
  const auto policy = FromText(R"(
tools:
  - {id: run, reason: r, tool: proc.run, args: {argv[0]: {one_of: [sh, curl]}}, decision: allow}
  - {id: no-shell, reason: r, tool: proc.run, args: {argv[0]: sh}, decision: deny}
  - {id: ask, reason: r, tool: proc.run, args: {argv[0]: curl}, decision: ask}
)");
  CHECK(Named(*policy).empty());
}

}  // namespace
}  // namespace nacre::policy
