#include "policy/internal/program.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

constexpr size_t kLeavesMax = 4;     // more rules with something in common get branches
constexpr uint32_t kExactNames = 0;  // parents in tools_
constexpr uint32_t kPrefixes = 1;
constexpr size_t kToolBytesMax = 128;  // as the loader reads names of tools

// Two conditions with one identity are met by the same calls.
std::string Identity(const ArgumentMatcher& condition) {
  std::string text = condition.path + '\0' + std::to_string(static_cast<int>(condition.kind)) +
                     (condition.negated ? 'n' : 'p') + (condition.holds_when_unsure ? 'u' : 's');
  text += std::to_string(condition.minimum) + ',' + std::to_string(condition.maximum) + '\0';
  text += condition.text;
  for (const Json& value : condition.values) {
    text += '\0';
    text += value.is_string() ? "s" + value.get_ref<const std::string&>() : DumpJson(value);
  }
  return text;
}

std::optional<size_t> FirstMatch(const std::vector<std::optional<Glob>>& globs,
                                 std::string_view relative) {
  for (size_t i = 0; i < globs.size(); ++i) {
    if (!globs[i].has_value() || globs[i]->MatchesAtOrAbove(relative)) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace

Program::Program(const std::vector<ToolRule>& rules, const Grant& grant)
    : rules_(rules),
      by_rank_(rules.size()),
      hide_(CompileGlobs(grant.hide)),
      protect_(CompileGlobs(grant.protect)) {
  std::iota(by_rank_.begin(), by_rank_.end(), 0U);
  std::stable_sort(by_rank_.begin(), by_rank_.end(),
                   [&](uint32_t a, uint32_t b) { return rules_[a].verdict < rules_[b].verdict; });
  const Approvers* asked = nullptr;
  for (const uint32_t index : by_rank_) {
    const ToolRule& rule = rules_[index];
    first_allow_ += rule.verdict != Verdict::kAllow ? 1 : 0;
    if (rule.verdict == Verdict::kAsk) {
      asks_several_ = asks_several_ || (asked != nullptr && *asked != rule.approvers);
      asked = &rule.approvers;
    }
  }
  std::vector<std::vector<uint32_t>> groups(1);  // ranks, by the numbers of tools_
  for (uint32_t rank = 0; rank < by_rank_.size(); ++rank) {
    for (const std::string& tool : Ranked(rank).tools) {
      const bool prefix = tool.size() > 2 && tool.compare(tool.size() - 2, 2, ".*") == 0;
      const uint32_t group = tool == "*" ? tools_.Put(kPrefixes, "")
                             : prefix    ? tools_.Put(kPrefixes, tool.substr(0, tool.size() - 1))
                                         : tools_.Put(kExactNames, tool);
      groups.resize(std::max<size_t>(groups.size(), group + 1ULL));
      if (groups[group].empty() || groups[group].back() != rank) {
        groups[group].push_back(rank);
      }
    }
  }
  roots_.assign(groups.size(), kNone);
  for (size_t group = 1; group < groups.size(); ++group) {
    roots_[group] = Build(std::move(groups[group]), 0);
  }
}

Program::Globs Program::CompileGlobs(const std::vector<std::string>& globs) {
  Globs compiled;
  compiled.reserve(globs.size());
  for (const std::string& glob : globs) {
    compiled.push_back(Glob::Compile(glob));
  }
  return compiled;
}

// `ranks`: not empty, ascending, of rules whose first `depth` conditions are met here.
uint32_t Program::Build(std::vector<uint32_t> ranks, uint32_t depth) {
  const auto number = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  Node node{.depth = depth, .smallest = ranks.front()};
  node.asking_begin = static_cast<uint32_t>(asking_.size());
  std::vector<uint32_t> further;
  for (const uint32_t rank : ranks) {
    const ToolRule& rule = Ranked(rank);
    if (rule.arguments.size() == depth) {
      node.matching = std::min(node.matching, rank);
      if (rule.verdict == Verdict::kAsk) {
        asking_.push_back(rank);
      }
    } else {
      further.push_back(rank);
      if (rule.verdict != Verdict::kDeny) {
        node.closest = std::min(node.closest, by_rank_[rank]);
      }
    }
  }
  node.asking_end = static_cast<uint32_t>(asking_.size());
  if (further.size() <= kLeavesMax) {
    node.leaves_begin = static_cast<uint32_t>(leaves_.size());
    leaves_.insert(leaves_.end(), further.begin(), further.end());
    node.leaves_end = static_cast<uint32_t>(leaves_.size());
    nodes_[number] = node;
    return number;
  }
  struct Group {
    const ArgumentMatcher* condition;
    std::vector<uint32_t> ranks;
  };
  std::vector<Group> groups;  // by condition, in the order of their first rules
  std::unordered_map<std::string, size_t> known;
  for (const uint32_t rank : further) {
    const ArgumentMatcher& condition = Ranked(rank).arguments[depth];
    const auto [at, added] = known.emplace(Identity(condition), groups.size());
    if (added) {
      groups.push_back({&condition, {}});
    }
    groups[at->second].ranks.push_back(rank);
  }
  std::map<std::string, std::vector<Alternative>> alternatives;  // by BranchKey
  for (Group& group : groups) {
    alternatives[BranchKey(*group.condition)].push_back(
        {group.condition, Build(std::move(group.ranks), depth + 1)});
  }
  node.branches_begin = static_cast<uint32_t>(branches_.size());
  for (const auto& [key, list] : alternatives) {
    branches_.push_back(MakeBranch(list));
  }
  node.branches_end = static_cast<uint32_t>(branches_.size());
  nodes_[number] = node;
  return number;
}

// One walk through the trees of a tool.
class Program::Search {
 public:
  // Finds who decides; or, with `asking`, puts the ranks of all that match and ask there.
  Search(const Program& program, const Request& request, std::vector<uint32_t>* asking = nullptr)
      : program_(program),
        request_(request),
        asking_(asking),
        below_(asking == nullptr ? kNone : program.first_allow_) {}

  void Visit(uint32_t number) {
    const Node& node = program_.nodes_[number];
    if (node.smallest >= below_) {
      return;
    }
    if (asking_ == nullptr) {
      below_ = std::min(below_, node.matching);
      NoteClosest(node.depth, node.closest);
    } else {
      asking_->insert(asking_->end(), program_.asking_.begin() + node.asking_begin,
                      program_.asking_.begin() + node.asking_end);
    }
    for (uint32_t i = node.leaves_begin; i < node.leaves_end; ++i) {
      const uint32_t rank = program_.leaves_[i];
      if (rank >= below_) {
        break;
      }
      Try(rank, node.depth);
    }
    if (node.branches_begin == node.branches_end) {
      return;
    }
    // Below `begin` stands what the callers have still to visit.
    const size_t begin = found_.size();
    for (uint32_t i = node.branches_begin; i < node.branches_end; ++i) {
      program_.branches_[i]->Satisfied(request_, found_);
    }
    const auto from = found_.begin() + static_cast<ptrdiff_t>(begin);
    std::sort(from, found_.end());
    found_.erase(std::unique(from, found_.end()), found_.end());
    for (size_t i = begin, end = found_.size(); i < end; ++i) {
      Visit(found_[i]);
    }
    found_.resize(begin);
  }

  Answer answer() const {
    if (below_ != kNone) {
      return {.decider = &program_.Ranked(below_)};
    }
    return closest_ == kNone ? Answer{}
                             : Answer{.closest = &program_.rules_[closest_], .held = held_};
  }

 private:
  void Try(uint32_t rank, size_t held) {
    const ToolRule& rule = program_.Ranked(rank);
    while (held < rule.arguments.size() && Holds(rule.arguments[held], request_)) {
      ++held;
    }
    if (held == rule.arguments.size()) {
      if (asking_ == nullptr) {
        below_ = rank;
      } else if (rule.verdict == Verdict::kAsk) {
        asking_->push_back(rank);
      }
    } else if (rule.verdict != Verdict::kDeny) {
      NoteClosest(held, program_.by_rank_[rank]);
    }
  }

  void NoteClosest(size_t held, uint32_t rule) {
    if (rule != kNone &&
        (closest_ == kNone || held > held_ || (held == held_ && rule < closest_))) {
      closest_ = rule;
      held_ = held;
    }
  }

  const Program& program_;
  const Request& request_;
  std::vector<uint32_t>* asking_;
  uint32_t
      below_;  // no rank from here on is looked for: the best that was found, or the first that allows
  uint32_t closest_ = kNone;
  size_t held_ = 0;
  std::vector<uint32_t> found_;
};

Program::Answer Program::Ask(const Request& request) const {
  Search search(*this, request);
  Walk(request.tool, search);
  return search.answer();
}

std::vector<const ToolRule*> Program::AskingOthers(const Request& request,
                                                   const ToolRule& decider) const {
  std::vector<const ToolRule*> others;
  if (!asks_several_) {
    return others;
  }
  std::vector<uint32_t> ranks;
  Search search(*this, request, &ranks);
  Walk(request.tool, search);
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());  // several of its tools fit
  for (const uint32_t rank : ranks) {
    if (Ranked(rank).approvers != decider.approvers) {
      others.push_back(&Ranked(rank));
    }
  }
  return others;
}

void Program::Walk(const std::string& name, Search& search) const {
  const std::string_view tool = name;
  if (const uint32_t exact = tools_.Find(kExactNames, tool); exact != TextIndex::kNone) {
    search.Visit(roots_[exact]);
  }
  if (const uint32_t every = tools_.Find(kPrefixes, ""); every != TextIndex::kNone) {
    search.Visit(roots_[every]);
  }
  for (size_t dot = tool.find('.'); dot < kToolBytesMax && dot + 1 < tool.size();
       dot = tool.find('.', dot + 1)) {
    const uint32_t prefix = tools_.Find(kPrefixes, tool.substr(0, dot + 1));
    if (prefix != TextIndex::kNone) {
      search.Visit(roots_[prefix]);
    }
  }
}

std::optional<size_t> Program::Hiding(std::string_view relative) const {
  return FirstMatch(hide_, relative);
}

std::optional<size_t> Program::Protecting(std::string_view relative) const {
  return FirstMatch(protect_, relative);
}

size_t Program::bytes() const {
  size_t bytes = by_rank_.capacity() * sizeof(uint32_t) + leaves_.capacity() * sizeof(uint32_t) +
                 asking_.capacity() * sizeof(uint32_t) + roots_.capacity() * sizeof(uint32_t) +
                 nodes_.capacity() * sizeof(Node) + tools_.bytes();
  for (const auto& branch : branches_) {
    bytes += branch->bytes();
  }
  return bytes;
}

}  // namespace nacre::policy
