// Problems: what is wrong with a policy, collected so that a person can mend it in one go.
#pragma once

#include <string>
#include <vector>

#include "base/nearest.h"
#include "base/result.h"
#include "policy/decision.h"

namespace nacre::policy {

class Problems {
 public:
  // "file:line:column: key.path: what; did you mean "suggestion"?"
  void Add(const SourceLocation& where, const std::string& key_path, const std::string& what,
           const std::string& suggestion = {});

  bool empty() const { return lines_.empty(); }
  // What is added now is counted and not shown: its text is not worth making.
  bool full() const;
  // The first 20, one a line, as kInvalidArgument.
  Error ToError() const;

 private:
  std::vector<std::string> lines_;
  size_t left_out_ = 0;
};

}  // namespace nacre::policy
