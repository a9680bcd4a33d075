// Generalise: from values that an argument had to a condition that holds for them and for little else.
// The method is that of policy/learn.h.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/flow.h"

namespace nacre::policy {

struct Generalised {
  std::string matcher;  // the name: "one_of"
  Json value;
  std::string widened;  // how far beyond what was seen; empty: not
};

struct ArgumentUse {
  bool is_path = false;
  ArgumentRole role = ArgumentRole::kOption;
  bool exact =
      false;  // words of a command: never by their length alone, while there are few enough
};

// nullopt: no condition holds for all of these (null, maps, lists).
std::optional<Generalised> Generalise(const std::set<Json>& values, const ArgumentUse& use);

// A text in double quotes that YAML reads back, in printable ASCII: nothing in it ends the quotes.
std::string YamlQuoted(const std::string& text);
// A scalar or list of such as YAML.
std::string YamlValue(const Json& value);
// A text as it may stand in a comment: one line of printable ASCII.
std::string CommentText(const std::string& text, size_t bytes_max);

}  // namespace nacre::policy
