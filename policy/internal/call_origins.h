// CallOrigins: which values of a call have an origin that flows look at. One place, so that a context that
// is said (given_context) speaks of the same values as one that was watched (context_tracker).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/flow.h"
#include "policy/tool_traits.h"

namespace nacre::policy {

// The values of an argument as texts: of a map also its keys, but for those that look like the name of a member
// ("email"), which the tool's schema gives. null says nothing that could come from somewhere. One more than
// kArgumentOriginsMax where there are too many.
std::vector<std::string> ValuesOf(const Json& argument);

// Collects into facts.arguments. Not thread-safe. Borrows the facts.
class CallOrigins final {
 public:
  // `vouched`: everything that the model knows comes from who is vouched for.
  CallOrigins(bool vouched, FlowFacts& facts) : vouched_(vouched), facts_(facts) {}

  // Asks for the origins of each value that has some: none of an option, and of a title or body also those of
  // the network places in it (kLink).
  using Asked = std::function<std::vector<Origin>(ArgumentRole role, const std::string& value)>;
  void Look(const std::string& argument, ArgumentRole role, const Json& value, const Asked& asked);

  // To be called after the last argument. That a call with an effect and without a value is made at all is what
  // somebody chose: one entry (role setting) says that it was derived.
  void Finish(const ToolTraits& tool);

 private:
  // Of what is not looked at: anybody may have named it.
  void AddUnknown(const std::string& argument, ArgumentRole role, const std::string& value);
  void Add(const std::string& argument, ArgumentRole role, const std::string& value, Origin origin);

  const bool vouched_;
  FlowFacts& facts_;
  bool any_value_ = false;
};

}  // namespace nacre::policy
