#include "runtime/inference/openai_stream.h"

#include <catch2/catch.hpp>

#include "base/json.h"
#include "runtime/inference/openai_engine.h"

namespace nacre::inference {
namespace {

std::string Event(const std::string& data) {
  return "data: " + data + "\n\n";
}

std::string Delta(const std::string& delta, const std::string& finish = "null") {
  return Event(R"({"choices":[{"index":0,"delta":)" + delta + R"(,"finish_reason":)" + finish +
               "}]}");
}

}  // namespace

TEST_CASE("an answer is the same however the network cuts it") {
  const std::string stream =
      ": hello\r\n\r\n" + Delta(R"({"role":"assistant","content":""})") +
      Delta(R"({"content":"Two "})") + Delta("{\"content\":\"caf\xC3\xA9s\"}") +
      Delta("{}", "\"stop\"") +
      Event(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,)"
            R"("prompt_tokens_details":{"cached_tokens":8}}})") +
      Event("[DONE]") + "trailing garbage";
  for (size_t step = 1; step <= stream.size(); step += 7) {
    CAPTURE(step);
    OpenAiStream parser;
    std::string text;
    for (size_t at = 0; at < stream.size(); at += step) {
      text += parser.FeedEvents(stream.substr(at, step)).value();
    }
    CHECK(text == "Two caf\xC3\xA9s");
    CHECK(parser.finished());
    const ModelReply reply = parser.Finish().value();
    CHECK(std::get<std::string>(reply.content) == text);
    CHECK(reply.tokens == TokenUse{.prompt = 12, .prompt_cached = 8, .generated = 3});
    CHECK_FALSE(reply.cut_off);
  }
}

TEST_CASE("a call is put together from its pieces, and only the first is taken") {
  OpenAiStream parser;
  const std::string text =
      parser
          .FeedEvents(
              Delta(
                  R"({"tool_calls":[{"index":0,"id":"c","function":{"name":"fs_list","arguments":""}}]})") +
              Delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"pa"}}]})") +
              Delta(R"({"tool_calls":[{"index":1,"function":{"name":"evil","arguments":"{}"}}]})") +
              Delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"th\":\".\"}"}}]})",
                    "\"tool_calls\""))
          .value();
  CHECK(text.empty());
  CHECK(std::get<EmittedCall>(parser.Finish().value().content) ==
        EmittedCall{"fs_list", R"({"path":"."})"});
}

TEST_CASE("a server that does not stream is understood") {
  OpenAiStream parser;
  CHECK(
      parser
          .FeedWhole(
              R"({"choices":[{"message":{"content":"Hi","tool_calls":null},"finish_reason":"length"}]})")
          .value() == "Hi");
  CHECK(parser.Finish().value().cut_off);
}

TEST_CASE("an answer that breaks off is none, and one that is cut off says so") {
  const std::string text = Delta(R"({"content":"Two "})");
  const std::string call =
      Delta(R"({"tool_calls":[{"index":0,"function":{"name":"x","arguments":"{}"}}]})");
  struct Row {
    std::string bytes;
    bool whole;
    bool cut_off = false;
  };
  const std::vector<Row> rows = {{text, false},
                                 {call, false},
                                 {text + "data: [DONE]", false},  // that line itself broke off
                                 {text + Delta("{}", "null"), false},
                                 {text + Delta("{}", "7"), false},
                                 {text + Delta("{}", "\"\""), false},
                                 {text + Event("[DONE]"), true},
                                 {text + Delta("{}", "\"stop\""), true},
                                 {call + Delta("{}", "\"tool_calls\""), true},
                                 {text + Delta("{}", "\"length\""), true, true}};
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    OpenAiStream parser;
    REQUIRE(parser.FeedEvents(row.bytes).ok());
    const Result<ModelReply> reply = parser.Finish();
    REQUIRE(reply.ok() == row.whole);
    if (row.whole) {
      CHECK(reply.value().cut_off == row.cut_off);
    } else {
      CHECK(reply.error().code == ErrorCode::kUnavailable);
    }
  }
}

TEST_CASE("what a hostile server sends is refused or bounded") {
  struct Row {
    std::string bytes;
    ErrorCode code;
  };
  const std::vector<Row> rows = {
      {Event("not json"), ErrorCode::kInvalidArgument},
      {Event("{\"choices\":"), ErrorCode::kInvalidArgument},
      {Event(R"({"error":{"message":"out of\u001b memory"}})"), ErrorCode::kUnavailable},
      {Event(R"({"error":"no"})"), ErrorCode::kUnavailable},
      {"data: " + std::string(600 << 10, 'x'), ErrorCode::kResourceExhausted},
      {Delta("{\"tool_calls\":[{\"function\":{\"name\":\"" + std::string(100, 'n') + "\"}}]}"),
       ErrorCode::kResourceExhausted},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes.substr(0, 60));
    OpenAiStream parser;
    const Result<std::string> text = parser.FeedEvents(row.bytes);
    REQUIRE_FALSE(text.ok());
    CHECK(text.error().code == row.code);
    CHECK(text.error().message.find('\x1b') == std::string::npos);
  }
  // Harmless nonsense yields nothing, and then there is no answer.
  OpenAiStream parser;
  CHECK(parser
            .FeedEvents(Event("[]") + Event("{\"choices\":{}}") + Event("{\"choices\":[7]}") +
                        Delta("{\"content\":5,\"tool_calls\":[1]}") +
                        "event: x\nid: 3\nretry: 1\n\n")
            .value()
            .empty());
  CHECK(parser.Finish().error().code == ErrorCode::kInvalidArgument);
  OpenAiStream flood;
  Status last;
  for (int i = 0; i < 10 && last.ok(); ++i) {
    const Result<std::string> text =
        flood.FeedEvents(Delta("{\"content\":\"" + std::string(100 << 10, 'x') + "\"}"));
    last = text.ok() ? Ok() : Status(text.error());
  }
  CHECK_FALSE(last.ok());
}

TEST_CASE("terminal controls do not pass") {
  OpenAiStream parser;
  CHECK(parser.FeedEvents(Delta(R"({"content":"a\u001b[31mb"})")).value() == "a[31mb");
}

TEST_CASE("tool names are mapped to what OpenAI allows, and back") {
  const ToolNames names({{"fs.list", "", {}}, {"fs_list", "", {}}, {"fs-list", "", {}}});
  CHECK(names.ToServer("fs.list") == "fs_list");
  CHECK(names.ToServer("fs_list") == "fs_list_2");
  CHECK(names.ToServer("fs-list") == "fs-list");
  for (const char* name : {"fs.list", "fs_list", "fs-list"}) {
    CHECK(names.FromServer(names.ToServer(name)) == name);
  }
  CHECK(names.FromServer("never.offered") == "never.offered");
  CHECK(names.ToServer("not offered!") == "not_offered_");
}

TEST_CASE("the request holds what the server must know and nothing else") {
  const GenerateRequest request{
      .session_id = "secret-session",
      .messages = {{.role = Role::kSystem, .content = "S"},
                   {.role = Role::kUser, .content = "U"},
                   {.role = Role::kAssistant,
                    .call = EmittedCall{"fs.list", "{\"path\":\".\"}"},
                    .call_id = "c1"},
                   {.role = Role::kTool, .content = "R", .call_id = "c1"}},
      .tools = {{"fs.list", "L", OrderedJson::parse(R"({"type":"object","properties":{}})")}},
      .tokens_max = 9};
  CHECK(
      OpenAiRequestBody(request, "m", ToolNames(request.tools)) ==
      R"({"model":"m","messages":[{"role":"system","content":"S"},{"role":"user","content":"U"},)"
      R"({"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"fs_list","arguments":"{\"path\":\".\"}"}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":"R"}],)"
      R"("tools":[{"type":"function","function":{"name":"fs_list","description":"L","parameters":{"type":"object","properties":{}}}}],)"
      R"("tool_choice":"auto","parallel_tool_calls":false,"max_tokens":9,"temperature":0.0,"seed":0,"stream":true,)"
      R"("stream_options":{"include_usage":true}})");
}

TEST_CASE("the schema of an answer is sent as the format of the response") {
  const GenerateRequest request{
      .messages = {{.role = Role::kUser, .content = "U"}},
      .answer_schema = OrderedJson::parse(R"({"type":"object","properties":{"answer":{}}})"),
      .tokens_max = 9};
  CHECK(
      OpenAiRequestBody(request, "m", ToolNames({})) ==
      R"({"model":"m","messages":[{"role":"user","content":"U"}],)"
      R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,)"
      R"("schema":{"type":"object","properties":{"answer":{}}}}},)"
      R"("max_tokens":9,"temperature":0.0,"seed":0,"stream":true,"stream_options":{"include_usage":true}})");
}

TEST_CASE("a URL is taken with and without /v1, and odd ones are refused") {
  for (const char* url : {"http://h:8080", "http://h:8080/", "http://h:8080/v1",
                          "http://h:8080/v1/", "http://h:8080/v1/chat/completions"}) {
    CAPTURE(url);
    CHECK(OpenAiBaseUrl(url).value() == "http://h:8080/v1");
  }
  CHECK(OpenAiBaseUrl("https://h/api").value() == "https://h/api/v1");
  for (const char* url : {"", "h", "ftp://h", "file:///etc/passwd", "http://user:key@h",
                          "http://h/?key=x", "http://h/#f"}) {
    CAPTURE(url);
    CHECK(OpenAiBaseUrl(url).error().code == ErrorCode::kInvalidArgument);
  }
}

}  // namespace nacre::inference
