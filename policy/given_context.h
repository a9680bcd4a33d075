// GivenContext: what a person says of a call's data, where no conversation says it: in a file of cases, or as
// options of `nacre policy explain`, `diff` and `replay`. The words are the same everywhere:
//
//   label     untrusted,secret,pii         what the context is, joined
//   origin    recipient=stranger           who named the arguments that have this role
//
// It holds for a call as a watched context (context_tracker) would: an origin counts where the call has an
// argument of that role, "link" where a title or body names a network place, and what is "derived" while the
// context is trusted is as good as trusted, unless a quarantine may have put a stranger's value into it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/flow.h"
#include "policy/request.h"
#include "policy/tool_traits.h"

namespace nacre::policy {

struct GivenContext {
  bool given =
      false;  // false: nothing was said, so only flows that speak of a tool alone can match
  Label label = Label::Clean();
  std::vector<ArgumentOrigin> origins;

  // Of the call, as a policy with these rules sees it.
  FlowFacts Facts(const DataRules& rules, const ToolTraits& tool, const Request& call) const;
};

// A context with this label in which anybody may have named any argument: what it narrows can be narrowed.
GivenContext NamedByAnyone(Label label);

// kInvalidArgument names what is wrong, in a clause. Blanks around commas are nothing.
Result<Label> ParseLabel(const std::string& text);
// Of an option nobody asks who named it.
Result<ArgumentOrigin> ParseRoleOrigin(const std::string& text);
// An empty label and no origins: nothing is given.
Result<GivenContext> ReadGivenContext(const std::string& label,
                                      const std::vector<std::string>& origins);

// A category of the context that none of the policies names is a misspelt word: kInvalidArgument, with what may have
// been meant.
Status CheckCategories(const GivenContext& context, const std::vector<const DataRules*>& policies);

// What is wrong with the context for this call: an origin of a role that none of its arguments has. `facts`: of the
// same context and call.
std::optional<std::string> UnfitOrigin(const GivenContext& context, const FlowFacts& facts);

// The other way round of LabelTexts(), as records and stores have them. A text that is none of its texts is of a
// damaged row, or of a version that knows more: nobody knows what it said, so the label is untrusted and secret.
Label LabelOfTexts(const std::vector<std::string>& texts);

// The same of a JSON value that should be a list of such texts, or is null for none. Whatever else it is counts as such
// a text.
Label LabelOfJson(const Json& texts);

// The origins of a call as records have them: {"body=derived", "recipient=stranger"}, sorted, each once. Their values
// are among its arguments.
std::vector<std::string> OriginTexts(const FlowFacts& facts);

// The context that a record tells of. Where an origin is none of its texts, anybody may have named anything.
GivenContext RecordedContext(const std::vector<std::string>& labels,
                             const std::vector<std::string>& origins);

}  // namespace nacre::policy
