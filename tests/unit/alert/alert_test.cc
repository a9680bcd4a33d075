#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <cstring>
#include <thread>

#include "base/file.h"
#include "base/temp_dir.h"
#include "runtime/alert/alert_delivery.h"
#include "runtime/alert/alert_engine.h"

namespace nacre::alert {
namespace {

AlertRules Rules(const std::string& text) {
  auto rules = ParseAlertRules(text);
  INFO((rules.ok() ? "" : rules.error().message));
  REQUIRE(rules.ok());
  return std::move(rules).value();
}

Json Decision(const std::string& verdict, const std::string& rule, int second,
              const std::string& tool = "fs.write", const std::string& session = "S") {
  char time[40];
  std::snprintf(time, sizeof time, "2026-11-26T12:%02d:%02d.000Z", second / 60, second % 60);
  return {{"event", "call.decided"},
          {"rule", rule},
          {"session", session},
          {"tenant", "acme"},
          {"time", time},
          {"labels", {"a", "b"}},
          {"actor", "agent"},
          {"data", {{"tool", tool}, {"verdict", verdict}}}};
}

const Alert kAlert{
    .rule = "r", .index = 7, .event = "call.decided", .tool = "fs.read", .value = "\x1b[2J\"\n"};

}  // namespace

TEST_CASE("so many denials of one rule within so long are one alert") {
  const AlertRules rules = Rules(
      R"({"alerts":[{"id":"many","match":{"decision":"deny"},"count":3,"within":"10s","by":"rule"}]})");
  AlertEngine engine(rules);
  uint64_t index = 0;
  const auto add = [&](const char* verdict, const char* rule, int second) {
    return engine.Add(index++, Decision(verdict, rule, second));
  };
  CHECK(add("deny", "a", 0).empty());
  CHECK(add("deny", "b", 1).empty());
  CHECK(add("allow", "a", 2).empty());
  CHECK(add("deny", "a", 4).empty());
  const std::vector<Alert> alerts = add("deny", "a", 10);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].rule == "many");
  CHECK(alerts[0].value == "a");
  CHECK(alerts[0].index == 4);
  CHECK(alerts[0].tenant == "acme");
  CHECK(alerts[0].count == 3);
  CHECK(add("deny", "a", 11).empty());  // three again
  CHECK(add("deny", "b", 11).empty());
  CHECK(add("deny", "b", 12).empty());  // the first one is too long ago
  CHECK(add("deny", "a", 12).empty());
  CHECK(add("deny", "a", 5).size() == 1);  // a clock that was set back hides nothing
}

TEST_CASE(
    "the first use of a tool by a session is an alert, and an attempt at a protected path each "
    "time") {
  const AlertRules rules = Rules(R"({"alerts":[
      {"id":"new","match":{"event":"call.decided"},"first":"tool","per":"session"},
      {"id":"label","first":"label"},
      {"id":"key","first":"credential"},
      {"id":"reached","match":{"host":"evil.example"}},
      {"id":"protected","match":{"rule":"workspace.protect","decision":"deny"}}]})");
  AlertEngine engine(rules);
  const auto ids = [&](const Json& record) {
    std::string text;
    for (const Alert& alert : engine.Add(0, record)) {
      text += alert.rule + "=" + alert.value + " ";
    }
    return text;
  };
  CHECK(ids(Decision("allow", "a", 0)) == "new=fs.write label=a label=b ");
  CHECK(ids(Decision("allow", "a", 0)) == "");
  CHECK(ids(Decision("allow", "a", 0, "fs.read")) == "new=fs.read ");
  CHECK(ids(Decision("allow", "a", 0, "fs.read", "T")) == "new=fs.read ");
  CHECK(ids(Decision("deny", "workspace.protect", 0)) == "protected= ");
  CHECK(ids(Decision("deny", "workspace.protect", 0)) == "protected= ");
  Json asked = Decision("", "", 0);
  asked["labels"] = Json::array();
  asked["event"] = "model.asked";
  asked["data"] = {{"credential", "NACRE_ENGINE_API_KEY"},
                   {"engine", "https://a.evil.example:8443/v1"}};
  CHECK(ids(asked) == "key=NACRE_ENGINE_API_KEY reached= ");
  CHECK(ids(asked) == "reached= ");
  asked["data"] = {{"engine", "https://evil.example.org/v1"}};
  CHECK(ids(asked) == "");
  Json own = Decision("deny", "workspace.protect", 0);
  own["event"] = "alert.raised";
  CHECK(ids(own) == "");
  // A restart forgets nothing; a rule that means something else begins anew.
  const Json state = Json::parse(engine.ToState().dump());
  AlertEngine again(rules);
  REQUIRE(again.TakeState(state).ok());
  CHECK(again.Add(0, Decision("allow", "a", 0)).empty());
  CHECK(again.ToState() == state);
  const AlertRules changed =
      Rules(R"({"alerts":[{"id":"new","match":{"event":"call.decided"},"first":"tool"}]})");
  AlertEngine other(changed);
  REQUIRE(other.TakeState(state).ok());
  CHECK(other.Add(0, Decision("allow", "a", 0)).size() == 1);
}

TEST_CASE("what the engine remembers is bounded, whatever the log holds") {
  const AlertRules rules = Rules(R"({"alerts":[
      {"id":"many","match":{"decision":"deny"},"count":1000,"within":"30d","by":"tool"},
      {"id":"new","match":{"decision":"allow"},"first":"tool"}]})");
  AlertEngine engine(rules);
  for (int i = 0; i < 30'000; ++i) {
    engine.Add(0, Decision("deny", "a", 0, "tool" + std::to_string(i)));
    engine.Add(0, Decision("allow", "a", 0, "tool" + std::to_string(i)));
  }
  const Json kept = engine.ToState();
  for (const auto& [rule, state] : kept.items()) {
    CHECK(state["times"].size() <= kKeysCountedMax);
    CHECK(state["seen"].size() <= kValuesSeenMax);
  }
  CHECK(engine.Add(0, Decision("allow", "a", 0, "tool29999")).size() ==
        1);  // rather told twice than never
  for (const char* text : {"[]", R"({"alerts":[{"id":"x"}]})", "null"}) {
    CHECK(engine.Add(0, Json::parse(text)).empty());
    CHECK(engine.TakeState(Json::parse(text)).ok());  // of other rules
  }
  Json bad = engine.ToState();
  for (const auto& [rule, own] : bad.items()) {
    own["times"] = Json::parse(R"([{"key":"x","times":["y"]}])");
  }
  CHECK_FALSE(AlertEngine(rules).TakeState(bad).ok());
}

TEST_CASE("a mistake in the rules is named at its place") {
  struct Row {
    const char* text;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"", ""},
      {"[]", "alerts: it must be an object"},
      {"{}", "alerts: it must be a list"},
      {R"({"alerts":[]})", "alerts: it must be a list"},
      {R"({"alerts":[{"match":{"tool":"x"}}]})", "alerts[0]: it needs an id"},
      {R"({"alerts":[{"id":"a"}]})", "alerts[0]: it needs match"},
      {R"({"alerts":[{"id":"a","match":{"tol":"x"}}]})", "alerts[0].match.tol: unknown key"},
      {R"({"alerts":[{"id":"a","match":{}}]})", "alerts[0]: it needs match, or first"},
      // What is never recorded would never be told.
      {R"({"alerts":[{"id":"a","match":{"event":"call.decide"}}]})",
       "alerts[0].match.event: 'call.decide' is no event; there are call.approval, call.decided,"},
      {R"({"alerts":[{"id":"a","match":{"outcome":"killed"}}]})",
       "alerts[0].match.outcome: it must be one of cancelled, cpu_exceeded,"},
      {R"({"alerts":[{"id":"a","match":{"event":"call.decided","outcome":"violation"}}]})",
       "alerts[0].match.outcome: call.decided has none"},
      {R"({"alerts":[{"id":"a","match":{"label":"untrusted:integrity"}}]})",
       "alerts[0].match.label: a label is category:NAME"},
      {R"({"alerts":[{"id":"a","match":{"decision":"no"}}]})",
       "alerts[0].match.decision: it must be one of"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"count":5}]})", "count and within go together"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"count":1,"within":"1m"}]})",
       "alerts[0].count"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"count":-5,"within":"1m"}]})",
       "alerts[0].count"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"count":5,"within":"1y"}]})",
       "alerts[0].within"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"count":5,"within":"9999999999999d"}]})",
       "alerts[0].within"},
      {R"({"alerts":[{"id":"a","first":"tool","count":5,"within":"1m"}]})", "not both"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"per":"session"}]})", "alerts[0].per"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"},"notify":["x"]}]})", "there is no sink x"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}},{"id":"a","match":{"tool":"x"}}]})",
       "alerts[1].id"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{}}})", "sinks.s: it is one of"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"command":"ls"}}})",
       "sinks.s.command"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"command":["ls"]}}})",
       "an absolute path"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"webhook":"ftp://x"}}})",
       "sinks.s.webhook"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"webhook":"http://example.org/x"}}})",
       "https only"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"syslog":"log"}}})",
       "sinks.s.syslog"},
      {R"({"alerts":[{"id":"a","match":{"tool":"x"}}],"sinks":{"s":{"syslog":"/dev/log","x":1}}})",
       "sinks.s.x: unknown key"},
  }));
  CAPTURE(row.text);
  const auto rules = ParseAlertRules(row.text);
  REQUIRE_FALSE(rules.ok());
  CHECK(rules.error().message.find(row.says) != std::string::npos);
}

TEST_CASE("a label's short name and a person's answer are matched") {
  const AlertRules rules = Rules(R"({"alerts":[
      {"id":"untrusted","match":{"label":"untrusted"}},
      {"id":"no","match":{"decision":"refused","tool":"fs.write"}},
      {"id":"yes","match":{"decision":"approved"}}]})");
  AlertEngine engine(rules);
  Json record = Decision("allow", "a", 0);
  record["labels"] = {"integrity:untrusted"};
  REQUIRE(engine.Add(0, record).size() == 1);
  CHECK(engine.Add(0, record)[0].rule == "untrusted");
  record["labels"] = {"integrity:untrusted-not", "category:untrust"};
  CHECK(engine.Add(0, record).empty());
  record["event"] = "call.approval";
  record["data"] = {{"approved", false}, {"subject", {{"tool", "fs.write"}}}};
  REQUIRE(engine.Add(0, record).size() == 1);
  CHECK(engine.Add(0, record)[0].rule == "no");
  record["data"]["subject"]["tool"] = "fs.read";
  CHECK(engine.Add(0, record).empty());
  record["data"]["approved"] = true;
  REQUIRE(engine.Add(0, record).size() == 1);
  CHECK(engine.Add(0, record)[0].rule == "yes");
  record["event"] = "call.decided";  // where the member would mean something else
  CHECK(engine.Add(0, record).empty());
}

TEST_CASE("a command gets the alert as a line of plain JSON, and is bounded in time") {
  const TempDir temp = TempDir::Create().value();
  const std::string out = temp.path() + "/out";
  const CancelToken never;
  const auto run = [&](const std::string& script, int timeout_ms) {
    return Deliver(
        kAlert,
        {.name = "c", .argv = {"/bin/sh", "-c", script, "x; touch " + temp.path() + "/shell"}},
        std::chrono::milliseconds(timeout_ms), never);
  };
  REQUIRE(run("cat > " + out + "; env >> " + out, 10'000).ok());
  const std::string text = ReadFile(out, 1 << 16).value();
  const std::string line = text.substr(0, text.find('\n'));
  CHECK(line.find('\x1b') == std::string::npos);
  const Json alert = Json::parse(line);
  CHECK(alert["alert"] == "r");
  CHECK(alert["index"] == 7);
  CHECK(alert["value"] == "\\x1b[2J\"\\n");
  CHECK(text.find("HOME=") == std::string::npos);
  CHECK_FALSE(std::filesystem::exists(temp.path() + "/shell"));
  CHECK(run("exit 3", 10'000).error().message.find("exit code 3") != std::string::npos);
  CHECK(run("kill -9 $$", 10'000).error().message.find("signal 9") != std::string::npos);
  CHECK(run("sleep 60 & sleep 60", 50).error().code == ErrorCode::kDeadlineExceeded);
  CHECK_FALSE(
      Deliver(kAlert, {.name = "c", .argv = {"/none"}}, std::chrono::seconds(1), never).ok());
}

TEST_CASE("syslog and a webhook get the alert, and a failure is an error") {
  const TempDir temp = TempDir::Create().value();
  const std::string path = temp.path() + "/log";
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const CancelToken never;
  const auto timeout = std::chrono::seconds(5);
  AlertSink sink{.name = "s", .kind = AlertSink::Kind::kSyslog, .target = path};
  REQUIRE(Deliver(kAlert, sink, timeout, never).ok());
  std::string message(1 << 16, '\0');
  message.resize(static_cast<size_t>(::recv(socket.get(), message.data(), message.size(), 0)));
  CHECK(message.starts_with("<105>nacre: {\"event\":\"alert.raised\",\"alert\":\"r\",\"index\":7"));
  sink.target = temp.path() + "/none";
  CHECK_FALSE(Deliver(kAlert, sink, timeout, never).ok());

  // A web server that answers once with each status.
  const UniqueFd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  REQUIRE(::bind(server.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
  REQUIRE(::listen(server.get(), 4) == 0);
  REQUIRE(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&here), &size) == 0);
  std::string request;
  std::thread serving([&] {
    for (const char* status : {"204 No Content", "500 No"}) {
      const UniqueFd client(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string got(1 << 16, '\0');
      size_t length = 0;
      while (got.find("\"count\":1}") == std::string::npos) {
        const ssize_t count = ::read(client.get(), got.data() + length, got.size() - length);
        if (count <= 0) {
          break;
        }
        length += static_cast<size_t>(count);
      }
      request = got.substr(0, length);
      (void)WriteAll(client.get(), std::string("HTTP/1.1 ") + status +
                                       "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
  });
  sink = {.name = "w",
          .kind = AlertSink::Kind::kWebhook,
          .target = "http://127.0.0.1:" + std::to_string(ntohs(here.sin_port)) + "/hook"};
  const Status good = Deliver(kAlert, sink, timeout, never);
  const Status bad = Deliver(kAlert, sink, timeout, never);
  serving.join();
  CHECK(good.ok());
  CHECK(request.starts_with("POST /hook HTTP/1.1\r\n"));
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().message.find("status 500") != std::string::npos);
}

}  // namespace nacre::alert
