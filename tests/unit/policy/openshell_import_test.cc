// Policies of OpenShell: what is granted of them, and what is named.
#include "policy/openshell_import.h"

#include <catch2/catch.hpp>

#include "load.h"
#include "policy/evaluator.h"

namespace nacre::policy {
namespace {

OpenShellImport Imported(const std::string& text, const std::string& tool = "http.request") {
  const Result<OpenShellImport> imported = ImportOpenShell("old.yaml", text, {tool});
  INFO((imported.ok() ? "" : imported.error().message));
  REQUIRE(imported.ok());
  return imported.value();
}

std::string Codes(const OpenShellImport& imported) {
  std::string codes;
  for (const OpenShellFinding& finding : imported.findings) {
    codes += (codes.empty() ? "" : " ") + finding.code + ":" + std::to_string(finding.source.line);
  }
  return codes;
}

struct Ask {
  std::shared_ptr<const Policy> policy;
  Verdict operator()(const std::string& method, const std::string& path,
                     const std::string& host = "api.x.example", int port = 443) const {
    return Evaluate(
               *policy,
               {.tool = "http.request",
                .arguments = {{"host", host}, {"port", port}, {"method", method}, {"path", path}},
                .paths = {}})
        .verdict;
  }
};

Ask AskOf(const OpenShellImport& imported) {
  INFO(imported.yaml);
  const auto loaded = LoadPolicyText("imported.yaml", imported.yaml);
  INFO((loaded.ok() ? "" : loaded.error().message));
  REQUIRE(loaded.ok());
  return {loaded.value()};
}

// An endpoint of api.x.example:443, whose further keys begin at line 6.
std::string With(const std::string& endpoint, const std::string& binaries = "[{path: /bin/x}]") {
  return "version: 1\nnetwork_policies:\n  a:\n    binaries: " + binaries +
         "\n    endpoints:\n      - host: api.x.example\n        port: 443\n" + endpoint;
}

TEST_CASE("what an endpoint allows is allowed, and nothing else") {
  const Ask ask = AskOf(Imported(
      With("        protocol: rest\n        enforcement: enforce\n        access: read-only\n")));
  CHECK(ask("GET", "/repos") == Verdict::kAllow);
  CHECK(ask("OPTIONS", "/") == Verdict::kAllow);
  CHECK(ask("POST", "/repos") == Verdict::kDeny);
  CHECK(ask("GET", "/repos", "x.example") == Verdict::kDeny);
  CHECK(ask("GET", "/repos", "api.x.example", 80) == Verdict::kDeny);
  CHECK(ask("GET", "/repos", "api.x.example.evil.example") == Verdict::kDeny);
}

TEST_CASE("a path that a server may read otherwise is not allowed") {
  const Ask ask =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        rules:\n"
                          "          - allow: {method: GET, path: /public/**}\n")));
  CHECK(ask("GET", "/public/a/b") == Verdict::kAllow);
  for (const char* path :
       {"/public/../secret", "/public/..", "/public/%2e%2e/secret", "/public//a", "/public/a;x",
        "/public/a?q=1", "/public/a#b", "/public/.\\a", "/public/a\n/..", "/public/a\nb",
        "/public/a b", "/public/a\x7f", "/public/\xC3\xA4", "/secret", "public/a",
        "@evil.example/public/a", ""}) {
    INFO(path);
    CHECK(ask("GET", path) == Verdict::kDeny);
  }
  CHECK(ask("GET", "/public/" + std::string(4088, 'a')) == Verdict::kAllow);
  CHECK(ask("GET", "/public/" + std::string(4089, 'a')) == Verdict::kDeny);
}

TEST_CASE("a path that OpenShell refuses walks around no deny") {
  const Ask ask = AskOf(
      Imported(With("        protocol: rest\n        enforcement: enforce\n        access: full\n"
                    "        deny_rules:\n          - {method: '*', path: /admin**}\n"
                    "          - {method: POST, path: /repos/*/secret}\n")));
  CHECK(ask("GET", "/users") == Verdict::kAllow);
  CHECK(ask("GET", "/admin/users") == Verdict::kDeny);
  for (const char* path : {"/admin/us\ners", "/repos/o\n/secret", "/x\r\nHost: evil.example",
                           "@evil.example/x", ".evil.example/x", ":80@evil.example/"}) {
    INFO(path);
    CHECK(ask("POST", path) == Verdict::kDeny);
  }
}

TEST_CASE("a writable folder in a read-only one is named as left out") {
  const OpenShellImport imported = Imported(
      "version: 1\nfilesystem_policy:\n  read_only: [/sandbox]\n  read_write:\n    - "
      "/sandbox/data\n"
      "    - /tmp\n");
  CHECK(Codes(imported) == "left-out:5");
  const auto policy = AskOf(imported).policy;
  CHECK(policy->grant.workspace == WorkspaceMode::kReadOnly);
  CHECK(imported.findings[0].key == "filesystem_policy.read_write[0]");
}

TEST_CASE("each trap of OpenShell is named at its line, and imported as strictly as it was meant") {
  SECTION("T1: a star in a path") {
    const OpenShellImport imported = Imported(
        With("        protocol: rest\n        enforcement: enforce\n        access: read-write\n"
             "        deny_rules:\n"
             "          - {method: POST, path: /repos/*/pulls/*/reviews}\n"));
    CHECK(Codes(imported) == "T9:4 T8:6 T1:12 T11:6");
    const Ask ask = AskOf(imported);
    CHECK(ask("POST", "/repos/o/r/pulls/1/reviews") == Verdict::kDeny);
    CHECK(ask("POST", "/repos/o/r/pulls/1") == Verdict::kAllow);
    const Ask narrow =
        AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        rules:\n"
                            "          - allow: {method: GET, path: /issues/*}\n")));
    CHECK(narrow("GET", "/issues/1") == Verdict::kAllow);
    CHECK(narrow("GET", "/issues/1/lock") == Verdict::kDeny);
  }
  SECTION("T2 and T12: a query that is denied") {
    const OpenShellImport imported =
        Imported(With("        protocol: rest\n        enforcement: enforce\n        access: full\n"
                      "        deny_rules:\n"
                      "          - {method: GET, path: /search, query: {q: '*secret*'}}\n"));
    CHECK(Codes(imported) == "T9:4 T8:6 T2:12 T12:12 T11:6");
    CHECK(AskOf(imported)("GET", "/search") == Verdict::kDeny);
  }
  SECTION("T3: a deny without a path") {
    const OpenShellImport imported =
        Imported(With("        protocol: rest\n        enforcement: enforce\n        access: full\n"
                      "        deny_rules:\n          - {method: DELETE}\n"));
    CHECK(Codes(imported) == "T9:4 T8:6 T3:12 T11:6");
    CHECK(AskOf(imported)("DELETE", "/x") == Verdict::kDeny);
    CHECK(AskOf(imported)("PUT", "/x") == Verdict::kAllow);
  }
  SECTION("T4: not enforced") {
    CHECK(Codes(Imported(With("        protocol: rest\n        access: read-only\n"))) ==
          "T9:4 T4:6 T8:6");
    const OpenShellImport typo = Imported(
        With("        protocol: rest\n        access: read-only\n        enforcement: enforced\n"));
    CHECK(Codes(typo) == "T9:4 T4:10 T8:6");
    CHECK(AskOf(typo)("POST", "/x") == Verdict::kDeny);
  }
  SECTION("T5: rules without a protocol") {
    const OpenShellImport imported =
        Imported(With("        enforcement: enforce\n        rules:\n"
                      "          - allow: {method: GET, path: /a}\n"));
    CHECK(Codes(imported) == "T9:4 T8:6 T5:10");
    CHECK(AskOf(imported)("GET", "/a") == Verdict::kAllow);
    CHECK(AskOf(imported)("POST", "/b") == Verdict::kDeny);
  }
  SECTION("T6: no binaries") {
    const OpenShellImport imported = Imported(
        With("        protocol: rest\n        enforcement: enforce\n        access: full\n", "[]"));
    CHECK(Codes(imported) == "T6:3 T8:6 T11:6");
    CHECK(imported.endpoints_imported == 0);
    CHECK(AskOf(imported)("GET", "/") == Verdict::kDeny);
  }
  SECTION("T7: a read-only folder in a writable one") {
    const OpenShellImport imported = Imported(
        "version: 1\nfilesystem_policy:\n  read_write: [/sandbox, /tmp]\n"
        "  read_only:\n    - /usr\n    - /sandbox/config\n");
    CHECK(Codes(imported) == "T7:6");
    const auto policy = AskOf(imported).policy;
    const Request write{.tool = "fs.write",
                        .arguments = {{"path", "/workspace/config/a"}, {"content", "x"}},
                        .paths = {{"path", "/workspace/config/a", PathAccess::kWrite}}};
    CHECK(Evaluate(*policy, write).rule == "workspace.protect");
  }
  SECTION("T10: names of tools, not their arguments") {
    const OpenShellImport imported = Imported(With(
        "        protocol: mcp\n        enforcement: enforce\n        path: /mcp\n        rules:\n"
        "          - allow: {method: tools/call, tool: x}\n"));
    CHECK(Codes(imported) == "T9:4 left-out:6 T10:6 T8:6 left-out:12");
    CHECK(AskOf(imported)("POST", "/mcp") == Verdict::kDeny);
  }
}

TEST_CASE("a star in a host is one label, two are any number") {
  const auto ask = [](const std::string& host) {
    return AskOf(
        Imported("version: 1\nnetwork_policies: {a: {binaries: [{path: /x}], endpoints: "
                 "[{host: '" +
                 host +
                 "', port: 443, protocol: rest, enforcement: enforce, "
                 "access: full}]}}\n"));
  };
  const Ask one = ask("*.x.example");
  CHECK(one("GET", "/", "a.x.example") == Verdict::kAllow);
  CHECK(one("GET", "/", "a.b.x.example") == Verdict::kDeny);
  CHECK(one("GET", "/", "x.example") == Verdict::kDeny);
  const Ask any = ask("**.x.example");
  CHECK(any("GET", "/", "a.b.x.example") == Verdict::kAllow);
  CHECK(any("GET", "/", "x.example") == Verdict::kDeny);
}

// Two endpoints of one port: all of `first` is allowed, and of `second`, in YAML, "/admin/**" is denied.
OpenShellImport TwoEndpoints(const std::string& first, const std::string& second) {
  return Imported(
      "version: 1\nnetwork_policies: {a: {binaries: [{path: /x}], endpoints: [\n{host: '" + first +
      "', port: 443, protocol: rest, enforcement: enforce, access: full},\n{" + second +
      ", port: 443, enforcement: enforce, deny_rules: [{method: '*', path: /admin/**}]}]}}\n");
}

TEST_CASE("nobody walks around a deny by how a host is written") {
  const OpenShellImport imported =
      TwoEndpoints("**.x.example", "host: '*.x.example', protocol: rest, access: full");
  CHECK(Codes(imported) == "T9:2 T11:3 T2:4 T11:4");
  const Ask ask = AskOf(imported);
  for (const char* host :
       {"a.x.example", "A.X.EXAMPLE.", "a.x.example:443", "a_b.x.example", "a.b.x.example"}) {
    INFO(host);
    CHECK(ask("GET", "/admin/users", host) == Verdict::kDeny);
  }
  CHECK(ask("GET", "/users", "a.x.example") == Verdict::kAllow);
  CHECK(ask("GET", "/users", "a.b.x.example") == Verdict::kAllow);
  for (const char* star : {"api-*.x.example", "*.*.example", "x.a.*"}) {
    INFO(star);
    const std::string second = std::string("host: '") + star + "', protocol: rest, access: full";
    CHECK(AskOf(TwoEndpoints("**.x.example", second))("GET", "/admin/users",
                                                      "api-1_2.x.example:443") == Verdict::kDeny);
  }
}

TEST_CASE("what an endpoint denies is denied, also when the endpoint is left out") {
  for (const char* second :
       {"host: api.x.example, protocol: rest, access: full, allowed_ips: [10.0.0.0/16]",
        "host: api.x.example, protocol: graphql, access: full",
        "host: api.x.example, protocol: graphql, access: full, path: /admin/*",
        "protocol: rest, access: full, allowed_ips: [10.0.0.0/16]"}) {
    INFO(second);
    const Ask ask = AskOf(TwoEndpoints("api.x.example", second));
    CHECK(ask("GET", "/admin/users") == Verdict::kDeny);
    CHECK(ask("GET", "/users") == Verdict::kAllow);
  }
}

TEST_CASE("what a file says twice is said once, and the policy loads") {
  const OpenShellImport twice = Imported(
      "version: 1\nnetwork_policies:\n"
      "  git: {binaries: [{path: /x}], endpoints: [{host: a.example.com, port: 443, protocol: "
      "rest, "
      "enforcement: enforce, access: read-only}]}\n"
      "  gh: {binaries: [{path: /y}], endpoints: [{host: a.example.com, port: 443, protocol: rest, "
      "enforcement: enforce, access: read-only}]}\n");
  CHECK(Codes(twice).ends_with("covered:4"));
  CHECK(AskOf(twice)("GET", "/x", "a.example.com") == Verdict::kAllow);
  // A rule for GET speaks of HEAD too.
  const OpenShellImport head =
      Imported(With("        protocol: rest\n        enforcement: enforce\n        rules:\n"
                    "          - allow: {method: GET, path: '**'}\n          - allow: {method: "
                    "HEAD, path: '**'}\n"));
  CHECK(Codes(head).ends_with("covered:12"));
  CHECK(AskOf(head)("HEAD", "/x") == Verdict::kAllow);
}

TEST_CASE("a choice or a class of letters in a deny is anything") {
  const Ask ask =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        access: "
                          "full\n        deny_rules:\n"
                          "          - {method: '*', path: '/{admin,secret}/**'}\n"
                          "          - {method: POST, path: '/p/[xy]dmin/**'}\n")));
  for (const char* path : {"/admin/x", "/secret/x", "/p/xdmin/a"}) {
    INFO(path);
    CHECK(ask("POST", path) == Verdict::kDeny);
  }
  CHECK(ask("GET", "/p/q") ==
        Verdict::kDeny);  // anything in the place of a choice: stricter than it was
  CHECK(ask("GET", "/users") == Verdict::kAllow);
  const Ask allowed =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        rules: "
                          "[allow: {method: GET, path: '/{a,b}/*'}]\n")));
  CHECK(allowed("GET", "/a/x") == Verdict::kDeny);
}

TEST_CASE("what allows speaks of no more than its glob, as OpenShell's engine reads it") {
  const auto get = [](const char* glob, const char* path) {
    return AskOf(Imported(
        With(std::string("        protocol: rest\n        enforcement: enforce\n        rules:\n"
                         "          - allow: {method: GET, path: '") +
             glob + "'}\n")))("GET", path);
  };
  CHECK(get("/repos/o/**", "/repos/o/r") == Verdict::kAllow);
  CHECK(get("/repos/o/**", "/repos/o/r/x") == Verdict::kAllow);
  CHECK(get("/repos/o/**", "/repos/o") == Verdict::kDeny);
  CHECK(get("/bot**", "/bot1") == Verdict::kAllow);
  CHECK(get("/bot**", "/bot/x/y") == Verdict::kDeny);
  CHECK(get("/a?b", "/a-b") == Verdict::kAllow);
  CHECK(get("/a?b", "/a/b") == Verdict::kDeny);
}

TEST_CASE("a path that an endpoint speaks of is no other's of the same host") {
  const Ask ask = AskOf(
      Imported(With("        protocol: rest\n        enforcement: enforce\n        access: full\n"
                    "      - host: api.x.example\n        port: 443\n        path: /admin/**\n     "
                    "   protocol: rest\n"
                    "        enforcement: enforce\n        access: read-only\n"
                    "      - host: b.x.example\n        port: 443\n        protocol: rest\n"
                    "        enforcement: enforce\n        access: full\n")));
  CHECK(ask("POST", "/x") == Verdict::kAllow);
  CHECK(ask("GET", "/admin/x") == Verdict::kAllow);
  CHECK(ask("POST", "/admin/x") == Verdict::kDeny);
  CHECK(ask("POST", "/admin/x", "b.x.example") == Verdict::kAllow);
}

TEST_CASE("a mistake in an endpoint's path is told once, at its own place") {
  const auto refused =
      ImportOpenShell("old.yaml", With("        path: [a]\n        access: full\n"), {});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message ==
        "old.yaml:8:15: network_policies.a.endpoints[0].path: expected a text, found a list");
}

TEST_CASE("an address of IPv6 is a host, and nothing more of a URL") {
  for (const char* address : {"2001:db8::1", "2001:db8:1:2:3:4:5:6"}) {
    const Ask ask = AskOf(Imported(
        std::string(
            "version: 1\nnetwork_policies: {a: {binaries: [{path: /x}], endpoints: [{host: '") +
        address + "', port: 443, protocol: rest, enforcement: enforce, access: full}]}}\n"));
    CHECK(ask("GET", "/", address) == Verdict::kAllow);
    CHECK(ask("GET", "/", std::string("http://[") + address + "]:22/x") == Verdict::kDeny);
  }
}

TEST_CASE("folders in folders that are read are one, and what no policy can say is no crash") {
  const Ask nested = AskOf(Imported(
      "version: 1\nfilesystem_policy: {read_only: [/sandbox/a, /sandbox/a/b, /sandbox/a]}\n"));
  CHECK(nested.policy->tools.size() == 1);
  std::string ports = "1";
  for (int port = 2; port < 1'100; ++port) {
    ports += "," + std::to_string(port);
  }
  const std::string many =
      "version: 1\nnetwork_policies: {a: {binaries: [{path: /x}], endpoints: [{host: "
      "a.example.com, "
      "ports: [" +
      ports + "], protocol: rest, enforcement: enforce, access: full}]}}\n";
  CHECK_FALSE(LoadPolicyText("imported.yaml", Imported(many).yaml).ok());
  CHECK_FALSE(
      LoadPolicyText("imported.yaml", Imported(With("        access: full\n"), "my tool").yaml)
          .ok());
}

TEST_CASE("two stars in a deny are no folder, one or many") {
  const Ask ask =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        access: "
                          "full\n        deny_rules:\n"
                          "          - {method: POST, path: '/**/git-receive-pack'}\n"
                          "          - {method: '*', path: /admin/**}\n")));
  for (const char* path : {"/git-receive-pack", "/o/git-receive-pack", "/o/r.git/git-receive-pack",
                           "/admin", "/admin/", "/admin/a/b"}) {
    INFO(path);
    CHECK(ask("POST", path) == Verdict::kDeny);
  }
  CHECK(ask("POST", "/o/git-upload-pack") == Verdict::kAllow);
  CHECK(ask("POST", "/administer") == Verdict::kAllow);
}

TEST_CASE("a port or a path in the text of a host is not of the rule") {
  const Ask ask = AskOf(Imported(
      With("        protocol: rest\n        enforcement: enforce\n        access: full\n")));
  CHECK(ask("GET", "/", "api.x.example") == Verdict::kAllow);
  for (const char* host :
       {"api.x.example:22", "https://api.x.example", "a@api.x.example", "api.x.example/y"}) {
    INFO(host);
    CHECK(ask("GET", "/", host) == Verdict::kDeny);
  }
}

TEST_CASE("the path that only an endpoint which is left out speaks of is not reached by another") {
  const Ask ask =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        access: "
                          "full\n      - host: api.x.example\n"
                          "        port: 443\n        path: /graphql\n        protocol: graphql\n  "
                          "      access: read-only\n")));
  CHECK(ask("POST", "/graphql") == Verdict::kDeny);
  CHECK(ask("POST", "/x") == Verdict::kAllow);
}

TEST_CASE("a deny without a path holds for all of what its endpoint speaks of") {
  const Ask ask =
      AskOf(Imported(With("        protocol: rest\n        enforcement: enforce\n        access: "
                          "full\n      - host: api.x.example\n"
                          "        port: 443\n        path: /repos/*\n        protocol: rest\n     "
                          "   enforcement: enforce\n"
                          "        access: full\n        deny_rules: [{method: DELETE}]\n")));
  CHECK(ask("DELETE", "/users") == Verdict::kAllow);
  CHECK(ask("DELETE", "/repos/a") == Verdict::kDeny);
  CHECK(ask("DELETE", "/repos/a/b") == Verdict::kDeny);
  CHECK(ask("GET", "/repos/a") == Verdict::kAllow);
}

TEST_CASE("of a work folder that is read in part only this part is read, and no program runs") {
  const OpenShellImport imported = Imported(
      "version: 1\nfilesystem_policy:\n  read_only: [/usr, /sandbox/docs, /sandbox/a b.txt]\n");
  CHECK(Codes(imported) == "left-out:3");
  const auto policy = AskOf(imported).policy;
  CHECK(policy->grant.workspace == WorkspaceMode::kReadOnly);
  const auto read = [&](const char* tool, const std::string& path) {
    return Evaluate(*policy, {.tool = tool,
                              .arguments = {{"path", path}},
                              .paths = {{"path", path, PathAccess::kRead}}})
        .verdict;
  };
  CHECK(read("fs.read", "/workspace/docs/a/b.md") == Verdict::kAllow);
  CHECK(read("fs.search", "/workspace/docs") == Verdict::kAllow);
  CHECK(read("fs.read", "/workspace/a b.txt") == Verdict::kAllow);
  for (const char* path : {"/workspace", "/workspace/docs2/a", "/workspace/secret"}) {
    INFO(path);
    CHECK(read("fs.read", path) == Verdict::kDeny);
    CHECK(read("fs.list", path) == Verdict::kDeny);
  }
  CHECK(Evaluate(*policy, {.tool = "fs.list", .arguments = Json::object(), .paths = {}}).verdict ==
        Verdict::kDeny);
  CHECK(Evaluate(*policy, {.tool = "proc.run", .arguments = {{"argv", {"cat"}}}, .paths = {}})
            .verdict == Verdict::kDeny);
  CHECK(Evaluate(
            *AskOf(Imported(
                       "version: 1\nfilesystem_policy: {read_only: [/sandbox, /sandbox/docs]}\n"))
                 .policy,
            {.tool = "fs.read",
             .arguments = {{"path", "/workspace/a"}},
             .paths = {{"path", "/workspace/a", PathAccess::kRead}}})
            .verdict == Verdict::kAllow);
}

TEST_CASE("without a tool that makes requests no endpoint is reached") {
  const OpenShellImport imported = Imported(
      With("        protocol: rest\n        enforcement: enforce\n        access: full\n"), "");
  CHECK(imported.endpoints == 1);
  CHECK(imported.endpoints_imported == 0);
  CHECK(Codes(imported) == "T9:4 T8:6 T11:6 left-out:6");
  CHECK(AskOf(imported)("GET", "/") == Verdict::kDeny);
}

TEST_CASE("what is no policy of OpenShell is refused where it stands") {
  struct Row {
    std::string text;
    const char* said;
  };
  const std::vector<Row> rows = {
      {"nacre: policy/1\n", "old.yaml:1:1: nacre: unknown key"},
      {"version: 2\n", "old.yaml:1:10: version: 2 is not between 1 and 1"},
      {"landlock: {}\n", "old.yaml:1:1: version: missing: no policy of OpenShell"},
      {"version: 1\nfilesystem_policy: {read_only: [/a/../b]}\n",
       "old.yaml:2:33: filesystem_policy.read_only[0]: expected a full path without \".\" or "
       "\"..\""},
      {With("        acess: full\n"), "did you mean \"access\"?"},
      {With("        access: all\n"), "\"all\" is not one of read-only, read-write, full"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: '*.com', port: 1}]}}\n", "too wide"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: x.example, port: 0}]}}\n",
       "0 is not between 1 and 65535"},
      {"version: 1\nnetwork_policies: {a: {endpoints: [{host: \"a\\nb.example\", port: 1}]}}\n",
       "is no host"},
      {"a: &a [*a]\n", "anchors and aliases are not accepted"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const auto imported = ImportOpenShell("old.yaml", row.text);
    REQUIRE_FALSE(imported.ok());
    CHECK_THAT(imported.error().message, Catch::Contains(row.said));
  }
}

}  // namespace
}  // namespace nacre::policy
