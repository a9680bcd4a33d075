// What the policy takes of what a call left.
#include "runtime/agent/workspace_change.h"

#include <catch2/catch.hpp>

namespace nacre::agent {
namespace {

using sandbox::Change;
using sandbox::EntryType;

Change Created(const std::string& path, EntryType type, uint32_t mode, std::string target = {}) {
  Change change;
  change.path = path;
  change.after.type = type;
  change.after.mode = mode;
  change.after.target = std::move(target);
  return change;
}

std::string Refused(const policy::Grant& grant, const Change& change) {
  sandbox::Diff diff;
  diff.changes = {change};
  const std::vector<sandbox::Refusal> refusals = JudgeDiff(diff, grant);
  return refusals.empty() ? "" : refusals[0].path + ": " + refusals[0].reason;
}

TEST_CASE("what the policy does not take is refused by name") {
  policy::Grant grant;
  grant.hide = {"**/.env", "secrets/**"};
  grant.protect = {"**/.git/**", "policy.yaml"};
  const auto file = [](const std::string& path) { return Created(path, EntryType::kFile, 0644); };
  CHECK(Refused(grant, file("src/main.c")).empty());
  CHECK(Refused(grant, file("a/.env")) == "a/.env: the policy hides it");
  CHECK(Refused(grant, file("secrets/x/y")) == "secrets/x/y: the policy hides it");
  CHECK(Refused(grant, file("sub/.git/hooks/pre-commit")) ==
        "sub/.git/hooks/pre-commit: the policy protects it from changes");
  CHECK(Refused(grant, Created("new/.git", EntryType::kDirectory, 0755)) ==
        "new/.git: the policy protects it from changes");
  CHECK(Refused(grant, file("policy.yaml/below")) ==
        "policy.yaml/below: the policy protects it from changes");
  Change deleted;
  deleted.path = "policy.yaml";
  deleted.before.type = EntryType::kFile;
  CHECK_FALSE(Refused(grant, deleted).empty());
}

TEST_CASE("executables and links are taken as the policy says") {
  using policy::CommitExecutables;
  using policy::CommitLinks;
  policy::Grant grant;
  Change program = Created("run", EntryType::kFile, 0755);
  CHECK(Refused(grant, program).empty());
  grant.commit.executables = CommitExecutables::kDeny;
  CHECK(Refused(grant, program) == "run: the policy takes no new executable files");
  program.before = program.after;  // executable before: its content changed
  program.after.size = 1;
  CHECK(Refused(grant, program).empty());
  const auto link = [](const std::string& path, const std::string& target) {
    return Created(path, EntryType::kSymlink, 0, target);
  };
  for (const char* inside : {"b", "./b", "../a", "x/../y", ""}) {
    CHECK(Refused(grant, link("d/l", inside)).empty());
  }
  for (const char* outside : {"/etc/passwd", "../../x", "x/../../../y", "../.."}) {
    CHECK_FALSE(Refused(grant, link("d/l", outside)).empty());
  }
  grant.commit.links = CommitLinks::kAllow;
  CHECK(Refused(grant, link("l", "/etc/passwd")).empty());
  grant.commit.links = CommitLinks::kDeny;
  CHECK_FALSE(Refused(grant, link("l", "b")).empty());
}

}  // namespace
}  // namespace nacre::agent
