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
