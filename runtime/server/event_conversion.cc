#include "runtime/server/event_conversion.h"

#include <cstdint>

#include "base/json.h"

namespace nacre::server {
namespace {

// gRPC's header list is at most 8 KiB, and a byte can take three in a header.
constexpr size_t kMessageBytesMax = 2000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsContinuation(std::string_view text, size_t at, uint8_t low = 0x80, uint8_t high = 0xBF) {
  return at < text.size() && static_cast<uint8_t>(text[at]) >= low &&
         static_cast<uint8_t>(text[at]) <= high;
}

// The size of the well-formed sequence at the start of `text` (Unicode 15, table 3-7), or 0.
size_t SequenceSize(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return IsContinuation(text, 1) ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;   // not overlong
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;  // no surrogate
    return IsContinuation(text, 1, low, high) && IsContinuation(text, 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;   // not overlong
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;  // not above U+10FFFF
    return IsContinuation(text, 1, low, high) && IsContinuation(text, 2) && IsContinuation(text, 3)
               ? 4
               : 0;
  }
  return 0;
}

struct Fill {
  v1::TurnEvent& event;

  void operator()(const agent::SessionStarted& e) const {
    *event.mutable_session_started() = ToProto(e);
  }
  void operator()(const agent::TurnStarted& e) const {
    auto& out = *event.mutable_turn_started();
    out.set_turn(ToUtf8(e.turn));
    out.set_request(ToUtf8(e.request));
  }
  void operator()(const agent::TextDelta& e) const {
    event.mutable_text_delta()->set_text(ToUtf8(e.text));
  }
  void operator()(const agent::CallDecided& e) const {
    auto& out = *event.mutable_call_decided();
    out.set_call(ToUtf8(e.call));
    out.set_tool(ToUtf8(e.tool));
    out.set_arguments_json(DumpJson(e.arguments));
    out.set_verdict(ToUtf8(e.verdict));
    out.set_rule(ToUtf8(e.rule));
    out.set_reason(ToUtf8(e.reason));
    out.set_source(ToUtf8(e.source));
    for (const std::string& label : e.labels) {
      out.add_labels(ToUtf8(label));
    }
  }
  void operator()(const agent::CallAsked& e) const {
    auto& out = *event.mutable_call_asked();
    out.set_call(ToUtf8(e.call));
    out.set_digest(ToUtf8(e.digest));
    for (const policy::Approvers& each : e.approvers) {
      v1::Approvers& approvers = *out.add_approvers();
      for (const std::string& user : each.users) {
        approvers.add_users(ToUtf8(user));
      }
      approvers.set_role(ToUtf8(each.role));
      approvers.set_count(each.count);
    }
    out.set_expires_ms(e.expires_ms);
  }
  void operator()(const agent::CallApproval& e) const {
    auto& out = *event.mutable_call_approval();
    out.set_call(ToUtf8(e.call));
    out.set_approved(e.approved);
    out.set_by(ToUtf8(e.by));
  }
  void operator()(const agent::CallStarted& e) const {
    event.mutable_call_started()->set_call(ToUtf8(e.call));
  }
  void operator()(const agent::CallFinished& e) const {
    auto& out = *event.mutable_call_finished();
    out.set_call(ToUtf8(e.call));
    out.set_tool(ToUtf8(e.tool));
    out.set_outcome(ToUtf8(e.outcome));
    out.set_error(e.error);
    out.set_result(ToUtf8(e.result));
    out.set_wall_us(e.wall_us);
    out.set_cpu_us(e.cpu_us);
    out.set_layers_json(DumpJson(e.layers));
    out.set_workspace_json(DumpJson(e.workspace));
    for (const std::string& label : e.labels) {
      out.add_labels(ToUtf8(label));
    }
    out.set_withheld(ToUtf8(e.withheld));
  }
  void operator()(const agent::CallMalformed& e) const {
    auto& out = *event.mutable_call_malformed();
    out.set_reason(ToUtf8(e.reason));
  }
  void operator()(const agent::TurnFinished& e) const {
    auto& out = *event.mutable_turn_finished();
    out.set_turn(ToUtf8(e.turn));
    out.set_state(ToUtf8(e.state));
    out.set_answer(ToUtf8(e.answer));
    out.set_error(ToUtf8(e.error));
    out.set_steps(e.steps);
    out.set_calls(e.calls);
    out.set_denied(e.denied);
    out.set_tokens(e.tokens);
    out.set_session(ToUtf8(e.session));
    out.set_cut_off(e.cut_off);
  }
};

}  // namespace

std::string ToUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t size = SequenceSize(text);
    out += size == 0 ? kReplacement : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

v1::SessionStarted ToProto(const agent::SessionStarted& event) {
  v1::SessionStarted out;
  out.set_session(ToUtf8(event.session));
  out.set_resumed(event.resumed);
  out.set_workspace(ToUtf8(event.workspace));
  out.set_policy(ToUtf8(event.policy));
  out.set_policy_digest(ToUtf8(event.policy_digest));
  out.set_engine(ToUtf8(event.engine));
  out.set_model(ToUtf8(event.model));
  out.set_demonstration_model(event.demonstration_model);
  out.set_sandbox(ToUtf8(event.sandbox));
  out.set_weaker(ToUtf8(event.weaker));
  return out;
}

v1::TurnEvent ToProto(const agent::Event& event) {
  v1::TurnEvent out;
  std::visit(Fill{out}, event);
  return out;
}

grpc::Status ToGrpc(const Error& error) {
  return {static_cast<grpc::StatusCode>(error.code),
          ToUtf8(error.message.substr(0, kMessageBytesMax))};
}

grpc::Status ToGrpc(const Status& status) {
  return status.ok() ? grpc::Status::OK : ToGrpc(status.error());
}

}  // namespace nacre::server
