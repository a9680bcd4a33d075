// Problems: what is wrong with a policy, collected so that a person can mend it in one go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/decision.h"

namespace nacre::policy {

// The candidate that `word` was probably meant to be, or "": at most two edits away, and no more
// than a third of the word.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

class Problems {
 public:
  // "file:line:column: key.path: what; did you mean "suggestion"?"
  void Add(const SourceLocation& where, const std::string& key_path, const std::string& what,
           const std::string& suggestion = {});

  bool empty() const { return lines_.empty(); }
  // The first 20, one a line, as kInvalidArgument.
  Error ToError() const;

 private:
  std::vector<std::string> lines_;
  size_t left_out_ = 0;
};

}  // namespace nacre::policy
