// CaseTable: calls and what a policy should say to them, written beside the policy. For
// `nacre policy test`.
//
//   nacre: policy-cases/1
//   policy: team.yaml              # a file beside this one, or a shipped profile; optional
//   cases:
//     - name: customers' files can be read
//       call: {tool: fs.read, args: {path: customers/a.txt}}
//       expect: allow              # allow | ask | deny
//       rule: tools.read           # optional: which rule decides
//     - name: what a stranger names gets no mail
//       call: {tool: mail.send, args: {to: eve@example.com, body: hello}}
//       context: {label: "untrusted,secret", origin: recipient=stranger}   # optional: see given_context.h
//       expect: deny
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "policy/decision.h"
#include "policy/given_context.h"

namespace nacre::policy {

struct Case {
  std::string name;
  std::string tool;
  Json arguments = Json::object();
  GivenContext context;
  Verdict expect = Verdict::kDeny;
  std::string rule;  // empty: any
  SourceLocation source;
};

struct CaseTable {
  std::string policy;  // as written; empty: not given
  std::vector<Case> cases;
};

// As strict as policy_loader, with the same limits and the same form of errors (kInvalidArgument).
// `file` stands in them.
Result<CaseTable> ParseCaseTable(const std::string& file, std::string_view text);

}  // namespace nacre::policy
