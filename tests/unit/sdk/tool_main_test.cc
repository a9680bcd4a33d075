#include "nacre/sdk/tool_main.h"

#include <catch2/catch.hpp>

#include "base/frame.h"
#include "base/json.h"
#include "tests/unit/tools/tool_process.h"

namespace nacre::testing {
namespace {

const std::string kProbe = std::string(NACRE_BINARY_DIR) + "/tests/unit/sdk/sdk_probe_tool";

std::string Request(const Json& arguments) {
  return EncodeFrame(
      DumpJson(Json{{"call", "call-7"}, {"tool", "probe"}, {"arguments", arguments}}));
}

// The frames that the tool sent; `answer` goes back for each that is no result.
std::vector<Json> Frames(const std::string& request, const std::string& answer = {}) {
  std::vector<Json> frames;
  FrameDecoder decoder(4U << 20);
  const Ran ran = RunWithChannel(kProbe, "/", request, [&](std::string_view bytes) {
    decoder.Feed(bytes);
    std::string back;
    std::string payload;
    while (decoder.Next(&payload).value()) {
      frames.push_back(ParseJson(payload, {.bytes_max = 4U << 20}).value());
      back += frames.back().contains("result") ? "" : answer;
    }
    return back;
  });
  CHECK(ran.status == 0);
  return frames;
}

Json ResultOf(const Json& arguments) {
  const std::vector<Json> frames = Frames(Request(arguments));
  REQUIRE(frames.size() == 1);
  return frames[0].at("result");
}

TEST_CASE("a tool knows its call and holds nothing of the channel that others could use") {
  CHECK(ResultOf({{"do", "tell"}}) ==
        Json{{"text", "call call-7, dumpable 0, descriptor 3 closed, input empty"},
             {"error", false}});
}

TEST_CASE("whatever an author throws becomes an error result") {
  CHECK(ResultOf({{"do", "throw ToolError"}}) ==
        Json{{"text", "error: no such thing"}, {"error", true}});
  CHECK(ResultOf({{"do", "throw an exception"}}) ==
        Json{{"text", "error: index 7"}, {"error", true}});
  CHECK(ResultOf({{"do", "throw a number"}}) ==
        Json{{"text", "error: the tool failed without saying why"}, {"error", true}});
  CHECK_THAT(ResultOf({{"do", 7}})["text"].get<std::string>(),
             Catch::StartsWith("error: bad arguments: "));
  CHECK(ResultOf(Json::array())["text"] == "error: bad arguments: not an object");
}

TEST_CASE("a text is made valid UTF-8, and cut at a line so that its frame fits") {
  CHECK(ResultOf({{"do", "say bytes"}})["text"] == "caf\uFFFD");
  const std::string text = ResultOf({{"do", "say much"}})["text"].get<std::string>();
  CHECK(text.size() <= 512U << 10);
  CHECK(text.size() > 500U << 10);
  CHECK_THAT(text.substr(text.size() - 80),
             Catch::Contains("JSON\n(truncated: ") && Catch::EndsWith(" more lines)"));
}

TEST_CASE("memory goes over the channel, call by call") {
  const std::string note_answer = EncodeFrame(R"({"ok":true,"value":["x","y"]})");
  const std::vector<Json> frames = Frames(Request({{"do", "remember"}}), note_answer);
  REQUIRE(frames.size() == 3);
  CHECK(frames[0] == Json{{"host", "memory.note"}, {"arguments", {{"text", "a"}}}});
  CHECK(frames[1] == Json{{"host", "memory.search"}, {"arguments", {{"query", "a"}}}});
  CHECK(frames[2] == Json{{"result", {{"text", "2 notes"}, {"error", false}}}});
}

TEST_CASE("a refusal of the host reaches the author as an exception") {
  const std::vector<Json> frames =
      Frames(Request({{"do", "remember"}}), EncodeFrame(R"({"ok":false,"value":"full"})"));
  CHECK(frames.back() == Json{{"result", {{"text", "error: full"}, {"error", true}}}});
}

TEST_CASE("a channel that carries no request ends the program, with a reason") {
  const auto row = GENERATE(values<std::string>({
      EncodeFrame("garbage"),
      EncodeFrame("[]"),
      EncodeFrame(R"({"call":7,"arguments":{}})"),
      std::string("\xFF\xFF\xFF\xFF", 4),
  }));
  const Ran ran = RunWithChannel(kProbe, "/", row, [](std::string_view) { return ""; });
  CHECK(ran.status == 1);
  CHECK_THAT(ran.err, Catch::StartsWith("nacre tool: "));
}

TEST_CASE("a call by hand prints the text, and exits with 1 for an error") {
  const Ran good = RunByHand(kProbe, {{"do", "remember"}}, "/");
  CHECK(good.out == "1 notes\n");
  CHECK(good.status == 0);
  const Ran bad = RunByHand(kProbe, {{"do", "throw ToolError"}}, "/");
  CHECK(bad.out == "error: no such thing\n");
  CHECK(bad.status == 1);
  const Ran broken = Run({kProbe, "--call", "{"}, "/");
  CHECK(broken.status == 2);
  CHECK_THAT(broken.err, Catch::Contains("as a JSON object"));
}

TEST_CASE("without a channel a tool says how to try it") {
  const Ran ran = Run({kProbe}, "/");
  CHECK(ran.status == 2);
  CHECK_THAT(ran.err, Catch::Contains("--call '{\"path\": \".\"}'"));
  CHECK(Run({kProbe, "--verbose"}, "/").status == 2);
}

}  // namespace
}  // namespace nacre::testing
