#include "runtime/agent/authorizer.h"

#include <algorithm>
#include <functional>

#include "base/digest.h"
#include "policy/evaluator.h"
#include "policy/given_context.h"
#include "runtime/agent/approval.h"
#include "runtime/agent/followed_path.h"
#include "runtime/agent/quarantine.h"
#include "runtime/audit/redaction.h"

namespace nacre::agent {

namespace {
// A record holds up to three of these and has a limit of its own (audit/record_format).
constexpr size_t kAuditContentBytesMax = 16U << 10;

// What the rule's author wrote; empty for decisions that no such rule made.
std::string ReasonOfRule(const policy::Policy& policy, const std::string& name) {
  for (const auto* rules : {&policy.tools, &policy.narrow}) {
    for (const policy::ToolRule& rule : *rules) {
      if (rule.Name() == name) {
        return rule.reason;
      }
    }
  }
  for (const policy::FlowRule& flow : policy.data.flows) {
    if ("data." + flow.id == name) {
      return flow.reason;
    }
  }
  for (const policy::CallRate& rate : policy.budgets.rates) {
    if ("budgets." + rate.id == name) {
      return rate.reason;
    }
  }
  return {};
}

// A decision's reason may quote the arguments. The log has their contents elsewhere, if at all, so where a
// text was withheld from the model the record's reason is the rule's own.
std::string RecordedReason(const policy::Policy& policy, const ToolCall& call,
                           const policy::Decision& decision) {
  if (call.request.withheld.empty()) {
    return decision.reason;
  }
  const std::string reason = ReasonOfRule(policy, decision.rule);
  return (reason.empty() ? "decided by " + decision.rule : reason) + ", with the text of " +
         ShownHandles(call.request.withheld) + " in it";
}

// Names of files may be pieces of a withheld text, so the record then has their digests. "digest" stays
// that of what the person was shown.
Json RecordedSubject(const ToolCall& call, const ApprovalSubject& subject) {
  Json json = ToJson(subject);
  if (!call.request.withheld.empty()) {
    Json files = Json::object();
    for (const ApprovedFile& file : subject.files) {
      files[Sha256Text(file.path)] = file.digest;
    }
    json["files"] = std::move(files);
  }
  return json;
}

// `redact`: the content without its secrets. It is cut afterwards: half a secret would not be found.
template <typename Redact>
Json ContentEntry(policy::AuditContent kept, const std::string& content, const Redact& redact) {
  Json entry;  // a list in braces costs twice as much: it copies names and makes pairs first
  entry["digest"] = Sha256Text(content);
  entry["bytes"] = content.size();
  const auto keep = [&](const std::string& text) {
    entry["content"] = text.substr(0, kAuditContentBytesMax);
    entry["cut"] = text.size() > kAuditContentBytesMax;
  };
  if (kept == policy::AuditContent::kFull) {
    keep(content);
  } else if (kept == policy::AuditContent::kRedacted) {
    const audit::Redacted redacted = redact();
    keep(redacted.content);
    entry["redacted"] = redacted.marks;
  }
  return entry;
}

bool IsConfidential(const policy::Label& label) {
  return label.confidentiality >= policy::Confidentiality::kConfidential;
}

}  // namespace

Json AuditContent(const policy::Policy& policy, const std::string& content,
                  const policy::Label& label) {
  return ContentEntry(policy.audit_content, content,
                      [&] { return audit::RedactText(content, IsConfidential(label)); });
}

Json AuditArguments(const policy::Policy& policy, const Json& arguments,
                    const policy::Label& label) {
  return ContentEntry(policy.audit_content, DumpJson(arguments),
                      [&] { return audit::RedactArguments(arguments, IsConfidential(label)); });
}

std::string AuditWords(const policy::Policy& policy, const std::string& words,
                       const policy::Label& label) {
  return policy.audit_content == policy::AuditContent::kFull
             ? words
             : audit::RedactText(words, IsConfidential(label)).content;
}

Result<std::variant<AuthorizedCall, RefusedCall>> Authorizer::Authorize(
    std::string call_id, ToolCall call, const CallOrigin& origin,
    const policy::CallHistory& history, const TurnLimits& turn) {
  using Authorized = std::variant<AuthorizedCall, RefusedCall>;
  policy::Decision decision = policy::Evaluate(policy_, call.request);
  policy::NarrowByRate(policy_.budgets, call.request, history, decision);
  const std::string source = policy::ToText(decision.source);
  const std::vector<std::string> labels = policy::LabelTexts(call.request.flow.context);
  const auto record = [&](const char* event, Json data, const std::string& actor) -> Status {
    const Result<uint64_t> written = log_.Append({.event = event,
                                                  .session = origin.session,
                                                  .turn = origin.turn,
                                                  .call = call_id,
                                                  .policy_digest = policy_.digest,
                                                  .data = std::move(data),
                                                  .rule = decision.rule,
                                                  .step = origin.step,
                                                  .labels = labels,
                                                  .actor = actor});
    return written.ok() ? Ok() : Status(written.error());
  };
  Json decided;
  decided["tool"] = call.tool->name;
  policy::Label of_arguments = call.request.flow.context;
  for (const policy::WithheldArgument& argument : call.request.withheld) {
    of_arguments = policy::Join(of_arguments, argument.label);
  }
  decided["arguments"] = AuditArguments(policy_, call.request.arguments, of_arguments);
  if (const Json followed = FollowedPaths(call.request); !followed.empty()) {
    decided["followed"] = AuditArguments(policy_, followed, of_arguments);
  }
  decided["verdict"] = policy::VerdictName(decision.verdict);
  decided["reason"] = AuditWords(policy_, RecordedReason(policy_, call, decision), of_arguments);
  decided["source"] = source;
  if (policy_.data.present) {
    decided["origins"] = policy::OriginTexts(call.request.flow);
  }
  for (const policy::WithheldArgument& argument : call.request.withheld) {
    decided["withheld"].push_back({{"argument", argument.key}, {"handle", argument.handle}});
  }
  NACRE_TRY(record("call.decided", std::move(decided), "agent"));
  sink_.OnEvent(CallDecided{call_id, call.tool->name, call.request.arguments,
                            policy::VerdictName(decision.verdict), decision.rule, decision.reason,
                            source, labels});

  std::string approved_by;
  if (decision.verdict == policy::Verdict::kAsk) {
    if (decision.approvers.empty()) {
      decision.approvers.emplace_back();  // whoever runs nacre: never nobody's yes
    }
    const ApprovalSubject subject =
        approver_ == nullptr ? NameApproval(call, workspace_) : DescribeApproval(call, workspace_);
    Approval approval;
    if (approver_ == nullptr) {
      approval = {false, "nobody, since no person can be asked here",
                  "a person must approve this, and none can be asked here"};
    } else if (!subject.unbound.empty()) {
      approval = {false, "nobody, since a yes could not be held to the files", subject.unbound};
    } else {
      const std::string digest = ToJson(subject).at("digest");
      std::chrono::milliseconds expires = turn.left;
      for (const policy::Approvers& each : decision.approvers) {
        expires = std::min(expires, each.expires);
      }
      const std::function<void()> asked = [&] {
        sink_.OnEvent(CallAsked{call_id, digest, decision.approvers, expires.count()});
      };
      approval = approver_->Ask({.call_id = call_id,
                                 .session = origin.session,
                                 .call = call,
                                 .decision = decision,
                                 .subject = subject,
                                 .digest = digest,
                                 .expires = expires,
                                 .cancel = turn.cancel,
                                 .asked = asked});
    }
    if (approval.approved &&
        (LinksMoved(workspace_, call.request) || DescribeApproval(call, workspace_) != subject)) {
      approval.approved = false;
      approval.why = "a file that the call names was changed while a person was asked; ask again";
    }
    Json answered = {{"approved", approval.approved},
                     {"by", approval.by},
                     {"arguments_digest", subject.arguments_digest},
                     {"subject", RecordedSubject(call, subject)}};
    if (!approval.why.empty()) {
      const bool quotes = !subject.unbound.empty() && !call.request.withheld.empty();
      answered["why"] =
          quotes ? "what the call names cannot be held to what it is now, with the text of " +
                       ShownHandles(call.request.withheld) + " in it"
                 : approval.why;
    }
    const std::string actor =
        approval.uid.has_value() ? "uid " + std::to_string(*approval.uid) : "nacre";
    NACRE_TRY(record("call.approval", std::move(answered), actor));
    sink_.OnEvent(CallApproval{call_id, approval.approved, approval.by});
    if (!approval.approved) {
      std::string reason = approval.why.empty() ? "a person refused it" : approval.why;
      return Authorized{RefusedCall{std::move(call_id), std::move(decision), std::move(reason)}};
    }
    approved_by = approval.by;
  } else if (decision.verdict != policy::Verdict::kAllow) {
    std::string reason = decision.reason;
    return Authorized{RefusedCall{std::move(call_id), std::move(decision), std::move(reason)}};
  }
  AuthorizedCall authorized(std::move(call_id), std::move(call), std::move(decision));
  authorized.approved_by_ = std::move(approved_by);
  return Authorized{std::move(authorized)};
}

}  // namespace nacre::agent
