// ProofQuery: what a policy is asked to exclude. A file of them, for `nacre policy prove --queries`:
//
//   nacre: policy-queries/1
//   queries:
//     - id: no-mail-to-others
//       claim: mail goes to our own people
//       nothing lets: {tool: mail.send, args: {to: {not: {matches: '[^@]+@example\.com'}}}}
//       without a person: true       # what is asked does not count; default false
//       when: {confidentiality: confidential, integrity: untrusted, categories: [pii]}   # at least
//     - id: no-leak
//       built-in: no-flow
//       confidentiality: secret
//
// docs/policy-reference.md lists the built-in ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/label.h"
#include "policy/policy.h"
#include "policy/policy_loader.h"

namespace nacre::policy {

struct ProofQuery {
  enum class Kind {
    kNothingLets = 0,
    kNoFlow,          // confidential data to a sink without a person
    kNoWriteExecute,  // one tool writes what another executes
    kNoCredential,    // a credential within reach of a tool
    kNoWider,         // allows or asks for what the other policy answers more strictly
    kRulesReachable,  // each rule decides some call
  };

  std::string id;
  std::string claim;  // for people; may be empty
  Kind kind = Kind::kNothingLets;
  ToolRule lets;                // kNothingLets: which calls
  bool without_person = false;  // kNothingLets: only what is allowed counts, not what is asked
  Label when = Label::Clean();  // kNothingLets: the context is at least that
  Confidentiality confidentiality = Confidentiality::kConfidential;  // kNoFlow: or more private
  std::string tool;                                                  // kNoCredential
  SourceLocation source;  // empty file: from the command line
};

// "no-flow", "no-write-execute", ...; "nothing-lets" for kNothingLets, which is not built in.
const char* QueryKindName(ProofQuery::Kind kind);

// "no-flow", "no-flow=secret", "no-credential=proc.run", "rules-reachable": a built-in query. Its id is
// the text. kInvalidArgument with what there is.
Result<ProofQuery> ParseBuiltInQuery(const std::string& text);

// As strict as policy_loader, with the same limits and form of errors (kInvalidArgument). A tool or
// argument that is not among `options.tools` is an error, unless these are empty.
Result<std::vector<ProofQuery>> ParseProofQueries(const std::string& file, std::string_view text,
                                                  const LoadOptions& options = {});

}  // namespace nacre::policy
