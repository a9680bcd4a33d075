// Why: what a command was refused, and the smallest change of the policy that would allow it.
//
//   Refusals refusals(policy, "coding", spec);
//   ... refusals.Add(observation) while the command runs ...
//   const Explanation why = refusals.Explain(outcome, exists);
//
// Pure, but for `exists`: whether the host has a file. The change is a policy that the loader
// accepts; what no policy may allow is said to be so.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/policy.h"
#include "sandbox/outcome.h"
#include "sandbox/sandbox_spec.h"
#include "sandbox/seccomp/observer.h"

namespace nacre::cli {

struct Refusal {
  std::string what;    // "write /workspace/notes.md", "socket (2 times)"
  std::string why;     // "the workspace is read-only", with the rule or key that says so
  std::string change;  // "workspace: {mode: transactional}"; empty: no policy may allow it

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

struct Explanation {
  std::vector<Refusal> refusals;
  std::string policy;  // a document with all changes; empty when there are none
  bool cut = false;    // there was more than is kept
};

// Not thread-safe. Borrows policy and spec.
class Refusals final {
 public:
  // `name`: as the policy was named, a shipped profile or a file.
  Refusals(const policy::Policy& policy, std::string name, const sandbox::SandboxSpec& spec)
      : policy_(policy), name_(std::move(name)), spec_(spec) {}

  void Add(const sandbox::seccomp::Observation& observation);
  Explanation Explain(const sandbox::Outcome& outcome,
                      const std::function<bool(const std::string&)>& exists) const;

 private:
  struct Call {
    sandbox::seccomp::Observation observation;
    size_t count = 0;
  };

  const policy::Policy& policy_;
  const std::string name_;
  const sandbox::SandboxSpec& spec_;
  std::map<std::pair<std::string, std::string>, Call> calls_;  // by name and reason
  // By path and whether it is written: whether it was missing at any time.
  std::map<std::pair<std::string, bool>, bool> paths_;
  std::set<std::string> noexec_;  // paths of what was to be executed where nothing is
  bool cut_ = false;
};

}  // namespace nacre::cli
