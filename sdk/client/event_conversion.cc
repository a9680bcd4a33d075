#include "sdk/client/event_conversion.h"

#include <utility>

namespace nacre::client {
namespace {

// An event is at most 4 MiB, and the JSON in it was bounded when it was made.
constexpr JsonLimits kJsonLimits{.bytes_max = 4U << 20, .depth_max = 64};

Event Make(const char* name, OrderedJson members) {
  OrderedJson data = {{"event", name}};
  data.update(members);
  return {name, std::move(data)};
}

Result<OrderedJson> ParseMember(const char* name, const std::string& text) {
  Result<OrderedJson> value = ParseOrderedJson(text, kJsonLimits);
  if (!value.ok()) {
    return Error{ErrorCode::kDataLoss,
                 std::string("the server sent a bad ") + name + ": " + value.error().message};
  }
  return value;
}

template <typename Repeated>
OrderedJson Texts(const Repeated& texts) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& text : texts) {
    list.push_back(text);
  }
  return list;
}

Result<Event> FromDecided(const v1::CallDecided& e) {
  OrderedJson arguments = NACRE_TRY(ParseMember("arguments_json", e.arguments_json()));
  return Make("call.decided", {{"call", e.call()},
                               {"tool", e.tool()},
                               {"arguments", std::move(arguments)},
                               {"verdict", e.verdict()},
                               {"rule", e.rule()},
                               {"reason", e.reason()},
                               {"source", e.source()},
                               {"labels", Texts(e.labels())}});
}

Result<Event> FromFinished(const v1::CallFinished& e) {
  OrderedJson layers = NACRE_TRY(ParseMember("layers_json", e.layers_json()));
  // Of a gateway that does not know it yet: empty.
  OrderedJson workspace = e.workspace_json().empty()
                              ? OrderedJson()
                              : NACRE_TRY(ParseMember("workspace_json", e.workspace_json()));
  return Make("call.finished", {{"call", e.call()},
                                {"tool", e.tool()},
                                {"outcome", e.outcome()},
                                {"error", e.error()},
                                {"result", e.result()},
                                {"wall_us", e.wall_us()},
                                {"cpu_us", e.cpu_us()},
                                {"layers", std::move(layers)},
                                {"workspace", std::move(workspace)},
                                {"labels", Texts(e.labels())},
                                {"withheld", e.withheld()}});
}

}  // namespace

Event FromProto(const v1::SessionStarted& e) {
  return Make("session.started", {{"session", e.session()},
                                  {"resumed", e.resumed()},
                                  {"workspace", e.workspace()},
                                  {"policy", e.policy()},
                                  {"policy_digest", e.policy_digest()},
                                  {"engine", e.engine()},
                                  {"model", e.model()},
                                  {"demonstration_model", e.demonstration_model()},
                                  {"sandbox", e.sandbox()},
                                  {"weaker", e.weaker()}});
}

Result<Event> FromProto(const v1::TurnEvent& event) {
  switch (event.event_case()) {
    case v1::TurnEvent::kSessionStarted:
      return FromProto(event.session_started());
    case v1::TurnEvent::kTurnStarted:
      return Make("turn.started", {{"turn", event.turn_started().turn()},
                                   {"request", event.turn_started().request()}});
    case v1::TurnEvent::kTextDelta:
      return Make("text.delta", {{"text", event.text_delta().text()}});
    case v1::TurnEvent::kCallDecided:
      return FromDecided(event.call_decided());
    case v1::TurnEvent::kCallAsked: {
      const v1::CallAsked& e = event.call_asked();
      OrderedJson approvers = OrderedJson::array();
      for (const v1::Approvers& each : e.approvers()) {
        approvers.push_back(
            {{"users", std::vector<std::string>(each.users().begin(), each.users().end())},
             {"role", each.role()},
             {"count", each.count()}});
      }
      return Make("call.asked", {{"call", e.call()},
                                 {"digest", e.digest()},
                                 {"approvers", std::move(approvers)},
                                 {"expires_ms", e.expires_ms()}});
    }
    case v1::TurnEvent::kCallApproval: {
      const v1::CallApproval& e = event.call_approval();
      return Make("call.approval",
                  {{"call", e.call()}, {"approved", e.approved()}, {"by", e.by()}});
    }
    case v1::TurnEvent::kCallStarted:
      return Make("call.started", {{"call", event.call_started().call()}});
    case v1::TurnEvent::kCallFinished:
      return FromFinished(event.call_finished());
    case v1::TurnEvent::kCallMalformed:
      return Make("call.malformed", {{"reason", event.call_malformed().reason()}});
    case v1::TurnEvent::kTurnFinished: {
      const v1::TurnFinished& e = event.turn_finished();
      return Make("turn.finished", {{"turn", e.turn()},
                                    {"state", e.state()},
                                    {"answer", e.answer()},
                                    {"error", e.error()},
                                    {"steps", e.steps()},
                                    {"calls", e.calls()},
                                    {"denied", e.denied()},
                                    {"tokens", e.tokens()},
                                    {"session", e.session()},
                                    {"cut_off", e.cut_off()}});
    }
    case v1::TurnEvent::EVENT_NOT_SET:
      break;
  }
  return Error{ErrorCode::kUnimplemented,
               "the server sent an event that this client does not know"};
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return Ok();
  }
  const int code = status.error_code();
  const bool known = code >= static_cast<int>(ErrorCode::kCancelled) &&
                     code <= static_cast<int>(ErrorCode::kDataLoss);
  return Error{
      known ? static_cast<ErrorCode>(code) : ErrorCode::kUnknown,
      status.error_message().empty() ? "the server gave no reason" : status.error_message()};
}

}  // namespace nacre::client
