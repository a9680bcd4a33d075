// GivenContext: what a person says of a call's data, where no conversation says it: in a file of cases, or as
// options of `nacre policy explain`, `diff` and `replay`. The words are the same everywhere:
//
//   label     untrusted,secret,pii         what the context is, joined
//   origin    recipient=stranger           who named the arguments that have this role
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/flow.h"

namespace nacre::policy {

struct GivenContext {
  bool given =
      false;  // false: nothing was said, so only flows that speak of a tool alone can match
  Label label = Label::Clean();
  std::vector<ArgumentOrigin> origins;

  // Of a call with these effects.
  FlowFacts Facts(std::vector<CallEffect> effects) const;
};

// kInvalidArgument names what is wrong, in a clause.
Result<Label> ParseLabel(const std::string& text);
Result<ArgumentOrigin> ParseRoleOrigin(const std::string& text);
// An empty label and no origins: nothing is given.
Result<GivenContext> ReadGivenContext(const std::string& label,
                                      const std::vector<std::string>& origins);

// The other way round of LabelTexts(), as records have them. What is none of its texts makes the label no
// cleaner, and no dirtier.
Label LabelOfTexts(const std::vector<std::string>& texts);

}  // namespace nacre::policy
