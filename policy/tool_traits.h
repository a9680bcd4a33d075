// ToolTraits: what a tool's manifest says for flows: what its calls do, what its arguments are for,
// and how much of its result it vouches for. Read from the `flow:` section of a tool.yaml (by
// runtime/agent) or, for a whole set of tools that nacre does not run itself, from a tools.yaml:
//
//   nacre: tools/1
//   tools:
//     - tool: send_email
//       effects: [send]
//       args: {to: recipient, subject: title, body: body, attachments: object}
//       result: {format: yaml, trusted: [id, status]}
//
// docs/information-flow.md says how to write one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/flow.h"
#include "policy/result_fields.h"

namespace nacre::policy {

struct ResultTraits {
  // Of what is in none of the fields below. Nothing said: the policy's sources decide.
  std::optional<Integrity> integrity;
  ResultFormat format = ResultFormat::kText;
  // Keys whose values, with all below them, the tool vouches for: who sent it, when, its id.
  std::set<std::string> trusted;
  // Keys that the tool's encoder writes, and for whose values it does not vouch: a subject, a body. The names
  // are no stranger's words.
  std::set<std::string> untrusted;
  // It only repeats the call's arguments: nothing new enters the context, and nobody is quoted by it.
  bool echo = false;
  // The keys themselves are vouched for, too: a map from names that the tool's owner chose.
  bool keys_trusted = false;

  friend bool operator==(const ResultTraits&, const ResultTraits&) = default;
};

struct ToolTraits {
  std::string tool;
  std::vector<CallEffect> effects;
  std::map<std::string, ArgumentRole> roles;  // by the argument's name
  ResultTraits result;
  bool memory = false;  // its results come from the session's notes
  // Which of its arguments name paths and hosts is not known, so its results may be of any.
  bool anywhere = false;

  // Of an argument that the manifest does not list: kOption for a tool that only reads, else
  // kSetting, so that nothing slips by for want of a line.
  ArgumentRole RoleOf(const std::string& argument) const;
  // More than looking at things.
  bool HasEffect() const;

  friend bool operator==(const ToolTraits&, const ToolTraits&) = default;
};

// Strict: kInvalidArgument with the first 20 problems as file:line:column, as for policies. At most
// 1 MiB, 1,000 tools, 64 arguments a tool.
Result<std::map<std::string, ToolTraits>> ParseToolTraits(const std::string& file,
                                                          std::string_view text);

}  // namespace nacre::policy
