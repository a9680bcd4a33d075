// Policy: an immutable, versioned document, as the evaluator wants it. Made only by policy_loader.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/decision.h"

namespace re2 {
class RE2;
}

namespace nacre::policy {

// One step of the way to an argument: the "argv" and the "[0]" of "argv[0]".
struct PathStep {
  // kEvery ("[*]"): every element of the list must meet the condition, and there must be one.
  // kSome ("[?]"): at least one element must.
  enum class Kind { kMember = 0, kIndex, kEvery, kSome };

  Kind kind = Kind::kMember;
  std::string name;  // kMember
  size_t index = 0;  // kIndex

  friend bool operator==(const PathStep&, const PathStep&) = default;
};

// One condition on one argument, named by its path in the call's arguments: "path", "argv[0]".
// An argument that is absent, or of a type that the condition does not speak of, does not meet it,
// negated or not.
struct ArgumentMatcher {
  enum class Kind { kEquals, kOneOf, kMatches, kGlob, kUnder, kMaxLength, kMaxItems, kRange };

  std::string path;             // as written
  std::vector<PathStep> steps;  // `path`, parsed
  Kind kind = Kind::kEquals;
  bool negated = false;                   // not: {...}
  std::vector<Json> values;               // kEquals (one), kOneOf
  std::string text;                       // kMatches (as written), kGlob, kUnder
  std::shared_ptr<const re2::RE2> regex;  // kMatches: anchored at both ends, linear time
  int64_t minimum = 0;                    // kRange
  int64_t maximum = 0;                    // kRange, kMaxLength, kMaxItems
};

struct ToolRule {
  std::string id;  // unique in the effective policy; "tools.ID" in decisions
  std::string reason;
  std::vector<std::string> tools;          // exact names, or "prefix.*"
  std::vector<ArgumentMatcher> arguments;  // all must hold
  Verdict verdict = Verdict::kDeny;
  SourceLocation source;
};

struct Budgets {
  uint32_t steps = 40;
  uint32_t tool_calls = 30;
  uint64_t tokens = 60'000;
  std::chrono::milliseconds wall{600'000};

  friend bool operator==(const Budgets&, const Budgets&) = default;
};

enum class AuditContent { kDigest = 0, kFull };

struct Policy {
  std::string name;
  std::vector<std::string>
      layers;                   // this file first, then what it extends: "coding", "builtin/base"
  std::string digest;           // "sha256:..." over the effective policy's canonical form
  std::vector<ToolRule> tools;  // in order: the most derived layer first
  Grant grant;                  // what any allowed call gets
  SourceLocation mode_source;   // where workspace.mode stands; no file: nowhere, so none
  std::vector<SourceLocation> hide_sources;     // one for each of grant.hide
  std::vector<SourceLocation> protect_sources;  // one for each of grant.protect
  Budgets budgets;
  AuditContent audit_content = AuditContent::kDigest;
};

}  // namespace nacre::policy
