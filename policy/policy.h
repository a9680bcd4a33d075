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

// One condition on one argument, named by its path in the call's arguments: "path", "argv[0]".
struct ArgumentMatcher {
  enum class Kind { kEquals, kOneOf, kMatches, kGlob, kUnder, kMaxLength, kMaxItems, kRange };

  std::string path;
  Kind kind = Kind::kEquals;
  bool negated = false;                    // not: {...}
  std::vector<Json> values;                // kEquals (one), kOneOf
  std::string text;                        // kMatches (as written), kGlob, kUnder
  std::shared_ptr<const re2::RE2> regex;   // kMatches: anchored at both ends, linear time
  int64_t minimum = 0;                     // kRange
  int64_t maximum = 0;                     // kRange, kMaxLength, kMaxItems
};

struct ToolRule {
  std::string id;  // unique in the effective policy; "tools.ID" in decisions
  std::string reason;
  std::vector<std::string> tools;  // exact names, or "prefix.*"
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
  std::vector<std::string> layers;  // this file first, then what it extends: "coding", "builtin/base"
  std::string digest;               // "sha256:..." over the effective policy's canonical form
  std::vector<ToolRule> tools;      // in order: the most derived layer first
  Grant grant;                      // what any allowed call gets
  SourceLocation hide_source;
  SourceLocation protect_source;
  Budgets budgets;
  AuditContent audit_content = AuditContent::kDigest;
};

}  // namespace nacre::policy
