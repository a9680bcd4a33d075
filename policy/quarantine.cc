#include "policy/quarantine.h"

#include <algorithm>

#include "policy/internal/display.h"
#include "policy/internal/matcher.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {
namespace {

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void Deny(const QuarantineRules& quarantine, std::string reason, Decision& decision) {
  decision = {.verdict = Verdict::kDeny,
              .rule = kQuarantineRule,
              .reason = std::move(reason),
              .source = quarantine.source};
}

}  // namespace

const std::vector<std::string>& ExtractTypes() {
  static const std::vector<std::string> kTypes = {"boolean", "integer", "number", "one_of", "date"};
  return kTypes;
}

void Unite(const QuarantineRules& more, QuarantineRules& quarantine) {
  if (!more.present) {
    return;
  }
  if (!quarantine.present) {
    quarantine = more;
    return;
  }
  std::vector<std::string>& types = quarantine.extract;
  types.erase(std::remove_if(types.begin(), types.end(),
                             [&](const std::string& type) { return !Holds(more.extract, type); }),
              types.end());
}

std::vector<ToolRule> QuarantineNarrowing(const QuarantineRules& quarantine,
                                          const std::string& tool) {
  const bool extracts = tool == kExtractTool;
  if (!extracts && tool != kRevealTool && tool != kEndorseTool) {
    return {};
  }
  ToolRule rule{.id = "quarantine",
                .narrows = true,
                .reason = {},
                .tools = {tool},
                .source = quarantine.source};
  rule.verdict = extracts || !quarantine.present ? Verdict::kDeny : Verdict::kAsk;
  if (extracts && quarantine.present) {
    ArgumentMatcher unlisted{
        .path = "type", .steps = *ParseArgumentPath("type"), .kind = ArgumentMatcher::Kind::kOneOf};
    unlisted.negated = true;
    unlisted.values.assign(quarantine.extract.begin(), quarantine.extract.end());
    rule.arguments.push_back(std::move(unlisted));
  }
  return {std::move(rule)};
}

void NarrowByQuarantine(const PolicyDocument& policy, const Request& request, Decision& decision) {
  const QuarantineRules& quarantine = policy.data.quarantine;
  const bool extracts = request.tool == kExtractTool;
  const bool endorses = request.tool == kEndorseTool;
  if ((!extracts && !endorses && request.tool != kRevealTool) ||
      decision.verdict == Verdict::kDeny) {
    return;
  }
  if (!quarantine.present) {
    Deny(quarantine, "this policy withholds nothing", decision);
    return;
  }
  if (extracts) {
    const std::string type = StringMember(request.arguments, "type");
    if (!Holds(quarantine.extract, type)) {
      Deny(quarantine, "no " + ShownText(type, 32) + " may be extracted from what is withheld",
           decision);
    }
    return;
  }
  if (decision.verdict == Verdict::kAllow) {
    decision.verdict = Verdict::kAsk;
    decision.rule = kQuarantineRule;
    decision.reason = endorses
                          ? "what a stranger wrote is believed only when a person has seen it"
                          : "what is withheld is shown to the model only when a person has seen it";
    decision.source = quarantine.source;
    decision.approvers = {Approvers()};
  }
  if (endorses && StringMember(request.arguments, "text").size() > kEndorsedBytesMax) {
    Deny(quarantine,
         "the text is longer than the " + std::to_string(kEndorsedBytesMax) +
             " bytes that a person reads before a yes; extract what is needed of it",
         decision);
  } else if (endorses) {
    // First, so that no rule's reason pushes it out of sight.
    decision.reason =
        "with your yes the text is believed as if you had written it; " + decision.reason;
  }
}

}  // namespace nacre::policy
