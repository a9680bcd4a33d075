// nacre sandbox profile [NAME]: which system calls a profile allows, each with its reason.
#include <cstdio>
#include <cstring>
#include <map>

#include "runtime/cli/command.h"
#include "sandbox/seccomp/filter.h"
#include "sandbox/seccomp/syscall_groups.h"

namespace nacre::cli {
namespace {

using sandbox::seccomp::Profile;
using sandbox::seccomp::SyscallRule;
using sandbox::seccomp::Verdict;

constexpr size_t kWrapColumn = 100;

struct ProfileTable {
  Profile profile;
  std::vector<SyscallRule> rules;
  size_t calls = 0;         // allowed, some with certain arguments only
  size_t instructions = 0;  // of the filter that the kernel runs
};

Result<ProfileTable> ReadProfile(const std::string& name) {
  ProfileTable table;
  table.profile = NACRE_TRY(sandbox::seccomp::FindProfile(name));
  table.rules = NACRE_TRY(sandbox::seccomp::ProfileRules(name));
  table.calls = sandbox::seccomp::CountAllowed(table.rules);
  table.instructions =
      NACRE_TRY(sandbox::seccomp::CompileProfile(name)).reporting.instructions.size();
  return table;
}

std::string ErrorName(int error) {
  const char* name = ::strerrorname_np(error);
  return name != nullptr ? name : std::to_string(error);
}

// "allow", "fails with EPERM", "ends the call".
std::string VerdictText(const SyscallRule& rule) {
  switch (rule.verdict) {
    case Verdict::kAllow:
      return "allow";
    case Verdict::kKill:
      return "ends the call";
    case Verdict::kDeny:
      break;
  }
  return "fails with " + ErrorName(rule.error);
}

std::string CallText(const SyscallRule& rule) {
  std::string text = rule.name;
  for (const sandbox::seccomp::ArgumentCheck& check : rule.checks) {
    char buffer[96];
    std::snprintf(buffer, sizeof buffer, "[arg%u & %#llx == %#llx]", check.index,
                  static_cast<unsigned long long>(check.mask),
                  static_cast<unsigned long long>(check.value));
    text += buffer;
  }
  return text;
}

OrderedJson SizeJson(const ProfileTable& table) {
  return {{"profile", table.profile.name},
          {"purpose", table.profile.purpose},
          {"calls", table.calls},
          {"instructions", table.instructions},
          {"runs_what_it_makes", table.profile.runs_what_it_makes}};
}

OrderedJson TableJson(const ProfileTable& table) {
  OrderedJson json = SizeJson(table);
  json["otherwise"] = "ENOSYS";
  json["foreign_architecture"] = "kill";
  json["rules"] = OrderedJson::array();
  for (const SyscallRule& rule : table.rules) {
    OrderedJson entry = {{"call", rule.name},
                         {"verdict", rule.verdict == Verdict::kAllow  ? "allow"
                                     : rule.verdict == Verdict::kKill ? "kill"
                                                                      : "deny"}};
    if (rule.verdict == Verdict::kDeny) {
      entry["errno"] = ErrorName(rule.error);
    }
    if (!rule.checks.empty()) {
      entry["arguments"] = OrderedJson::array();
      for (const sandbox::seccomp::ArgumentCheck& check : rule.checks) {
        entry["arguments"].push_back(
            {{"index", check.index}, {"mask", check.mask}, {"value", check.value}});
      }
    }
    entry["reason"] = rule.reason;
    json["rules"].push_back(std::move(entry));
  }
  return json;
}

void PrintSize(const ProfileTable& table) {
  std::printf("%-16s %3zu calls  %3zu instructions  %s\n", table.profile.name.c_str(), table.calls,
              table.instructions, table.profile.purpose.c_str());
}

// One paragraph for each reason, in the table's order.
void PrintTable(const ProfileTable& table) {
  PrintSize(table);
  std::vector<std::string> heads;
  std::map<std::string, std::vector<std::string>> calls;
  for (const SyscallRule& rule : table.rules) {
    const std::string head = VerdictText(rule) + ": " + rule.reason;
    auto [found, added] = calls.try_emplace(head);
    if (added) {
      heads.push_back(head);
    }
    found->second.push_back(CallText(rule));
  }
  for (const std::string& head : heads) {
    std::printf("%s\n", head.c_str());
    std::string line = " ";
    for (const std::string& call : calls[head]) {
      if (line.size() > 1 && line.size() + call.size() + 1 > kWrapColumn) {
        std::printf("%s\n", line.c_str());
        line = " ";
      }
      line += " " + call;
    }
    std::printf("%s\n", line.c_str());
  }
  std::printf("fails with ENOSYS: every other call\nends the call: %s\n",
              "calls of a foreign architecture (32-bit, x32)");
}

Status Show(const Globals& globals, const std::string& name) {
  if (!name.empty()) {
    const ProfileTable table = NACRE_TRY(ReadProfile(name));
    if (globals.json) {
      PrintJson(TableJson(table));
    } else {
      PrintTable(table);
    }
    return Ok();
  }
  OrderedJson list = OrderedJson::array();
  for (const Profile& profile : sandbox::seccomp::Profiles()) {
    const ProfileTable table = NACRE_TRY(ReadProfile(profile.name));
    if (globals.json) {
      list.push_back(SizeJson(table));
    } else {
      PrintSize(table);
    }
  }
  if (globals.json) {
    PrintJson(list);
  }
  return Ok();
}

}  // namespace

void RegisterSandboxProfile(CLI::App& sandbox, Globals& globals) {
  CLI::App* command =
      sandbox.add_subcommand("profile", "The system calls that a profile allows, and why");
  command->footer(
      "Examples:\n"
      "  nacre sandbox profile\n"
      "  nacre sandbox profile pure\n"
      "  nacre sandbox profile default --json\n"
      "A policy chooses one: sandbox: {profile: NAME}.");
  auto name = std::make_shared<std::string>();
  AddJsonFlag(*command, globals);
  command->add_option("name", *name, "The profile; without it all are listed with their sizes");
  command->callback([&globals, name] {
    if (const auto found = sandbox::seccomp::FindProfile(*name); !name->empty() && !found.ok()) {
      globals.exit_code = Fail(globals, found.error(), kExitUsage);
      return;
    }
    const Status shown = Show(globals, *name);
    globals.exit_code = shown.ok() ? 0 : Fail(globals, shown.error());
  });
}

}  // namespace nacre::cli
