// "No tool can write what another executes": no file that one call may write and a call of another tool
// may then run. A call executes
//
//   - the file that argv[0] names, by a path in the workspace, where the sandbox profile lets what was
//     written run (build);
//   - the file that argv[1] names, of a program that runs scripts (python3, sh, ...); when argv[1] is an
//     option, some file;
//   - the project file of a program that runs one (make: Makefile, ...).
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "policy/analysis/call_encoding.h"
#include "policy/analysis/call_search.h"
#include "policy/evaluator.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

const char* const kScriptPrograms =
    "(.*/)?(python[0-9.]*|node|nodejs|ruby|perl|php|lua|tclsh|guile|sh|bash|dash|zsh|ksh|fish|awk|"
    "gawk|mawk|sed|java|Rscript|julia|pytest)";
struct ProjectProgram {
  const char* program;
  const char* file;
};
constexpr ProjectProgram kProjectPrograms[] = {
    {"make", "Makefile"},      {"cmake", "CMakeLists.txt"},
    {"ninja", "build.ninja"},  {"npm", "package.json"},
    {"cargo", "build.rs"},     {"ctest", "CTestTestfile.cmake"},
    {"pytest", "conftest.py"}, {"go", "go.mod"},
    {"mvn", "pom.xml"},        {"gradle", "build.gradle"}};

ArgumentMatcher Condition(const std::string& path, ArgumentMatcher::Kind kind) {
  ArgumentMatcher matcher;
  matcher.path = path;
  matcher.steps = *ParseArgumentPath(path);
  matcher.kind = kind;
  return matcher;
}

ArgumentMatcher Matching(const std::string& path, const std::string& pattern,
                         bool negated = false) {
  ArgumentMatcher matcher = Condition(path, ArgumentMatcher::Kind::kMatches);
  SetPattern(matcher, pattern);
  matcher.negated = negated;
  return matcher;
}

ArgumentMatcher InWorkspace(const std::string& path) {
  ArgumentMatcher matcher = Condition(path, ArgumentMatcher::Kind::kUnder);
  matcher.text = kWorkspaceRoot;
  return matcher;
}

ToolRule Way(const char* id, std::vector<ArgumentMatcher> conditions) {
  ToolRule rule;
  rule.id = id;
  rule.tools = {"*"};
  rule.arguments = std::move(conditions);
  return rule;
}

// One way to execute a file, and which argument names it (empty: none does).
struct ExecuteWay {
  ToolRule calls;
  std::string argument;
  std::string fixed_file;  // of a project program
  std::string program;
};

std::vector<ExecuteWay> Ways(const Policy& policy) {
  std::vector<ExecuteWay> ways;
  if (policy.grant.profile == "build") {
    ways.push_back(
        {Way("file", {InWorkspace("argv[0]"), Matching("argv[0]", ".*/.*")}), "argv[0]", "", ""});
  }
  ways.push_back({Way("script", {InWorkspace("argv[1]"), Matching("argv[0]", kScriptPrograms),
                                 Matching("argv[1]", "-.*", /*negated=*/true)}),
                  "argv[1]", "", ""});
  ways.push_back({Way("option", {Matching("argv[0]", kScriptPrograms), Matching("argv[1]", "-.*")}),
                  "", "", ""});
  for (const ProjectProgram& known : kProjectPrograms) {
    ways.push_back({Way("project", {Matching("argv[0]", std::string("(.*/)?") + known.program)}),
                    "", known.file, known.program});
  }
  return ways;
}

bool Executes(const ToolModel& tool) {
  return std::find(tool.traits.effects.begin(), tool.traits.effects.end(), CallEffect::kExecute) !=
         tool.traits.effects.end();
}

// Folders, and files as if they were folders, that rules and globs tell apart.
std::vector<std::string> SharedFolders(const Policy& policy) {
  std::set<std::string> folders = {std::string(kWorkspaceRoot)};
  const auto add_globs = [&](const std::vector<std::string>& globs, GlobReach reach) {
    for (const std::string& glob : globs) {
      if (auto folder = FolderOfGlob(glob, reach)) {
        folders.insert(std::move(*folder));
      }
    }
  };
  add_globs(policy.grant.hide, GlobReach::kAbove);
  add_globs(policy.grant.protect, GlobReach::kAbove);
  for (const ToolRule& rule : policy.tools) {
    for (const ArgumentMatcher& matcher : rule.arguments) {
      if (matcher.kind == ArgumentMatcher::Kind::kUnder) {
        folders.insert(matcher.text);
      } else if (matcher.kind == ArgumentMatcher::Kind::kGlob) {
        add_globs({matcher.text}, GlobReach::kWhole);
      }
      for (const Json& value : matcher.values) {
        if (value.is_string() && matcher.kind != ArgumentMatcher::Kind::kHostIn) {
          if (const auto path = NormalisePath(value.get_ref<const std::string&>())) {
            folders.insert(*path);
          }
        }
      }
    }
  }
  return {folders.begin(), folders.end()};
}

class WriteExecute final {
 public:
  WriteExecute(const ProverInput& input, std::chrono::steady_clock::time_point deadline)
      : input_(input),
        deadline_(deadline),
        folders_(SharedFolders(*input.policy)),
        ways_(Ways(*input.policy)) {}

  ProofAnswer Prove() {
    ProofAnswer answer;
    size_t pairs = 0;
    for (const ToolModel& writer : *input_.tools) {
      for (const ToolModel::Path& path : writer.paths) {
        for (const ToolModel& runner : *input_.tools) {
          if (path.access != PathAccess::kWrite || &writer == &runner || !Executes(runner)) {
            continue;
          }
          ++pairs;
          if (Pair(writer, path.key, runner, answer)) {
            return answer;
          }
        }
      }
    }
    for (const ToolModel& runner : *input_.tools) {
      const Json* properties = FindMember(runner.schema, "properties");
      if (Executes(runner) && properties != nullptr && FindMember(*properties, "argv") == nullptr) {
        unknown_.insert(runner.name + ": its arguments do not say which file it executes");
      }
    }
    for (const ToolModel& writer : *input_.tools) {
      for (const ToolModel& runner : *input_.tools) {
        if (writer.writes_unnamed && &writer != &runner && Executes(runner) && MayRun(writer) &&
            MayRun(runner)) {
          ++pairs;
          unknown_.insert(writer.name + ": its arguments do not say which files it writes, and " +
                          runner.name + " may execute them");
        }
      }
    }
    std::string unknown;
    for (const std::string& why : unknown_) {
      unknown += (unknown.empty() ? "" : "; ") + why;
    }
    answer.status = unknown.empty() ? ProofStatus::kProved : ProofStatus::kUnknown;
    answer.what = !unknown.empty() ? unknown
                  : pairs == 0
                      ? "there are no two tools of which one writes and the other executes"
                      : "of " + Counted(pairs, "pair") +
                            " of tools, none may write a file that the other may then execute";
    return answer;
  }

 private:
  // False when it is known that no call of the tool is allowed or asked for, or that none writes a file.
  bool MayRun(const ToolModel& tool) const {
    if (input_.policy->grant.workspace <= WorkspaceMode::kReadOnly) {
      return false;
    }
    Solver solver;
    CallEncoding encoding(solver, tool, {input_.policy}, {});
    return solver.Check({encoding.Either(encoding.Decided(*input_.policy, /*flows=*/true))},
                        TimeLeft(deadline_)) != Solver::Answer::kCannot;
  }

  std::optional<ConfirmedCall> Granted(const CandidateCall& call,
                                       const std::function<bool(const Request&)>& fits) const {
    FlowFacts facts;
    for (const ToolModel& tool : *input_.tools) {
      facts.effects = tool.name == call.tool ? tool.traits.effects : facts.effects;
    }
    return Confirmed(input_, call, facts, [&](const Request& request, const Decision& decision) {
      return decision.verdict >= Verdict::kAsk && fits(request);
    });
  }

  // Some rule that grants the tool may hold for a call whose argv[0] is the way's.
  bool MayBeGranted(const ToolModel& runner, const ExecuteWay& way) const {
    const auto program = [](const ArgumentMatcher& condition) {
      return condition.path == "argv[0]";
    };
    const auto fits = [&](const Json& name) {
      const Request call{
          .tool = runner.name, .arguments = {{"argv", Json::array({name})}}, .paths = {}};
      return std::all_of(way.calls.arguments.begin(), way.calls.arguments.end(),
                         [&](const ArgumentMatcher& condition) {
                           return !program(condition) || Holds(condition, call);
                         });
    };
    return std::any_of(
        input_.policy->tools.begin(), input_.policy->tools.end(), [&](const ToolRule& rule) {
          return rule.verdict != Verdict::kDeny && RuleCoversTool(rule, runner.name) &&
                 std::none_of(
                     rule.arguments.begin(), rule.arguments.end(),
                     [&](const ArgumentMatcher& condition) {
                       const bool names = condition.kind == ArgumentMatcher::Kind::kEquals ||
                                          condition.kind == ArgumentMatcher::Kind::kOneOf;
                       return program(condition) && names && !condition.negated &&
                              std::none_of(condition.values.begin(), condition.values.end(), fits);
                     });
        });
  }

  // True when a pair of calls was found.
  bool Pair(const ToolModel& writer, const std::string& key, const ToolModel& runner,
            ProofAnswer& answer) {
    std::vector<const ExecuteWay*> ways;
    std::vector<const ToolRule*> calls;
    for (const ExecuteWay& way : ways_) {
      if (MayBeGranted(runner, way)) {
        ways.push_back(&way);
        calls.push_back(&way.calls);
      }
    }
    if (ways.empty() || !CouldAllow(*input_.policy, writer.name)) {
      return false;
    }
    if (TimeLeft(deadline_).count() <= 0) {
      unknown_.insert(writer.name + ", " + runner.name + ": " + kNoTimeLeft);
      return false;
    }
    Solver solver;
    CallEncoding write(solver, writer, {input_.policy}, {}, folders_);
    CallEncoding run(solver, runner, {input_.policy}, calls, folders_);
    solver.Require(write.Either(write.Decided(*input_.policy, /*flows=*/true)));
    solver.Require(run.Either(run.Decided(*input_.policy, /*flows=*/true)));
    solver.Require(write.Under(MemberPath("", key), std::string(kWorkspaceRoot)));
    std::map<std::string, Formula> same_file;
    for (const ExecuteWay* way : ways) {
      if (!way->argument.empty() && same_file.count(way->argument) == 0) {
        same_file[way->argument] = SameFolders(solver, write, key, run, way->argument);
      }
      std::vector<Formula> wanted = {run.Matches(way->calls)};
      if (!way->argument.empty()) {
        wanted.push_back(same_file.at(way->argument));
      }
      for (int tried = 0;; ++tried) {
        const Solver::Answer found = solver.Check(wanted, TimeLeft(deadline_));
        if (found == Solver::Answer::kCannot && tried == 0) {
          break;
        }
        if (found == Solver::Answer::kUnknown) {
          unknown_.insert(writer.name + ", " + runner.name +
                          ": the solver stopped: " + solver.why_unknown());
          break;
        }
        if (found == Solver::Answer::kCannot || tried == kPairsTried) {
          unknown_.insert(writer.name + ", " + runner.name +
                          ": by its conditions a file may be written and "
                          "executed (" +
                          way->calls.id + "), and no such pair of calls was found");
          break;
        }
        if (Confirm(*way, write.Call(), key, run.Call(), answer)) {
          return true;
        }
        wanted.push_back(solver.AnyOf({write.Differs(), run.Differs()}));
      }
    }
    return false;
  }

  // What is the same file is in the same folders.
  Formula SameFolders(Solver& solver, CallEncoding& write, const std::string& key,
                      CallEncoding& run, const std::string& argument) const {
    std::vector<Formula> all;
    for (const std::string& folder : folders_) {
      const Formula written = write.Under(MemberPath("", key), folder);
      const Formula executed = run.Under(argument, folder);
      all.push_back(solver.Implies(written, executed));
      all.push_back(solver.Implies(executed, written));
    }
    return solver.AllOf(all);
  }

  bool Confirm(const ExecuteWay& way, const CandidateCall& write, const std::string& key,
               const CandidateCall& run, ProofAnswer& answer) const {
    std::vector<std::string> files = {StringMember(write.arguments, key)};
    if (!way.fixed_file.empty()) {
      files = {std::string(kWorkspaceRoot) + "/" + way.fixed_file};
    } else if (const Json* argv = FindMember(run.arguments, "argv");
               argv != nullptr && argv->is_array()) {
      for (const Json& word : *argv) {
        files.push_back(word.is_string() ? word.get<std::string>() : "");
      }
      files.push_back(std::string(kWorkspaceRoot) + "/x.py");
    }
    std::vector<std::vector<std::string>> before = {{}};
    if (way.calls.id == std::string("project")) {
      before = {{way.program}};
    } else if (way.calls.id == std::string("script")) {
      before = {{"python3"}, {"python"}, {"node"}, {"sh"}, {"bash"}, {"perl"}, {"ruby"}};
    } else if (way.calls.id == std::string("option")) {
      before = {{"python3", "-u"}, {"python", "-u"}, {"sh", "-e"}, {"bash", "-e"}, {"perl", "-w"}};
    }
    if (const Json* argv = FindMember(run.arguments, "argv");
        argv != nullptr && argv->is_array() && !argv->empty() && argv->at(0).is_string() &&
        way.calls.id != std::string("file")) {
      before.insert(before.begin(), {argv->at(0).get<std::string>()});
    }
    for (const std::string& file : files) {
      CandidateCall writing = write;
      writing.arguments[key] = file;
      auto written = Granted(writing, [](const Request&) { return true; });
      if (!written.has_value()) {
        continue;
      }
      const std::string path = written->request.paths.at(0).path;
      for (const std::vector<std::string>& words : before) {
        CandidateCall running{run.tool, Json::object()};
        running.arguments["argv"] = words;
        if (way.fixed_file.empty()) {
          running.arguments["argv"].push_back(path);
        }
        auto executed = Granted(running, [&](const Request& request) {
          return way.calls.id == std::string("option") ||
                 ConditionsHeld(way.calls, request) == way.calls.arguments.size();
        });
        if (executed.has_value()) {
          answer.status = ProofStatus::kCounterExample;
          answer.what = "the first of these calls writes " + path + ", the second executes it";
          answer.calls = {std::move(*written), std::move(*executed)};
          return true;
        }
      }
    }
    return false;
  }

  static constexpr int kPairsTried = 12;

  const ProverInput& input_;
  const std::chrono::steady_clock::time_point deadline_;
  const std::vector<std::string> folders_;
  const std::vector<ExecuteWay> ways_;
  std::set<std::string> unknown_;
};

}  // namespace

ProofAnswer ProveNoWriteExecute(const ProverInput& input,
                                std::chrono::steady_clock::time_point deadline) {
  return WriteExecute(input, deadline).Prove();
}

}  // namespace nacre::policy
