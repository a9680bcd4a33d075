// Flows: what a policy says of data: where it comes from (sources) and where it may go (flows).
//
// A flow narrows: it can deny or ask for what a tool rule allows, never the other way round. It looks
// at two things. The context's label: everything that the model has read so far, joined. And the
// origin of each argument that matters: who named this recipient, this address, this amount? The first
// is sound and coarse; the second is why a person is asked seldom (docs/information-flow.md).
//
// What an argument is for and what a call does is said by the tool's manifest (ToolTraits), so a flow
// rule can speak of "recipients" of "calls that send" and fit tools that its author never saw.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision.h"
#include "policy/label.h"
#include "policy/quarantine.h"

namespace nacre::policy {

class Glob;
class GlobWalk;

// What a call does to the world, the part that matters for flows. A tool may have several.
enum class CallEffect {
  kRead = 0,  // looks at the user's own data
  kFetch,     // reads from a place that someone else may watch: a web page
  kWrite,     // makes or changes the user's own data
  kDelete,    // destroys it, or takes something away from someone
  kSend,      // others receive something, or get access
  kPay,       // money moves, or an order or a booking is made
  kAccount,   // changes who the user is, how they are reached or how they log in
  kExecute,   // runs a program
};
inline constexpr size_t kCallEffects = 8;
const char* CallEffectName(CallEffect effect);  // "read", "fetch", ...
std::optional<CallEffect> ParseCallEffect(const std::string& name);

// What an argument is for.
enum class ArgumentRole {
  kOption = 0,  // a choice, a date, a search word: where nothing is sent, paid or lost by it
  kRecipient,   // who gets it: an address, an account, a user, a channel, a shop
  kUrl,         // a place in the network
  kAmount,      // how much
  kObject,      // an existing thing that the call acts upon, by its id or name
  kSetting,     // a value that stays in force: a password, a postal address
  kTitle,       // one line of text that others or the user will read
  kBody,        // free text
  kLink,        // given by no manifest: a network place inside a title or a body
};
inline constexpr size_t kArgumentRoles = 9;
const char* ArgumentRoleName(ArgumentRole role);
std::optional<ArgumentRole> ParseArgumentRole(
    const std::string& name);  // all but "link" in manifests

// Where a value comes from, by the texts that the context was made of. The zero value is the worst.
enum class Origin {
  kStranger = 0,  // a text that nobody vouches for names it
  kDerived,       // nothing names it: it was made from everything in the context
  kTrusted,       // a source that the manifest vouches for names it
  kUser,          // the user's own words name it
};
inline constexpr size_t kOrigins = 4;
const char* OriginName(Origin origin);  // "stranger", "derived", "trusted", "user"
std::optional<Origin> ParseOrigin(const std::string& name);

// One value of one argument (of each element, where the argument is a list).
struct ArgumentOrigin {
  std::string argument;  // "recipients"
  ArgumentRole role = ArgumentRole::kOption;
  std::string value;  // cut to 120 bytes, for the reason
  Origin origin = Origin::kStranger;

  friend bool operator==(const ArgumentOrigin&, const ArgumentOrigin&) = default;
};

// What is known of one call's data when it is judged.
struct FlowFacts {
  std::vector<CallEffect> effects = {};
  Label context = Label::Clean();
  std::vector<ArgumentOrigin> arguments = {};

  friend bool operator==(const FlowFacts&, const FlowFacts&) = default;
};

// One entry of data.sources: which data, and what it is. All conditions that are given must hold.
struct DataSource {
  std::vector<std::string> tools;        // exact names, "prefix.*"; empty: any
  std::string path;                      // glob over the normalised path arguments; empty: any
  std::shared_ptr<const Glob> glob;      // `path`, read once; null: by each look
  std::shared_ptr<const GlobWalk> walk;  // the same, segment by segment
  std::string host;                      // "a.example.com" or "*.example.com"; empty: any
  bool memory = false;                   // what the session's notes hold
  bool user = false;                     // the user's own words
  std::optional<Integrity> integrity;
  Confidentiality confidentiality = Confidentiality::kPublic;
  std::set<std::string> categories;
  SourceLocation source;
};

// One entry of data.flows.
struct FlowRule {
  std::string id;  // "data.ID" in decisions
  std::string reason;

  // Of the context; all that are given must hold.
  bool when_untrusted = false;
  std::optional<Confidentiality> at_least;
  std::set<std::string> categories;  // any of them
  // Of at least one argument; empty: no such condition.
  std::vector<ArgumentRole> roles;
  std::vector<Origin> origins;

  // To where. Any of them.
  std::vector<CallEffect> effects;
  std::vector<std::string> tools;

  Verdict verdict = Verdict::kDeny;  // kDeny or kAsk
  Approvers approvers = {};          // of kAsk
  SourceLocation source;
};

struct DataRules {
  bool present = false;  // the policy has a data section: labels are kept
  // Of results that neither a source nor the tool's manifest speaks of.
  Integrity unlisted = Integrity::kUntrusted;
  std::vector<DataSource> sources;
  std::vector<FlowRule> flows;
  QuarantineRules quarantine = {};
};

// The rule that narrows this call most (deny before ask, the first of equals), or null; `argument`
// is what made it match, or null where only the context did. Thread-safe.
struct FlowAnswer {
  const FlowRule* rule = nullptr;
  const ArgumentOrigin* argument = nullptr;
};
FlowAnswer JudgeFlow(const DataRules& rules, const std::string& tool, const FlowFacts& facts);

// All rules that ask about this call, in their order: the yes of each one's approvers is wanted.
std::vector<const FlowRule*> FlowsThatAsk(const DataRules& rules, const std::string& tool,
                                          const FlowFacts& facts);

// What the rule found, for people: "recipients "x@y" was named by a text of untrusted origin".
std::string DescribeFlow(const FlowAnswer& answer, const FlowFacts& facts);

// What a source is asked about.
struct SourceQuery {
  enum class Kind { kResult = 0, kUser };

  Kind kind = Kind::kResult;
  std::string tool;
  std::vector<std::string> paths;  // normalised
  std::vector<std::string> hosts;  // lower case
  bool memory = false;
};

// The join of all sources that match. `declared`: what the tool's manifest says of this result or
// field; a source can only lower it. Without either the integrity is rules.unlisted, or trusted for
// the user's words.
Label SourceLabel(const DataRules& rules, const SourceQuery& query,
                  std::optional<Integrity> declared);

}  // namespace nacre::policy
