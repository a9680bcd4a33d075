#include "policy/lint.h"

#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <utility>

#include "policy/evaluator.h"
#include "policy/internal/display.h"
#include "policy/internal/matcher.h"
#include "policy/internal/program.h"
#include "policy/internal/sandbox_path.h"
#include "policy/witness.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

struct Danger {
  const char* name;
  const char* what;
  const char* advice;
  std::vector<Request> calls;
};

// Each by its name, and where it is installed.
std::vector<Request> Programs(const std::vector<std::vector<std::string>>& calls) {
  std::vector<Request> requests;
  for (const char* folder : {"", "/bin/", "/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    for (std::vector<std::string> argv : calls) {
      argv[0].insert(0, folder);
      requests.push_back({.tool = "proc.run", .arguments = {{"argv", argv}}, .paths = {}});
    }
  }
  return requests;
}

std::vector<std::vector<std::string>> InlineCode() {
  std::vector<std::vector<std::string>> calls = {
      {"python3", "-c", "pass"}, {"python", "-c", "pass"},  {"perl", "-e", "1"},
      {"ruby", "-e", "1"},       {"node", "-e", "1"},       {"node", "--eval=1"},
      {"nodejs", "-e", "1"},     {"php", "-r", "1;"},       {"lua", "-e", "x=1"},
      {"luajit", "-e", "x=1"},   {"python2", "-c", "pass"}, {"pypy3", "-c", "pass"},
      {"Rscript", "-e", "1"},    {"julia", "-e", "1"},      {"guile", "-c", "1"},
      {"deno", "eval", "1"},     {"bun", "-e", "1"}};
  for (int minor = 6; minor <= 16; ++minor) {
    calls.push_back({"python3." + std::to_string(minor), "-c", "pass"});
  }
  for (int minor = 1; minor <= 4; ++minor) {
    calls.push_back({"lua5." + std::to_string(minor), "-e", "x=1"});
  }
  return calls;
}

Request File(const char* tool, const std::string& name, PathAccess access) {
  const std::string path = "/workspace/" + name;
  Json arguments = {{"path", path}};
  if (access == PathAccess::kWrite) {
    arguments["content"] = "x";
  }
  return {.tool = tool, .arguments = std::move(arguments), .paths = {{"path", path, access}}};
}

const std::vector<Danger>& Dangers() {
  static const std::vector<Danger> kDangers = {
      {"shell", "a shell runs whatever one argument says",
       "name the programs that are needed in argv[0]: {one_of: [...]}",
       Programs({{"sh", "-c", "true"},
                 {"bash", "-c", "true"},
                 {"dash", "-c", "true"},
                 {"zsh", "-c", "true"},
                 {"busybox", "sh"},
                 {"ash", "-c", "true"},
                 {"rbash", "-c", "true"},
                 {"ksh", "-c", "true"},
                 {"mksh", "-c", "true"},
                 {"csh", "-c", "true"},
                 {"tcsh", "-c", "true"},
                 {"fish", "-c", "true"},
                 {"pwsh", "-c", "true"}})},
      {"runs-other-programs", "this program runs others that the policy does not see",
       "leave it out, or forbid its arguments that do so with argv[*]: {not: {one_of: [...]}}",
       Programs({{"env", "sh"},
                 {"xargs", "sh"},
                 {"timeout", "9", "sh"},
                 {"nohup", "sh"},
                 {"find", ".", "-exec", "sh", "{}", ";"},
                 {"find", ".", "-delete"},
                 {"awk", "BEGIN{system(\"id\")}"},
                 {"gawk", "BEGIN{system(\"id\")}"},
                 {"mawk", "BEGIN{system(\"id\")}"},
                 {"sed", "1e id", "a"},
                 {"git", "-c", "core.pager=sh", "log"},
                 {"tar", "--to-command=sh", "-xf", "a.tar"},
                 {"nice", "sh"},
                 {"stdbuf", "-o0", "sh"},
                 {"setsid", "sh"},
                 {"time", "sh"},
                 {"watch", "sh"},
                 {"parallel", "sh"},
                 {"script", "-c", "sh"},
                 {"strace", "sh"},
                 {"ltrace", "sh"},
                 {"gdb", "-ex", "!sh"},
                 {"chroot", "/", "sh"},
                 {"unshare", "sh"},
                 {"nsenter", "sh"},
                 {"setpriv", "sh"},
                 {"taskset", "1", "sh"},
                 {"flock", "a", "sh"},
                 {"ed", "a"},
                 {"vi", "-c", "!sh"},
                 {"vim", "-c", "!sh"},
                 {"nvim", "-c", "!sh"},
                 {"emacs", "--eval", "(shell)"},
                 {"less", "a"},
                 {"more", "a"},
                 {"man", "-P", "sh", "sh"},
                 {"expect", "-c", "spawn sh"},
                 {"tclsh", "a.tcl"}})},
      {"inline-code", "code stands in an argument, where no file is left to look at",
       "let argv[1] be a file: {matches: '[A-Za-z0-9_./].*'}", Programs(InlineCode())},
      {"leaves-the-sandbox", "this program exists to reach other machines or other rights",
       "leave it out: in the sandbox it has nothing to reach",
       Programs({{"curl", "https://example.com"},
                 {"wget", "https://example.com"},
                 {"ssh", "example.com"},
                 {"scp", "a", "example.com:"},
                 {"sftp", "example.com"},
                 {"rsync", "a", "example.com:"},
                 {"nc", "example.com", "80"},
                 {"ncat", "example.com", "80"},
                 {"netcat", "example.com", "80"},
                 {"socat", "-", "TCP:example.com:80"},
                 {"telnet", "example.com"},
                 {"sudo", "id"},
                 {"doas", "id"},
                 {"su"},
                 {"docker", "ps"},
                 {"podman", "ps"},
                 {"mount"}})},
      {"secret-readable",
       "files that hold keys and passwords can be read",
       "extend builtin/base, or add the file to workspace.hide",
       {File("fs.read", ".env", PathAccess::kRead), File("fs.read", "a/.env", PathAccess::kRead),
        File("fs.read", ".ssh/id_ed25519", PathAccess::kRead),
        File("fs.read", ".aws/credentials", PathAccess::kRead),
        File("fs.read", "server.pem", PathAccess::kRead),
        File("fs.read", ".git-credentials", PathAccess::kRead),
        File("fs.read", ".netrc", PathAccess::kRead)}},
      {"runs-as-the-person",
       "what is written here, other programs run as the person, outside the sandbox",
       "extend builtin/base, or add the folder to workspace.protect",
       {File("fs.write", ".git/hooks/pre-commit", PathAccess::kWrite),
        File("fs.write", ".git/config", PathAccess::kWrite),
        File("fs.write", ".nacre/x", PathAccess::kWrite),
        File("fs.write", "policy.yaml", PathAccess::kWrite)}},
  };
  return kDangers;
}

std::string CallText(const Request& request) {
  if (const Json* argv = FindMember(request.arguments, "argv")) {
    std::string text = request.tool;
    for (const Json& word : *argv) {
      text += " " + word.get<std::string>();
    }
    return text;
  }
  return request.tool + " " + ShownPath(request.paths.at(0).path);
}

void FindDangers(const Policy& policy, std::vector<Risk>& risks) {
  for (const Danger& danger : Dangers()) {
    std::set<std::string> named;
    for (const Request& call : danger.calls) {
      const Decision decision = Evaluate(policy, call);
      if (decision.verdict == Verdict::kAllow && named.insert(decision.rule).second) {
        risks.push_back({danger.name, decision.rule, decision.source,
                         "it allows \"" + CallText(call) + "\": " + danger.what, danger.advice});
      }
    }
  }
}

// Domains below which anybody gets a name of their own: the best known of those that are no top-level domains.
bool IsPublicSuffix(const std::string& domain) {
  static const std::set<std::string> kServices = {"amazonaws.com",     "appspot.com",
                                                  "azurewebsites.net", "blogspot.com",
                                                  "cloudfront.net",    "core.windows.net",
                                                  "firebaseapp.com",   "fly.dev",
                                                  "github.io",         "gitlab.io",
                                                  "glitch.me",         "herokuapp.com",
                                                  "netlify.app",       "ngrok-free.app",
                                                  "ngrok.io",          "onrender.com",
                                                  "pages.dev",         "r2.dev",
                                                  "run.app",           "s3.amazonaws.com",
                                                  "surge.sh",          "trycloudflare.com",
                                                  "vercel.app",        "web.app",
                                                  "workers.dev",       "blob.core.windows.net"};
  static const std::set<std::string> kSecondLevels = {"ac",  "co", "com", "edu", "gov", "go",
                                                      "gob", "ne", "net", "or",  "org"};
  const size_t dot = domain.find('.');
  if (dot == std::string::npos) {
    return true;
  }
  return kServices.count(domain) > 0 ||
         (domain.size() - dot == 3 && kSecondLevels.count(domain.substr(0, dot)) > 0);  // co.uk
}

bool HoldsForAll(const ArgumentMatcher& condition) {
  static const std::vector<std::string> kEverything = {".*",      "(.*)", "(?s).*",
                                                       "[^\\n]*", ".+",   "(?s).+"};
  return !condition.negated &&
         ((condition.kind == Kind::kMatches &&
           std::count(kEverything.begin(), kEverything.end(), condition.text) > 0) ||
          (condition.kind == Kind::kGlob && (condition.text == "**" || condition.text == "*")) ||
          (condition.kind == Kind::kUnder && condition.text == "/"));
}

// What the condition denies by how it is written, as a glob below the workspace; empty for any other condition.
std::string DeniedFiles(const ArgumentMatcher& condition) {
  if (condition.negated || condition.steps[0].name != "argv") {
    return {};
  }
  if (condition.kind == Kind::kUnder) {
    const std::string folder = WorkspaceRelative(condition.text).value_or("");
    return folder.empty() ? folder : folder + "/**";
  }
  return condition.kind == Kind::kGlob && condition.text[0] != '/' ? condition.text : "";
}

// Where a link leads is looked at for the paths that a tool declares; of the words of a command line it is not.
void ReadDenies(const Policy& policy, const std::vector<ToolRule>& rules,
                std::vector<Risk>& risks) {
  if (!CouldAllow(policy, "proc.run")) {
    return;
  }
  for (const ToolRule& rule : rules) {
    if (rule.verdict != Verdict::kDeny || !RuleCoversTool(rule, "proc.run")) {
      continue;
    }
    for (const ArgumentMatcher& condition : rule.arguments) {
      const std::string files = DeniedFiles(condition);
      const std::vector<std::string> paths =
          files.empty() ? std::vector<std::string>() : PathsOfGlob(files);
      if (std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
            return !policy.program().Hiding(path).has_value();
          })) {
        risks.push_back({"denied-by-name", rule.Name(), rule.source,
                         "its condition on " + condition.path +
                             " sees how a file is written: a program still reaches the file by a "
                             "link, or by a folder above it",
                         "add \"" + ShownText(files, 100) + "\" to workspace.hide"});
        break;
      }
    }
  }
}

// A pattern of addresses that says nothing of the host.
bool HoldsForEveryHost(const ArgumentMatcher& condition) {
  if (condition.negated || condition.kind != Kind::kMatches ||
      condition.text.find("//") == std::string::npos) {
    return false;
  }
  for (const char* scheme : {"https", "http"}) {
    if (re2::RE2::FullMatch(std::string(scheme) + "://a.example/", *condition.regex) &&
        re2::RE2::FullMatch(std::string(scheme) + "://www.zz-7.test/", *condition.regex)) {
      return true;
    }
  }
  return false;
}

void ReadRules(const Policy& policy, std::vector<Risk>& risks) {
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict != Verdict::kAllow) {
      continue;
    }
    const std::string name = rule.Name();
    for (const std::string& tool : rule.tools) {
      if (tool.back() == '*' && rule.arguments.empty()) {
        risks.push_back({"every-tool", name, rule.source,
                         "it allows every tool of " + tool +
                             " with any arguments, also tools that are installed later",
                         "name the tools, and say in args what each may be given"});
      }
    }
    for (const ArgumentMatcher& condition : rule.arguments) {
      if (HoldsForAll(condition)) {
        risks.push_back({"empty-condition", name, rule.source,
                         "its condition on " + condition.path + " holds for nearly everything",
                         "say what the argument may be, or leave the condition out"});
      }
      if (HoldsForEveryHost(condition)) {
        risks.push_back(
            {"wide-hosts", name, rule.source,
             "its condition on " + condition.path + " holds for addresses of every host",
             "name the hosts: host_in: [www.example.com]"});
      }
      for (const Json& host :
           condition.kind == Kind::kHostIn ? condition.values : std::vector<Json>()) {
        const std::string& pattern = host.get_ref<const std::string&>();
        if (!condition.negated && pattern.substr(0, 2) == "*." &&
            IsPublicSuffix(pattern.substr(2))) {
          risks.push_back({"wide-hosts", name, rule.source,
                           "it allows every host below \"" + pattern.substr(2) +
                               "\", which anybody can register",
                           "name the hosts, or a domain that is yours: *.example.com"});
        }
      }
    }
  }
}

void ReadGrant(const Policy& policy, std::vector<Risk>& risks) {
  const Grant& grant = policy.grant;
  const bool writable =
      grant.workspace == WorkspaceMode::kTransactional || grant.workspace == WorkspaceMode::kDirect;
  if (grant.workspace == WorkspaceMode::kDirect) {
    risks.push_back(
        {"no-undo", "workspace.mode", policy.mode_source,
         "calls change files at once: nothing is judged afterwards or can be taken back",
         "use mode: transactional"});
    risks.push_back(
        {"no-disk-limit", "workspace.mode", policy.mode_source,
         "sandbox.limits.disk bounds each file that a call writes to the workspace, not "
         "all of them, and sandbox.limits.inodes none",
         "use mode: transactional"});
  }
  if (writable && grant.profile == "build") {
    risks.push_back({"writable-and-executable", "sandbox.profile", SourceLocation{},
                     "what a call writes to the workspace, a call can execute",
                     "use profile: default, where nothing that is built has to run"});
  }
  if (grant.workspace == WorkspaceMode::kTransactional &&
      grant.commit.links == CommitLinks::kAllow) {
    risks.push_back(
        {"links-lead-out", "workspace.commit.links", SourceLocation{},
         "calls may leave links that lead out of the workspace, which other programs follow",
         "use links: inside"});
  }
}

}  // namespace

std::vector<Risk> FindRisks(const Policy& policy) {
  std::vector<Risk> risks;
  FindDangers(policy, risks);
  ReadRules(policy, risks);
  ReadDenies(policy, policy.tools, risks);
  ReadDenies(policy, policy.narrow, risks);
  ReadGrant(policy, risks);
  return risks;
}

}  // namespace nacre::policy
