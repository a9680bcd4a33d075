#include "policy/lint.h"

#include <algorithm>
#include <set>
#include <utility>

#include "policy/evaluator.h"
#include "policy/internal/display.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

struct Danger {
  const char* name;
  const char* what;
  const char* advice;
  std::vector<Request> calls;
};

Request Run(std::vector<std::string> argv) {
  return {.tool = "proc.run", .arguments = {{"argv", std::move(argv)}}, .paths = {}};
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
      {"shell",
       "a shell runs whatever one argument says",
       "name the programs that are needed in argv[0]: {one_of: [...]}",
       {Run({"sh", "-c", "true"}), Run({"bash", "-c", "true"}), Run({"/bin/sh", "-c", "true"}),
        Run({"dash", "-c", "true"}), Run({"zsh", "-c", "true"}), Run({"busybox", "sh"})}},
      {"runs-other-programs",
       "this program runs others that the policy does not see",
       "leave it out, or forbid its arguments that do so with argv[*]: {not: {one_of: [...]}}",
       {Run({"env", "sh"}), Run({"xargs", "sh"}), Run({"timeout", "9", "sh"}), Run({"nohup", "sh"}),
        Run({"find", ".", "-exec", "sh", "{}", ";"}), Run({"find", ".", "-delete"}),
        Run({"awk", "BEGIN{system(\"id\")}"}), Run({"sed", "1e id", "a"}),
        Run({"git", "-c", "core.pager=sh", "log"}),
        Run({"tar", "--to-command=sh", "-xf", "a.tar"})}},
      {"inline-code",
       "code stands in an argument, where no file is left to look at",
       "let argv[1] be a file: {matches: '[A-Za-z0-9_./].*'}",
       {Run({"python3", "-c", "pass"}), Run({"python", "-c", "pass"}), Run({"perl", "-e", "1"}),
        Run({"ruby", "-e", "1"}), Run({"node", "-e", "1"}), Run({"node", "--eval=1"}),
        Run({"php", "-r", "1;"})}},
      {"leaves-the-sandbox",
       "this program exists to reach other machines or other rights",
       "leave it out: in the sandbox it has nothing to reach",
       {Run({"curl", "https://example.com"}), Run({"wget", "https://example.com"}),
        Run({"ssh", "example.com"}), Run({"nc", "example.com", "80"}), Run({"sudo", "id"}),
        Run({"su"}), Run({"docker", "ps"}), Run({"mount"})}},
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

void ReadRules(const Policy& policy, std::vector<Risk>& risks) {
  for (const ToolRule& rule : policy.tools) {
    if (rule.verdict != Verdict::kAllow) {
      continue;
    }
    const std::string name = "tools." + rule.id;
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
  ReadGrant(policy, risks);
  return risks;
}

}  // namespace nacre::policy
