#include "tools/tool_channel.h"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/unit/tools/tool_process.h"

namespace nacre::tools {
namespace {

class FakeServices final : public HostServices {
 public:
  Result<Json> Call(const std::string& method, const Json& arguments) override {
    calls.push_back(method + " " + DumpJson(arguments));
    if (fail) {
      return Error{ErrorCode::kUnavailable, "the store is full"};
    }
    return method == "memory.search" ? Json{"first note", "second\nnote"} : Json();
  }
  std::vector<std::string> calls;
  bool fail = false;
};

Manifest MemoryTool() {
  Manifest manifest;
  manifest.name = "memory.note";
  manifest.host_services = {HostService::kMemory};
  return manifest;
}

const char* const kDone = R"({"result":{"text":"noted","error":false}})";
const char* const kNote = R"({"host":"memory.note","arguments":{"text":"x"}})";

struct Fixture {
  Manifest manifest = MemoryTool();
  FakeServices services;
  ToolChannel channel{manifest, "call-1", {{"text", "x"}}, services};
};

TEST_CASE("the request frame carries the call, the tool and the arguments") {
  const Fixture fixture;
  FrameDecoder decoder(1000);
  decoder.Feed(fixture.channel.Start());
  std::string payload;
  REQUIRE(decoder.Next(&payload).value());
  CHECK(ParseJson(payload).value() ==
        Json{{"call", "call-1"}, {"tool", "memory.note"}, {"arguments", {{"text", "x"}}}});
}

TEST_CASE("a result that arrives byte by byte is understood") {
  Fixture fixture;
  for (const char byte : EncodeFrame(R"({"result":{"text":"héllo","error":true}})")) {
    CHECK_FALSE(fixture.channel.result());
    CHECK(fixture.channel.OnBytes({&byte, 1}).value().empty());
  }
  REQUIRE(fixture.channel.result());
  CHECK(fixture.channel.result()->text == "héllo");
  CHECK(fixture.channel.result()->error);
}

TEST_CASE("host calls are answered in order, and a result in the same bytes counts") {
  Fixture fixture;
  const std::string answers =
      fixture.channel
          .OnBytes(EncodeFrame(kNote) +
                   EncodeFrame(R"({"host":"memory.search","arguments":{"query":"q"}})") +
                   EncodeFrame(kDone))
          .value();
  CHECK(answers == EncodeFrame(R"({"ok":true,"value":null})") +
                       EncodeFrame(R"({"ok":true,"value":["first note","second\nnote"]})"));
  CHECK(fixture.services.calls ==
        std::vector<std::string>{R"(memory.note {"text":"x"})", R"(memory.search {"query":"q"})"});
  CHECK(fixture.channel.result()->text == "noted");
}

TEST_CASE("a host service that fails is told to the tool and ends nothing") {
  Fixture fixture;
  fixture.services.fail = true;
  CHECK(fixture.channel.OnBytes(EncodeFrame(kNote)).value() ==
        EncodeFrame(R"({"ok":false,"value":"the store is full"})"));
}

// One row per way in which a tool can break the protocol.
TEST_CASE("a breach of the protocol is an error and reaches no host service") {
  struct Row {
    const char* what;
    std::string payload;
    const char* said;
  };
  const auto row = GENERATE(values<Row>({
      {"an empty frame", "", "not valid JSON"},
      {"garbage", "\x01\x02garbage", "not valid JSON"},
      {"invalid UTF-8", "{\"result\":{\"text\":\"\xFF\",\"error\":false}}", "not valid JSON"},
      {"a duplicate key", R"({"result":1,"result":{"text":"","error":false}})", "duplicate key"},
      {"deep nesting", std::string(40, '[') + std::string(40, ']'), "nested deeper"},
      {"no object", "[]", "neither a result nor"},
      {"an empty object", "{}", "neither a result nor"},
      {"a result and a host call at once", R"({"result":{"text":"","error":false},"host":"x"})",
       "neither a result nor"},
      {"a result of another type", R"({"result":"done"})", "not {text, error}"},
      {"a text of another type", R"({"result":{"text":1,"error":false}})", "not {text, error}"},
      {"a result without error", R"({"result":{"text":"x"}})", "not {text, error}"},
      {"one more member", R"({"result":{"text":"x","error":false,"more":1}})", "not {text, error}"},
      {"an unknown method", R"({"host":"shell.run","arguments":{}})", "does not exist"},
      {"a method of another type", R"({"host":7,"arguments":{}})", "does not exist"},
      {"arguments missing", R"({"host":"memory.note"})", "neither a result nor"},
      {"wrong arguments", R"({"host":"memory.note","arguments":{"text":1}})", "wrong arguments"},
      {"additional arguments", R"({"host":"memory.note","arguments":{"text":"","owner":"x"}})",
       "wrong arguments"},
      {"arguments of another type", R"({"host":"memory.note","arguments":[]})", "wrong arguments"},
  }));
  CAPTURE(row.what);
  Fixture fixture;
  const Result<std::string> answer = fixture.channel.OnBytes(EncodeFrame(row.payload));
  REQUIRE_FALSE(answer.ok());
  CHECK_THAT(answer.error().message, Catch::Contains(row.said));
  CHECK_THAT(answer.error().message, !Catch::Contains("protocol"));  // the caller says that
  CHECK(fixture.services.calls.empty());
  CHECK_FALSE(fixture.channel.result());
}

TEST_CASE("a service that the manifest does not ask for is out of reach") {
  FakeServices services;
  Manifest manifest = MemoryTool();
  manifest.host_services.clear();
  ToolChannel channel(manifest, "call-1", Json::object(), services);
  const Result<std::string> answer = channel.OnBytes(EncodeFrame(kNote));
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::kPermissionDenied);
  CHECK(services.calls.empty());
}

TEST_CASE("nothing may follow the result") {
  Fixture fixture;
  SECTION("in the same bytes") {
    CHECK_FALSE(fixture.channel.OnBytes(EncodeFrame(kDone) + EncodeFrame(kDone)).ok());
  }
  SECTION("later") {
    REQUIRE(fixture.channel.OnBytes(EncodeFrame(kDone)).ok());
    CHECK(fixture.channel.OnBytes("").ok());
    CHECK_FALSE(fixture.channel.OnBytes(EncodeFrame(kNote)).ok());
    CHECK(fixture.services.calls.empty());
  }
}

TEST_CASE("a frame above the limit is refused at its length, before its bytes") {
  Fixture fixture;
  const Result<std::string> answer = fixture.channel.OnBytes("\xFF\xFF\xFF\x7F");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::kResourceExhausted);
}

TEST_CASE("a result text above the limit is refused") {
  Fixture fixture;
  const Json frame = {
      {"result", {{"text", std::string(kToolTextBytesMax + 1, 'x')}, {"error", false}}}};
  CHECK(fixture.channel.OnBytes(EncodeFrame(DumpJson(frame))).error().code ==
        ErrorCode::kResourceExhausted);
}

TEST_CASE("the calls of the host are counted and bounded") {
  Fixture fixture;
  for (int i = 0; i < kHostCallsMax; ++i) {
    REQUIRE(fixture.channel.OnBytes(EncodeFrame(kNote)).ok());
  }
  CHECK(fixture.channel.OnBytes(EncodeFrame(kNote)).error().code == ErrorCode::kResourceExhausted);
  CHECK(fixture.services.calls.size() == kHostCallsMax);
}

// The real program on the other end.
ToolResult CallBuiltin(const std::string& name, const Json& arguments, FakeServices& services) {
  Manifest manifest = MemoryTool();
  manifest.name = name;
  ToolChannel channel(manifest, "call-1", arguments, services);
  const testing::Ran ran = testing::RunWithChannel(
      testing::BuiltinProgram(name), "/", channel.Start(),
      [&](std::string_view bytes) { return channel.OnBytes(bytes).value(); });
  CAPTURE(ran.err);
  CHECK(ran.status == 0);
  REQUIRE(channel.result());
  return *channel.result();
}

TEST_CASE("memory.note hands its text to the host and says that it is noted") {
  FakeServices services;
  CHECK(CallBuiltin("memory.note", {{"text", "the key is in vault A"}}, services).text == "noted");
  CHECK(services.calls ==
        std::vector<std::string>{R"(memory.note {"text":"the key is in vault A"})"});
}

TEST_CASE("memory.search shows one line per note") {
  FakeServices services;
  CHECK(CallBuiltin("memory.search", {{"query", "key"}}, services).text ==
        "2 notes\nfirst note\nsecond note");
}

TEST_CASE("a refusal of the host is an error result") {
  FakeServices services;
  services.fail = true;
  const ToolResult result = CallBuiltin("memory.note", {{"text", "x"}}, services);
  CHECK(result.text == "error: the store is full");
  CHECK(result.error);
}

TEST_CASE("a program that proc.run starts has no channel and an empty standard input") {
  FakeServices services;
  CHECK(CallBuiltin("proc.run", {{"argv", {"readlink", "/proc/self/fd/0"}}}, services).text ==
        "exit 0\n/dev/null");
  // 3 is the descriptor with which ls reads the directory.
  CHECK(CallBuiltin("proc.run", {{"argv", {"ls", "/proc/self/fd"}}}, services).text ==
        "exit 0\n0\n1\n2\n3");
}

}  // namespace
}  // namespace nacre::tools
