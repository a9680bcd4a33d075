#include <catch2/catch.hpp>

#include <chrono>
#include <string>

#include "base/clock.h"
#include "runtime/plot/pictures.h"
#include "runtime/plot/time_axis.h"

namespace nacre::plot {
namespace {

const Evidence kEvidence{.log = "nacre/audit/01K", .signed_records = 9};
const int64_t kStart = MillisOf("2026-11-26T12:00:00.000Z");

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// A session that is written step by step.
class Script final {
 public:
  void Put(int64_t millis, const std::string& event, const std::string& call, Json data,
           std::vector<std::string> labels = {}) {
    now_ += millis;
    trace.Add(index_++, {{"event", event},
                         {"session", "01K"},
                         {"turn", "T"},
                         {"call", call},
                         {"rule", rule},
                         {"labels", labels},
                         {"time", FormatRfc3339(WallTime(std::chrono::milliseconds(now_)))},
                         {"data", std::move(data)}});
  }
  void Call(const std::string& tool, const std::string& verdict, const std::string& kind,
            bool error) {
    const std::string call = "C" + std::to_string(index_);
    Put(10, "call.decided", call,
        {{"tool", tool}, {"verdict", verdict}, {"reason", tool}, {"arguments", {{"bytes", 20}}}});
    if (verdict == "allow") {
      Put(5, "call.finished", call,
          {{"tool", tool},
           {"outcome", {{"kind", kind}}},
           {"error", error},
           {"result", {{"bytes", 300}}}});
    }
  }

  SessionTrace trace;
  std::string rule = "r";

 private:
  int64_t now_ = kStart;
  uint64_t index_ = 0;
};

}  // namespace

TEST_CASE("times and amounts are written as people read them") {
  CHECK(kStart == 1795694400000);
  CHECK(MillisOf("2026-13-26T12:00:00.000Z") == -1);
  CHECK(MillisOf("2026-11-26T12:00:00Z") == -1);
  CHECK(MillisOf("") == -1);
  CHECK(DateTimeText(kStart) == "2026-11-26 12:00:00");
  CHECK(DurationText(0) == "0 ms");
  CHECK(DurationText(12'540) == "12.5 s");
  CHECK(DurationText(125'000) == "2 min 5 s");
  CHECK(DurationText(7'200'000) == "2 h");
  CHECK(DurationText(93'600'000) == "1 d 2 h");
  CHECK(BytesText(1) == "1 byte");
  CHECK(BytesText(3'400) == "3.4 kB");
  CHECK(Count(4812, "call") == "4,812 calls");
}

TEST_CASE("each call of a session is one mark, by how it ended") {
  Script script;
  script.Put(0, "session.created", "", {{"workspace", "/w"}});
  script.Put(1, "turn.started", "", {{"request", {{"bytes", 12}}}});
  script.Put(1, "model.asked", "", Json::object());
  script.Put(300, "model.replied", "", Json::object());
  script.Call("fs.read", "allow", "exited", false);
  script.Call("fs.read", "allow", "exited", true);
  script.Call("proc.run", "allow", "timed_out", false);
  script.Call("fs.write", "deny", "", false);
  script.Call("fs.write", "ask", "", false);
  script.trace.Finish();
  const SessionTrace& trace = script.trace;
  REQUIRE(trace.calls.size() == 5);
  CHECK(trace.calls[0].end == CallEnd::kAnswered);
  CHECK(trace.calls[1].end == CallEnd::kFailed);
  CHECK(trace.calls[2].end == CallEnd::kStopped);
  CHECK(trace.calls[3].end == CallEnd::kRefused);
  CHECK(trace.calls[4].end == CallEnd::kRefused);
  const Picture picture = PlotTimeline(trace, kEvidence);
  CHECK(picture.summary["calls"] == 5);
  CHECK(picture.summary["refused"] == 2);
  CHECK(picture.summary["counted"] == false);
  CHECK(picture.marks == 7);  // the turn, a step of the engine, and the calls
  CHECK(CountOf(picture.body, "class=\"deny\"") == 3);  // one of them explains it
  // A call without an end looks like nothing else.
  script.Put(1, "call.decided", "U", {{"tool", "fs.read"}, {"verdict", "allow"}});
  script.trace.Finish();
  const Picture unended = PlotTimeline(script.trace, kEvidence);
  CHECK(CountOf(picture.body, "class=\"unended\"") == 1);  // explains it
  CHECK(CountOf(unended.body, "class=\"unended\"") == 2);
  CHECK(CountOf(unended.body, "class=\"engine\"") == CountOf(picture.body, "class=\"engine\""));
  const Picture flow = PlotFlow(trace, kEvidence);
  CHECK(flow.summary["sources"].size() == 3);  // what was refused brought nothing
  CHECK(flow.summary["sinks"].size() == 4);
  CHECK(flow.summary["sinks"][2] ==
        OrderedJson({{"name", "fs.write"}, {"passed", 0}, {"bytes", 0}, {"refused", 2}}));
}

TEST_CASE("a long session stays small, says that it is counted, and hides no refusal") {
  Script script;
  script.Put(0, "session.created", "", Json::object());
  for (int i = 0; i < 20'000; ++i) {
    script.Call("tool" + std::to_string(i % 40), i == 9'999 ? "deny" : "allow", "exited", false);
  }
  script.trace.Finish();
  const Picture picture = PlotTimeline(script.trace, kEvidence);
  CHECK(picture.summary["counted"] == true);
  CHECK(picture.body.find("Counted, not drawn one by one") != std::string::npos);
  CHECK(picture.body.find("27 other tools") != std::string::npos);
  CHECK(picture.body.size() < 2'000'000);
  CHECK(picture.marks < 4'000);
  // In the heading, on its bar, and on what was answered in the same interval.
  CHECK(CountOf(picture.body, " 1 refused") == 3);
  CHECK(PlotFlow(script.trace, kEvidence).body.find("27 other tools") != std::string::npos);
}

TEST_CASE("labels have a span, who brought them, and an end when a stronger one comes") {
  Script script;
  script.Put(0, "session.created", "", Json::object());
  script.Put(1, "call.decided", "C", {{"tool", "mail.read"}, {"verdict", "allow"}});
  script.Put(1, "call.finished", "C", {{"outcome", {{"kind", "exited"}}}},
             {"confidentiality:internal"});
  script.Put(1, "session.resumed", "", Json::object());
  script.Put(1, "model.asked", "", Json::object(), {"confidentiality:internal"});
  script.Put(1, "model.replied", "", Json::object(),
             {"confidentiality:secret", "integrity:untrusted"});
  script.trace.Finish();
  const auto& labels = script.trace.labels;
  REQUIRE(labels.size() == 3);
  CHECK(labels[0].by == "mail.read");
  CHECK(labels[0].span.end == kStart + 5);
  CHECK(labels[1].label == "confidentiality:secret");
  CHECK(labels[2].span.end == kStart + 5);
  CHECK(PlotTimeline(script.trace, kEvidence).body.find("brought by mail.read") !=
        std::string::npos);
}

TEST_CASE("what records say is never markup") {
  const std::string evil =
      "</title></text></svg><script>alert(1)</script><img src=x onerror=alert(1)> ]]> &amp; \" ' "
      "\x1b[2J"
      "\xe2\x80\xae\xef\xbf\xbf\n";
  Script script;
  script.rule = evil;
  script.Put(0, "session.created", "", {{"workspace", evil}, {"policy", evil}, {"model", evil}});
  script.trace.session = evil;
  script.Put(0, "turn.started", "", Json::object());
  script.Call(evil, "allow", evil, false);
  script.Call(evil + "2", "deny", "", false);
  script.Put(1, "model.asked", "", Json::object(), {evil, "integrity:" + evil});
  script.Put(1, "turn.finished", "", {{"state", evil}}, {evil});
  script.trace.Finish();
  DenialCounts counts;
  counts.since = evil;
  counts.Add(0, {{"event", "call.decided"},
                 {"call", evil},
                 {"rule", evil},
                 {"time", evil},
                 {"data", {{"tool", evil}, {"verdict", "deny"}, {"reason", evil}}}});
  const Evidence evidence{.log = evil};
  for (const Picture& picture : {PlotTimeline(script.trace, evidence),
                                 PlotFlow(script.trace, evidence), PlotDenials(counts, evidence)}) {
    for (const std::string& document : {ToSvg(picture), ToHtml(picture)}) {
      CAPTURE(document);
      CHECK(CountOf(document, "<script") == 0);
      CHECK(CountOf(document, "<img") == 0);
      CHECK(CountOf(document, "</svg>") == 1);
      CHECK(document.find('\x1b') == std::string::npos);
      CHECK(document.find("\xe2\x80\xae") == std::string::npos);
      CHECK(document.find("\xef\xbf\xbf") == std::string::npos);
      CHECK(CountOf(document, "http") == 1 + CountOf(document, "http-equiv"));  // the name of SVG
    }
  }
}

TEST_CASE("no form of records makes a picture impossible") {
  SessionTrace trace;
  for (
      const char* text :
      {"[]", "null", "{}", R"({"event":"model.replied"})", R"({"event":"turn.finished"})",
       R"({"event":"call.finished","call":"x"})",
       R"({"event":"call.decided","data":[],"labels":{},"time":"x"})",
       R"({"event":"call.decided","data":{"arguments":{"bytes":-1}},"time":"9999-12-31T23:59:59.999Z"})",
       R"({"event":"workspace.commit","data":{"created":-5},"time":"0000-01-01T00:00:00.000Z"})",
       R"({"event":"call.approval","data":{"approved":3},"labels":[1,null,"a"]})"}) {
    trace.Add(0, Json::parse(text));
  }
  trace.Finish();
  DenialCounts counts;
  for (const char* time : {"0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "x"}) {
    counts.Add(0, {{"event", "call.decided"}, {"time", time}, {"data", {{"verdict", "deny"}}}});
  }
  for (const Picture& picture :
       {PlotTimeline(trace, kEvidence), PlotFlow(trace, kEvidence), PlotDenials(counts, kEvidence),
        PlotTimeline({}, {}), PlotFlow({}, {}), PlotDenials({}, {})}) {
    CHECK(picture.height > 100);
    CHECK(ToSvg(picture).find("nan") == std::string::npos);
    CHECK(ToSvg(picture).find("inf\"") == std::string::npos);
  }
}

TEST_CASE("denials are counted by rule and day, with those that nobody approved") {
  DenialCounts counts;
  const auto add = [&](const char* event, const char* time, const char* rule, Json data) {
    counts.Add(0, {{"event", event},
                   {"call", "c"},
                   {"time", time},
                   {"rule", rule},
                   {"data", std::move(data)}});
  };
  add("call.decided", "2026-11-25T23:59:59.999Z", "a", {{"tool", "x"}, {"verdict", "deny"}});
  add("call.decided", "2026-11-26T00:00:00.000Z", "a", {{"tool", "x"}, {"verdict", "deny"}});
  add("call.decided", "2026-11-26T00:00:00.000Z", "a", {{"tool", "x"}, {"verdict", "allow"}});
  add("call.decided", "2026-11-27T00:00:00.000Z", "b", {{"tool", "y"}, {"verdict", "ask"}});
  add("call.approval", "2026-11-27T00:00:00.000Z", "b", {{"approved", false}});
  add("call.approval", "2026-11-27T00:00:00.000Z", "b", {{"approved", true}});
  const Picture picture = PlotDenials(counts, kEvidence);
  CHECK(picture.summary["refused"] == 3);
  CHECK(picture.summary["decisions"] == 4);
  CHECK(picture.summary["rules"][0]["days"] == OrderedJson({{"2026-11-25", 1}, {"2026-11-26", 1}}));
  CHECK(picture.summary["rules"][1]["not_approved"] == 1);
  CHECK(picture.body.find("b: 1 refusal, of them 1 not approved · y 1") != std::string::npos);
  CHECK(PlotDenials({}, kEvidence).body.find("No decision was recorded") != std::string::npos);
}

TEST_CASE("an axis cuts long waits out, and places stay in order") {
  const Span whole{.begin = kStart, .end = kStart + 90'000'000};
  const std::vector<Span> busy = {{.begin = kStart, .end = kStart + 1000},
                                  {.begin = kStart + 80'000'000, .end = kStart + 80'002'000},
                                  {.begin = kStart + 89'999'000, .end = kStart + 90'000'000}};
  const TimeAxis axis(whole, busy, 100, 1100);
  CHECK(axis.cuts() == 2);
  double before = 100;
  for (int64_t time = whole.begin; time <= whole.end; time += 250) {
    const double x = axis.At(time);
    REQUIRE(x >= before);
    before = x;
  }
  CHECK(before == Approx(1100));
  CHECK(axis.At(kStart - 5) == Approx(100));
  CHECK(axis.At(whole.end + 5) == Approx(1100));
  CHECK(axis.At(kStart + 1000) > 300);  // a second of four shown ones has its quarter
  CHECK(axis.InstantAt(axis.At(kStart + 500)) == Approx(kStart + 500).margin(2));
}

}  // namespace nacre::plot
