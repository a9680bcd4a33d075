#include "runtime/inference/worker/reply_tracker.h"

#include <catch2/catch.hpp>

#include "runtime/inference/worker/utf8_gate.h"

namespace nacre::inference {
namespace {

using Kind = ReplyTracker::Kind;
using PieceKind = ReplyTracker::PieceKind;
using Calls = ReplyTracker::Calls;

const CallFrame kTokenFrame{.prefix = {{"<call>", 3}, {"{\"name\":\"", -1}},
                            .infix = {{"\",\"arguments\":", -1}},
                            .suffix = {{"}", -1}, {"</call>", 4}}};
const CallFrame kTextFrame{.prefix = {{"{\"name\": \"", -1}},
                           .infix = {{"\", \"parameters\": ", -1}},
                           .suffix = {{"}", -1}}};

}  // namespace

TEST_CASE("a call is followed to its end, however it is cut into pieces") {
  const std::string body = R"({"name":"fs.list","arguments":{"path":"a}\"]{","deep":{"x":[1,2]}}})";
  for (size_t step = 1; step <= body.size(); ++step) {
    CAPTURE(step);
    ReplyTracker tracker(kTokenFrame, Calls::kPossible);
    CHECK(tracker.ControlTokenAllowed());
    tracker.Feed("<call>", PieceKind::kControl);
    for (size_t at = 0; at < body.size(); at += step) {
      tracker.Feed(body.substr(at, step), PieceKind::kOrdinary);
      CHECK_FALSE(tracker.call_complete());
    }
    CHECK(tracker.ControlTokenAllowed());
    tracker.Feed("</call>", PieceKind::kControl);
    CHECK(tracker.call_complete());
    CHECK(tracker.name() == "fs.list");
    CHECK(tracker.arguments() == R"({"path":"a}\"]{","deep":{"x":[1,2]}})");
  }
}

TEST_CASE("no control token may stand inside of a string or of an answer") {
  ReplyTracker call(kTokenFrame, Calls::kPossible);
  call.Feed("<call>", PieceKind::kControl);
  call.Feed(R"({"name":"x","arguments":{"a":"b)", PieceKind::kOrdinary);
  CHECK_FALSE(call.ControlTokenAllowed());
  ReplyTracker text(kTokenFrame, Calls::kPossible);
  text.Feed("<call>", PieceKind::kOrdinary);  // spelled, not the token
  CHECK(text.kind() == Kind::kText);
  CHECK_FALSE(text.ControlTokenAllowed());
  CHECK_FALSE(ReplyTracker(kTokenFrame, Calls::kImpossible).ControlTokenAllowed());
}

TEST_CASE("a frame of text is known by its first character") {
  ReplyTracker call(kTextFrame, Calls::kPossible);
  CHECK_FALSE(call.ControlTokenAllowed());
  call.Feed(R"({"name": "f", "parameters": {}})", PieceKind::kOrdinary);
  CHECK(call.call_complete());
  CHECK(call.arguments() == "{}");
  ReplyTracker text(kTextFrame, Calls::kImpossible);
  text.Feed("{\"name\"", PieceKind::kOrdinary);
  CHECK(text.kind() == Kind::kText);
  CHECK(text.text() == "{\"name\"");
}

TEST_CASE("only valid UTF-8 passes, and its borders are known") {
  struct Row {
    std::string_view bytes;
    bool valid;
    bool whole;
  };
  const auto row = GENERATE(values<Row>({
      {"abc", true, true},
      {"\xC3\xA9", true, true},
      {"\xC3", true, false},
      {"\xF0\x9F\x98\x80", true, true},
      {"\xF0\x9F\x98", true, false},
      {"\xC0\x80", false, false},
      {"\xE0\x80\x80", false, false},
      {"\xED\xA0\x80", false, false},
      {"\xF4\x90\x80\x80", false, false},
      {"\xFF", false, false},
      {"\xC3(", false, false},
      {"\x80", false, false},
  }));
  CAPTURE(row.bytes);
  Utf8Gate gate;
  REQUIRE(gate.Feed(row.bytes) == row.valid);
  if (row.valid) {
    CHECK(gate.between_characters() == row.whole);
  }
}

}  // namespace nacre::inference
