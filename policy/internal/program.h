// Program: a policy's rules and globs in the form in which decisions are made.
//
// The rules that speak of a tool, exactly or by a prefix, form a tree over their conditions: each
// node stands for the conditions that rules have in common, and its branches ask all their next
// conditions together (internal/branch). What is reached, is met: a rule whose conditions end there
// matches. A node with few rules below it only lists them, and their rest is asked one by one.
// So a decision takes time by the rules that nearly match, not by the rules there are. A rule stands
// in one place of the tree of each of its tools: memory is linear in the policy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "policy/internal/branch.h"
#include "policy/internal/text_index.h"
#include "policy/path_glob.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// Immutable, so thread-safe.
class Program final {
 public:
  // Both must outlive the program.
  Program(const std::vector<ToolRule>& rules, const Grant& grant);

  struct Answer {
    // The strictest rule that matches (deny, ask, allow), the first of equals; null when none does.
    const ToolRule* decider = nullptr;
    // When none does: the allow or ask rule of which most conditions held before the first that did
    // not, the first of equals, and how many that were. Null when none speaks of the tool.
    const ToolRule* closest = nullptr;
    size_t held = 0;
  };
  Answer Ask(const Request& request) const;
  // Where the decider asks: the rules that match as well and ask others than it does, as they stand.
  std::vector<const ToolRule*> AskingOthers(const Request& request, const ToolRule& decider) const;

  // The first glob of grant.hide, or of grant.protect, that matches the path, relative to the
  // workspace, or a folder that it is in. A glob that cannot be read matches everything.
  std::optional<size_t> Hiding(std::string_view relative) const;
  std::optional<size_t> Protecting(std::string_view relative) const;

  // What it takes in memory beyond the rules themselves, about.
  size_t bytes() const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  using Globs = std::vector<std::optional<Glob>>;

  // Rules are numbered by rank: deny, then ask, then allow, and within these as they stand. The
  // smaller rank decides.
  struct Node {
    uint32_t depth = 0;         // how many conditions were met on the way here
    uint32_t matching = kNone;  // the smallest rank of the rules that end here
    uint32_t smallest = kNone;  // the smallest rank here and below
    uint32_t closest = kNone;   // the first rule, by index, below that allows or asks
    uint32_t asking_begin = 0;  // the ranks of those that end here and ask, in asking_
    uint32_t asking_end = 0;
    uint32_t leaves_begin = 0;  // ranks, ascending, in leaves_
    uint32_t leaves_end = 0;
    uint32_t branches_begin = 0;  // in branches_
    uint32_t branches_end = 0;
  };
  class Search;

  void Walk(const std::string& tool, Search& search) const;
  static Globs CompileGlobs(const std::vector<std::string>& globs);
  uint32_t Build(std::vector<uint32_t> ranks, uint32_t depth);
  const ToolRule& Ranked(uint32_t rank) const { return rules_[by_rank_[rank]]; }

  const std::vector<ToolRule>& rules_;
  std::vector<uint32_t> by_rank_;  // rank to index in rules_
  uint32_t first_allow_ = 0;       // a rank: those below it deny or ask
  bool asks_several_ = false;      // not all rules that ask have the same approvers
  Globs hide_;
  Globs protect_;
  TextIndex tools_;              // below 0: exact names; below 1: prefixes, "fs." for "fs.*"
  std::vector<uint32_t> roots_;  // by the numbers of tools_
  std::vector<Node> nodes_;      // a branch's numbers are nodes
  std::vector<uint32_t> asking_;
  std::vector<uint32_t> leaves_;
  std::vector<std::unique_ptr<const Branch>> branches_;
};

}  // namespace nacre::policy
