#include "runtime/agent/events.h"

namespace nacre::agent {
namespace {

struct NameOf {
  std::string_view operator()(const SessionStarted&) const { return "session.started"; }
  std::string_view operator()(const TurnStarted&) const { return "turn.started"; }
  std::string_view operator()(const TextDelta&) const { return "text.delta"; }
  std::string_view operator()(const CallDecided&) const { return "call.decided"; }
  std::string_view operator()(const CallAsked&) const { return "call.asked"; }
  std::string_view operator()(const CallApproval&) const { return "call.approval"; }
  std::string_view operator()(const CallStarted&) const { return "call.started"; }
  std::string_view operator()(const CallFinished&) const { return "call.finished"; }
  std::string_view operator()(const CallMalformed&) const { return "call.malformed"; }
  std::string_view operator()(const TurnFinished&) const { return "turn.finished"; }
};

struct MembersOf {
  OrderedJson operator()(const SessionStarted& e) const {
    return {{"session", e.session},
            {"resumed", e.resumed},
            {"workspace", e.workspace},
            {"policy", e.policy},
            {"policy_digest", e.policy_digest},
            {"engine", e.engine},
            {"model", e.model},
            {"demonstration_model", e.demonstration_model},
            {"sandbox", e.sandbox},
            {"weaker", e.weaker}};
  }
  OrderedJson operator()(const TurnStarted& e) const {
    return {{"turn", e.turn}, {"request", e.request}};
  }
  OrderedJson operator()(const TextDelta& e) const { return {{"text", e.text}}; }
  OrderedJson operator()(const CallDecided& e) const {
    return {{"call", e.call},       {"tool", e.tool},    {"arguments", OrderedJson(e.arguments)},
            {"verdict", e.verdict}, {"rule", e.rule},    {"reason", e.reason},
            {"source", e.source},   {"labels", e.labels}};
  }
  OrderedJson operator()(const CallAsked& e) const {
    OrderedJson approvers = OrderedJson::array();
    for (const policy::Approvers& each : e.approvers) {
      approvers.push_back({{"users", each.users}, {"role", each.role}, {"count", each.count}});
    }
    return {{"call", e.call},
            {"digest", e.digest},
            {"approvers", std::move(approvers)},
            {"expires_ms", e.expires_ms}};
  }
  OrderedJson operator()(const CallApproval& e) const {
    return {{"call", e.call}, {"approved", e.approved}, {"by", e.by}};
  }
  OrderedJson operator()(const CallStarted& e) const { return {{"call", e.call}}; }
  OrderedJson operator()(const CallFinished& e) const {
    return {{"call", e.call},
            {"tool", e.tool},
            {"outcome", e.outcome},
            {"error", e.error},
            {"result", e.result},
            {"wall_us", e.wall_us},
            {"cpu_us", e.cpu_us},
            {"layers", OrderedJson(e.layers)},
            {"workspace", OrderedJson(e.workspace)},
            {"labels", e.labels},
            {"withheld", e.withheld}};
  }
  OrderedJson operator()(const CallMalformed& e) const { return {{"reason", e.reason}}; }
  OrderedJson operator()(const TurnFinished& e) const {
    return {{"turn", e.turn},      {"state", e.state},   {"answer", e.answer},
            {"error", e.error},    {"steps", e.steps},   {"calls", e.calls},
            {"denied", e.denied},  {"tokens", e.tokens}, {"session", e.session},
            {"cut_off", e.cut_off}};
  }
};

}  // namespace

std::string_view EventName(const Event& event) {
  return std::visit(NameOf{}, event);
}

OrderedJson ToJson(const Event& event) {
  OrderedJson object = {{"event", EventName(event)}};
  object.update(std::visit(MembersOf{}, event));
  return object;
}

}  // namespace nacre::agent
