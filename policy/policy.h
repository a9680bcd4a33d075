// Policy: an immutable, versioned document, compiled for deciding. policy_loader reads one;
// Policy::Compile() makes one of a changed document.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/decision.h"
#include "policy/flow.h"

namespace re2 {
class RE2;
}

namespace nacre::policy {

class Glob;
class Program;

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
  enum class Kind {
    kEquals,
    kOneOf,
    kHostIn,
    kUnder,
    kGlob,
    kMatches,
    kMaxLength,
    kMaxItems,
    kRange
  };

  std::string path;             // as written
  std::vector<PathStep> steps;  // `path`, parsed
  Kind kind = Kind::kEquals;
  bool negated = false;                   // not: {...}
  std::vector<Json> values;               // kEquals (one), kOneOf, kHostIn
  std::string text;                       // kMatches (as written), kGlob, kUnder
  std::shared_ptr<const re2::RE2> regex;  // kMatches: anchored at both ends, linear time
  std::shared_ptr<const Glob> glob;       // kGlob: `text`, read once
  // kHostIn of a rule that denies or asks: a text of which no host can be read for certain meets it,
  // so that a host that is forbidden cannot be written such that the rule does not see it.
  bool holds_when_unsure = false;
  int64_t minimum = 0;  // kRange
  int64_t maximum = 0;  // kRange, kMaxLength, kMaxItems
};

struct ToolRule {
  std::string id;        // unique in the effective policy
  bool narrows = false;  // it stands in `narrow`, not in `tools`
  std::string reason;
  std::vector<std::string> tools;  // exact names, "prefix.*" or "*"
  // All must hold. The loader puts them in one order, whatever the order of the keys: what names a
  // value first (equals, one_of, then under, glob, matches), then bounds and what is negated.
  std::vector<ArgumentMatcher> arguments;
  Verdict verdict = Verdict::kDeny;
  Approvers approvers = {};  // of kAsk
  SourceLocation source;

  // As decisions name it: "tools.ID" or "narrow.ID".
  std::string Name() const { return (narrows ? "narrow." : "tools.") + id; }
};

// What several turns may use together. Absent: no bound.
struct SharedBudget {
  std::optional<uint64_t> steps;
  std::optional<uint64_t> tool_calls;
  std::optional<uint64_t> tokens;
  std::optional<std::chrono::milliseconds> wall;
  std::optional<uint64_t> bytes_out;
  std::optional<uint64_t> joules;

  bool empty() const { return *this == SharedBudget(); }
  friend bool operator==(const SharedBudget&, const SharedBudget&) = default;
};

// How often calls of some tools may run, for how long, and with how much. At least one bound is there. Decisions name it
// "budgets.ID".
struct CallRate {
  enum class Per { kTurn = 0, kSession, kMinute, kHour, kDay };

  std::string id;
  std::string reason;
  std::vector<std::string> tools;  // as ToolRule.tools
  // Of all of them together. Absent: no bound.
  std::optional<uint64_t> calls;
  std::optional<std::chrono::milliseconds> wall;  // that they ran
  std::optional<uint64_t> bytes_out;              // ArgumentBytes() of the calls
  Per per = Per::kTurn;  // minutes, hours and days: of all sessions of this state directory
  SourceLocation source;

  friend bool operator==(const CallRate&, const CallRate&) = default;
};
const char* PerName(CallRate::Per per);  // "turn", "session", "minute", "hour", "day"

struct Budgets {
  // Of one turn.
  uint32_t steps = 40;
  uint32_t tool_calls = 30;
  uint64_t tokens = 60'000;
  std::chrono::milliseconds wall{600'000};
  std::optional<uint64_t> bytes_out;  // to an engine elsewhere. Absent: no bound
  std::optional<uint64_t> joules;     // of the processors, for the engine. Absent: no bound
  SharedBudget session;
  SharedBudget tenant_per_day;  // of all sessions of this state directory, the last 24 hours
  std::vector<CallRate> rates;

  bool joules_bounded() const { return joules || session.joules || tenant_per_day.joules; }
  friend bool operator==(const Budgets&, const Budgets&) = default;
};

enum class AuditContent { kDigest = 0, kRedacted, kFull };

// When the audit log cannot be written, nothing runs that is not recorded. This is what else happens.
enum class AuditFailure {
  kRefuse = 0,  // the gateway stays, and goes on when the log can be written again
  kStop,        // the gateway ends, until somebody starts it again
};

// How long the audit log keeps its records: what is beyond either bound is pruned, the oldest first.
struct AuditRetention {
  std::chrono::seconds age{0};  // 0: however old
  uint64_t bytes = 0;           // of records; 0: however many
  std::string
      exported;  // the cursor of an export, a host path: what it has not passed stays; or empty

  bool empty() const { return age.count() == 0 && bytes == 0; }
  friend bool operator==(const AuditRetention&, const AuditRetention&) = default;
};

// What a policy says, as a value that can be changed.
struct PolicyDocument {
  std::string name;
  std::vector<std::string>
      layers;                   // this file first, then what it extends: "coding", "builtin/base"
  std::string digest;           // "sha256:..." over the effective policy's canonical form
  std::vector<ToolRule> tools;  // in order: the most derived layer first
  // Rules that ask or deny, and hold only for calls that `tools` allows or asks for: "narrow.ID".
  std::vector<ToolRule> narrow;
  Grant grant;                 // what any allowed call gets
  SourceLocation mode_source;  // where workspace.mode stands; no file: nowhere, so none
  std::vector<SourceLocation> hide_sources;     // one for each of grant.hide
  std::vector<SourceLocation> protect_sources;  // one for each of grant.protect
  Budgets budgets;
  AuditFailure audit_on_failure = AuditFailure::kRefuse;
  AuditContent audit_content = AuditContent::kDigest;
  AuditRetention audit_retention;
  DataRules data;
};

// The document, fixed, with all that deciding needs computed once. It exists only behind a
// shared_ptr to const, so that no part of it can change under a decision. Thread-safe.
class Policy final : public PolicyDocument {
 public:
  static std::shared_ptr<const Policy> Compile(PolicyDocument document);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  const Program& program() const { return *program_; }
  const Program& narrow_program() const { return *narrow_program_; }  // of `narrow`
  // `grant`, for decisions to hold on to.
  const std::shared_ptr<const Grant>& shared_grant() const { return shared_grant_; }

 private:
  explicit Policy(PolicyDocument document);

  std::shared_ptr<const Grant> shared_grant_;
  std::unique_ptr<const Program> program_;
  std::unique_ptr<const Program> narrow_program_;
};

}  // namespace nacre::policy
