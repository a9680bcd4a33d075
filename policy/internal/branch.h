// Branch: many conditions on one argument, asked together. It answers which of them a call meets, in
// time that hardly depends on how many there are.
//
//   equals, one_of    a hash of the values
//   host_in           a trie of the labels, from the last
//   under             a trie of the folders
//   glob              a trie of the folders that globs begin with, then each glob found there
//   matches           an RE2::Set: all patterns in one pass over the text
//   anything else     one by one
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// One condition, and the number that Satisfied() answers for it. Several may share a number.
struct Alternative {
  const ArgumentMatcher* condition;
  uint32_t number;
};

class Branch {
 public:
  virtual ~Branch() = default;
  // Appends the numbers of the conditions that the call meets, some perhaps twice. Thread-safe.
  virtual void Satisfied(const Request& request, std::vector<uint32_t>& numbers) const = 0;
  virtual size_t bytes() const = 0;
};

// Which of the branches above takes the condition, with others that have the same key.
std::string BranchKey(const ArgumentMatcher& condition);

// `alternatives`: not empty, all of one BranchKey. The conditions must outlive the branch.
std::unique_ptr<const Branch> MakeBranch(const std::vector<Alternative>& alternatives);

}  // namespace nacre::policy
