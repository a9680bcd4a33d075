#include "runtime/inference/worker_protocol.h"

#include <catch2/catch.hpp>

namespace nacre::inference {

TEST_CASE("a request survives the channel, with the order of a schema's keys") {
  GenerateRequest request{
      .session_id = "s",
      .messages = {{.role = Role::kUser, .content = "hi \"\n\xC3\xA9"},
                   {.role = Role::kAssistant, .call = EmittedCall{"fs.list", "{\"path\":\".\"}"}},
                   {.role = Role::kTool, .content = "x", .call_id = "1"}},
      .tools = {{"t", "d", OrderedJson::parse(R"({"properties":{"z":{},"a":{}}})")}},
      .answer_schema = OrderedJson::parse(R"({"type":"object","properties":{"z":{},"a":{}}})"),
      .tokens_max = 7,
      .temperature = 0.5F,
      .seed = 18446744073709551615ULL};
  const WorkerCommand command =
      ParseCommand(EncodeCommand(GenerateCommand{9, request}).value()).value();
  const auto& parsed = std::get<GenerateCommand>(command);
  CHECK(parsed.id == 9);
  CHECK(parsed.request.messages[0] == request.messages[0]);
  CHECK(parsed.request.messages[1].call == request.messages[1].call);
  CHECK(parsed.request.messages[2].content == "x");
  CHECK(parsed.request.tools[0].parameters.dump() == R"({"properties":{"z":{},"a":{}}})");
  CHECK(parsed.request.answer_schema.dump() == request.answer_schema.dump());
  CHECK(parsed.request.tokens_max == 7);
  CHECK(parsed.request.temperature == 0.5F);
  CHECK(parsed.request.seed == 18446744073709551615ULL);
}

TEST_CASE("what does not fit a frame is refused before it is sent") {
  GenerateRequest big{.messages = {{.role = Role::kUser, .content = std::string(5 << 20, 'x')}}};
  CHECK(EncodeCommand(GenerateCommand{1, big}).error().code == ErrorCode::kResourceExhausted);
  GenerateRequest schema{.tools = {{"t", "", OrderedJson{{"x", std::string(70 << 10, 'x')}}}}};
  CHECK(EncodeCommand(GenerateCommand{1, schema}).error().code == ErrorCode::kInvalidArgument);
  GenerateRequest answer{.answer_schema = OrderedJson{{"x", std::string(70 << 10, 'x')}}};
  CHECK(EncodeCommand(GenerateCommand{1, answer}).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("the largest reply fits an event") {
  ModelReply reply{.content = EmittedCall{"t", std::string(kReplyBytesMax, '"')}};
  CHECK(EncodeEvent(DoneEvent{1, reply}).size() <= kEventBytesMax);
}

TEST_CASE("events of a hostile worker are refused or made harmless") {
  for (const char* text :
       {"", "[]", "{}", "{\"type\":\"x\"}", "{\"type\":5}", "{\"type\":\"done\",\"call\":{}}",
        "{\"type\":\"done\",\"call\":{\"name\":1,\"arguments\":\"\"}}", "null",
        "{\"type\":\"text\"", "{\"type\":\"text\",\"text\":\"\xff\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseEvent(text).ok());
  }
  const WorkerEvent text =
      ParseEvent(R"({"type":"text","id":-4,"text":"a\u001b[2Jb\u009bc\nd"})").value();
  CHECK(std::get<TextEvent>(text).text == "a[2Jbc\nd");
  CHECK(std::get<TextEvent>(text).id == 0);
  const WorkerEvent failed =
      ParseEvent(R"({"type":"failed","id":1,"code":99,"message":"\u001b]0;x"})").value();
  CHECK(std::get<FailedEvent>(failed).error == Error{ErrorCode::kInternal, "?]0;x"});
  const WorkerEvent done =
      ParseEvent(
          R"({"type":"done","id":3,"tokens":{"prompt":99999999999,"cached":-1,"generated":"x"}})")
          .value();
  CHECK(std::get<DoneEvent>(done).reply.tokens == TokenUse{.prompt = 4294967295U});
}

TEST_CASE("commands that are malformed are errors") {
  for (const char* text :
       {"", "{}", "{\"type\":\"generate\"}", "{\"type\":\"generate\",\"request\":{}}",
        R"({"type":"generate","request":{"messages":[{"role":7}],"tools":[]}})",
        R"({"type":"generate","request":{"messages":[],"tools":[{"parameters":"{"}]}})"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseCommand(text).ok());
  }
}

}  // namespace nacre::inference
