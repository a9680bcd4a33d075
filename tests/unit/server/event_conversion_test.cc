// Each event takes the whole way: agent -> protobuf bytes -> client, and must look the same.
#include "runtime/server/event_conversion.h"

#include <catch2/catch.hpp>

#include "sdk/client/event_conversion.h"

namespace nacre::server {
namespace {

std::vector<agent::Event> OneOfEach() {
  return {
      agent::SessionStarted{"01J", true, "/w", "coding", "sha256:aa", "llama.cpp", "nacre-mini",
                            true, "userns", "cgroup: none"},
      agent::TurnStarted{"01K", "count \"them\"\n\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x9A"},
      agent::TextDelta{std::string("a\0b", 3)},
      agent::CallDecided{"01L",
                         "fs.read",
                         Json{{"z", 1},
                              {"a", {{"deep", {1, -2, 3.5, true, nullptr}}}},
                              {"n", INT64_MAX},
                              {"u", UINT64_MAX}},
                         "allow",
                         "tools.read",
                         "in the workspace",
                         "builtin/coding:12:5",
                         {"category:pii", "integrity:untrusted"}},
      agent::CallAsked{"01L",
                       "sha256:bb",
                       {{.users = {"alice", "bob"}, .role = "operator", .count = 2}, {}},
                       900'000},
      agent::CallApproval{"01L", true, "uid 1000 on the terminal"},
      agent::CallStarted{"01L"},
      agent::CallFinished{"01L",
                          "fs.read",
                          "exited",
                          true,
                          "no such file",
                          INT64_MAX,
                          7,
                          Json{{"namespaces", {"user", "net"}}, {"seccomp", true}},
                          Json(),
                          {"integrity:untrusted"},
                          "$r1"},
      agent::CallMalformed{"unknown tool"},
      agent::TurnFinished{"01K", "finished", "four", "why", 1, 2, 3, 4, "01J", true},
  };
}

Result<client::Event> RoundTrip(const agent::Event& event) {
  v1::TurnEvent received;
  REQUIRE(received.ParseFromString(ToProto(event).SerializeAsString()));
  return client::FromProto(received);
}

TEST_CASE("an event reaches the client with the members and the order that --json prints") {
  REQUIRE(OneOfEach().size() == std::variant_size_v<agent::Event>);
  for (const agent::Event& event : OneOfEach()) {
    CAPTURE(agent::EventName(event));
    const auto received = RoundTrip(event);
    REQUIRE(received.ok());
    CHECK(received.value().name == agent::EventName(event));
    CHECK(DumpJson(received.value().data) == DumpJson(agent::ToJson(event)));
  }
}

TEST_CASE("an event with default members keeps them all") {
  const std::vector<agent::Event> events = {agent::SessionStarted{}, agent::CallDecided{},
                                            agent::CallFinished{}, agent::TurnFinished{}};
  for (const agent::Event& event : events) {
    CAPTURE(agent::EventName(event));
    CHECK(DumpJson(RoundTrip(event).value().data) == DumpJson(agent::ToJson(event)));
  }
}

// Protobuf refuses strings that are not UTF-8, and would lose the whole event.
TEST_CASE("bytes that are not UTF-8 arrive as replacement characters") {
  struct Row {
    std::string bytes;
    std::string text;
  };
  const std::string r = "\xEF\xBF\xBD";
  const auto row = GENERATE_COPY(values<Row>({
      {"a\xFFz", "a" + r + "z"},
      {"\xC3", r},                          // cut off
      {"\xE2\x82", r + r},                  // cut off
      {"\xC0\x80", r + r},                  // overlong
      {"\xE0\x80\x80", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // above U+10FFFF
      {"\x80\xC3\xA4", r + "\xC3\xA4"},
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},  // U+10FFFF
  }));
  CHECK(ToUtf8(row.bytes) == row.text);
  CHECK(RoundTrip(agent::TextDelta{row.bytes}).value().data["text"] == row.text);
}

TEST_CASE("a client refuses events with bad JSON and events that it does not know") {
  v1::TurnEvent event;
  event.mutable_call_decided()->set_arguments_json("{\"a\":");
  CHECK(client::FromProto(event).error().code == ErrorCode::kDataLoss);
  event.mutable_call_finished()->set_layers_json(std::string(100, '['));
  CHECK(client::FromProto(event).error().code == ErrorCode::kDataLoss);
  CHECK(client::FromProto(v1::TurnEvent()).error().code == ErrorCode::kUnimplemented);
}

TEST_CASE("an error keeps its code and its message on the way to the client") {
  for (int code = 1; code <= 15; ++code) {
    const Error error{static_cast<ErrorCode>(code), "why"};
    CHECK(client::FromGrpc(ToGrpc(error)).error() == error);
  }
  CHECK(client::FromGrpc(ToGrpc(Ok())).ok());
  CHECK(client::FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(99), "x")).error().code ==
        ErrorCode::kUnknown);
  CHECK(ToGrpc(Error{ErrorCode::kInternal, std::string(100000, 'x')}).error_message().size() <=
        2000);
}

}  // namespace
}  // namespace nacre::server
