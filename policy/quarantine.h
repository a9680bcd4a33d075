// Quarantine: what nobody vouches for is not shown to the model at all. A result that is untrusted is
// withheld from the context, which stays clean, and the model gets a handle ("$r1") for it. It may pass
// the handle to a tool, as the whole of an argument; ask for a value of a bounded type in the text
// (kExtractTool); or ask to read it (kRevealTool), or to have it believed (kEndorseTool), which a person must
// allow.
//
// Here is what a policy says of it, and the two tools' own part of a decision. Who withholds, keeps and
// puts in place is runtime/agent/quarantine.
#pragma once

#include <string>
#include <vector>

#include "policy/decision.h"

namespace nacre::policy {

struct PolicyDocument;
struct Request;
struct ToolRule;

inline constexpr const char* kExtractTool = "data.extract";
inline constexpr const char* kRevealTool = "data.reveal";
inline constexpr const char* kEndorseTool = "data.endorse";
// A person reads all of a text before a yes to kEndorseTool: of a longer one none is believed.
inline constexpr size_t kEndorsedBytesMax = 4096;
// The rule that decisions name.
inline constexpr const char* kQuarantineRule = "data.quarantine";

// The types of which a value can be extracted: "boolean", "integer", "number", "one_of", "date".
const std::vector<std::string>& ExtractTypes();

// data.quarantine.
struct QuarantineRules {
  bool present = false;
  // Which types may be extracted. A value of such a type is bounded: it holds no instructions.
  std::vector<std::string> extract = {};
  SourceLocation source = {};
};

// Of several layers: withheld when any withholds, extracted only what all of them let be.
void Unite(const QuarantineRules& more, QuarantineRules& quarantine);

// Can only make a decision stricter: a reveal is never allowed without a person, a type that the policy does
// not list is not extracted, and where nothing is withheld neither tool does anything.
void NarrowByQuarantine(const PolicyDocument& policy, const Request& request, Decision& decision);

// The same as rules of `narrow`, for whoever reasons about all calls of the tool: none for a tool that is not of the
// quarantine. That a text may be too long to be endorsed is not in them, nor a call without the `type` that the
// tool's schema demands.
std::vector<ToolRule> QuarantineNarrowing(const QuarantineRules& quarantine,
                                          const std::string& tool);

}  // namespace nacre::policy
