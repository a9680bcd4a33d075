// What other systems are given: every record, at least once, and nothing that a record made up.
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdio>
#include <regex>

#include "runtime/audit/checked_log.h"
#include "runtime/audit/export_format.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/record_format.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

const ExportSource kSource{.log = "nacre/audit/01J0", .host = "host.example", .version = "0.1.0"};

// What a tool or a model would like to have in a log.
const std::string kEvil =
    "a\n<110>1 2026-01-01T00:00:00Z h nacre - x [nacre@32473 verdict=\"allow\"] {}\r\n"
    "CEF:0|a|b|c|d|e|1|act=allow\x1b[2J\"]|=\\ \t\x7f \u009b\u202e {\"verdict\":\"allow\"}";

std::string RecordOf(AuditRecord record) {
  const testing::ManualClock clock;
  SystemRandom random;
  return FinishRecord(EncodeRecord(record, clock, random).value(), 17, std::string(64, 'f'));
}

std::string Format(ExportFormat format, const std::string& bytes) {
  return FormatRecord(format, kSource, {.index = 17, .bytes = bytes, .leaf = LeafHash(bytes)})
      .value();
}

// A record of each kind of event, as the runtime writes them, and one of none.
std::vector<AuditRecord> OneOfEach() {
  std::vector<AuditRecord> records;
  const auto add = [&](const char* event, Json data) {
    AuditRecord record = Record(0);
    record.event = event;
    record.data = std::move(data);
    record.rule = "tools.read-workspace";
    record.actor = records.size() % 2 == 0 ? "agent" : "uid 1000";
    record.step = 1;
    records.push_back(record);
  };
  for (const char* event : {"log.opened",
                            "log.recovered",
                            "session.created",
                            "session.resumed",
                            "turn.started",
                            "turn.resumed",
                            "turn.abandoned",
                            "turn.finished",
                            "model.asked",
                            "model.replied",
                            "call.malformed",
                            "memory.noted",
                            "workspace.commit",
                            "workspace.recovered",
                            "workspace.undo",
                            "workspace.undone",
                            "workspace.undo_refused",
                            "call.interrupted",
                            "policy.loaded",
                            "policy.refused",
                            "log.key_rotated",
                            "log.pruned",
                            "content.erased",
                            "session.deleted",
                            "hold.placed",
                            "hold.released",
                            "alert.raised",
                            "alert.failed",
                            "server.started",
                            "server.stopped",
                            "client.admitted",
                            "client.refused",
                            "approval.refused",
                            "retention.failed",
                            "data.extracted",
                            "data.revealed",
                            "data.endorsed",
                            "workspace.labels_cleared",
                            "what.nobody.knows"}) {
    add(event, {{"reason", "because"}});
  }
  for (const char* verdict : {"allow", "deny", "ask"}) {
    add("call.decided", {{"tool", "fs.read"}, {"verdict", verdict}, {"reason", kEvil}});
  }
  for (const bool approved : {true, false}) {
    add("call.approval", {{"approved", approved}, {"by", "uid 0"}});
  }
  for (const char* event : {"call.started", "call.finished", "call.recovered",
                            "sandbox.exec.started", "sandbox.exec.finished"}) {
    add(event, {{"tool", "fs.read"}, {"outcome", {{"kind", "exited"}, {"exit_code", 3}}}});
    records.back().call = "";
  }
  for (const char* event : {"model.asked", "model.replied", "session.created"}) {
    add(event, {{"engine", "http://127.0.0.1:8080"}, {"model", "nacre-mini"}});
  }
  // No integer_t of OCSF.
  add("call.finished",
      {{"tool", "t"}, {"outcome", {{"kind", "exited"}, {"exit_code", int64_t{1} << 40}}}});
  add("log.begun_beside_sessions", {{"sessions", 3}});
  add("log.loss_accepted", {{"lost", "records 4 to 9 of x"}, {"reason", "restored"}});
  add("call.finished", {{"tool", "fs.read"}, {"outcome", {{"kind", "violation"}}}});
  add("selftest.finished", {{"escaped", 0}});
  add("selftest.finished", {{"escaped", 1}});
  records.back().labels = {"untrusted"};
  records.back().tenant = "acme";
  records.back().actor = "nacre";
  return records;
}

class Lines {
 public:
  Status operator()(std::string_view more) {
    if (failing) {
      return Error{ErrorCode::kUnavailable, "the sink is down"};
    }
    for (size_t end = more.find('\n'); end != std::string_view::npos; end = more.find('\n')) {
      all.emplace_back(more.substr(0, end));
      more.remove_prefix(end + 1);
    }
    CHECK(more.empty());
    return Ok();
  }
  std::vector<std::string> all;
  bool failing = false;
};

}  // namespace

TEST_CASE("each event is a valid OCSF 1.8.0 event of a fitting class") {
  const TempDir temp = FastTempDir();
  std::string lines;
  for (const AuditRecord& record : OneOfEach()) {
    lines += Format(ExportFormat::kOcsf, RecordOf(record)) + "\n";
  }
  REQUIRE(WriteFileAtomically(temp.path() + "/events", lines).ok());
  const std::string command = "python3 -B '" NACRE_SOURCE_DIR
                              "/tests/unit/audit/ocsf_check.py' '" NACRE_SOURCE_DIR
                              "/tests/data/ocsf/v1.8.0' < '" +
                              temp.path() + "/events' 2>&1";
  const std::string self_test =
      "python3 -B '" NACRE_SOURCE_DIR
      "/tests/unit/audit/ocsf_check.py' --self-test '" NACRE_SOURCE_DIR "/tests/data/ocsf/v1.8.0'";
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said(1 << 16, '\0');
  said.resize(std::fread(said.data(), 1, said.size(), pipe));
  INFO(said);
  CHECK(::pclose(pipe) == 0);
  CHECK(said == std::to_string(OneOfEach().size()) +
                    " events of the classes [0, 1007, 2004, 3002, 5019, 6002, 6003]: 0 problems\n");
  CHECK(std::system(self_test.c_str()) == 0);
}

TEST_CASE("a policy that was loaded or refused is a change of the configuration") {
  AuditRecord record = Record(1);
  record.event = GENERATE(as<std::string>(), "policy.loaded", "policy.refused");
  CAPTURE(record.event);
  const bool refused = record.event == "policy.refused";
  record.data = {{"reason", "a.yaml:3:1: unknown key"}};
  const Json event = ParseJson(Format(ExportFormat::kOcsf, RecordOf(record))).value();
  CHECK(event["type_uid"] == 501901);
  CHECK(event["status"] == (refused ? "Failure" : "Success"));
  CHECK(event["severity"] == (refused ? "Low" : "Informational"));
  CHECK(event["policy"]["uid"] == record.policy_digest);
}

TEST_CASE("who came to the gateway is an authentication, and whether they were let in its status") {
  AuditRecord record = Record(1);
  const bool refused = GENERATE(false, true);
  CAPTURE(refused);
  record.event = refused ? "client.refused" : "client.admitted";
  record.actor = GENERATE(as<std::string>(), "uid 1000", "nacre");
  record.data = refused ? Json{{"reason", "somebody else"}} : Json{{"as", "owner"}};
  const Json event = ParseJson(Format(ExportFormat::kOcsf, RecordOf(record))).value();
  CHECK(event["type_uid"] == 300201);
  CHECK(event["status"] == (refused ? "Failure" : "Success"));
  CHECK(event["severity"] == (refused ? "Low" : "Informational"));
  CHECK(event["user"] ==
        (record.actor == "nacre" ? Json{{"name", "unknown"}} : Json{{"uid", "1000"}}));
  CHECK(event.contains("status_detail") == refused);
  CHECK(Format(ExportFormat::kCef, RecordOf(record))
            .find(refused ? " outcome=failure suser=" : " outcome=success suser=") !=
        std::string::npos);
}

TEST_CASE("an OCSF event of a model says which, and CEF has the tenant and the labels") {
  AuditRecord record = Record(1);
  record.event = "model.replied";
  record.tenant = "acme";
  record.labels = {"confidentiality:secret", "integrity:untrusted"};
  record.data = {{"engine", "http://127.0.0.1:8080"}, {"model", "nacre-mini"}};
  const Json event = ParseJson(Format(ExportFormat::kOcsf, RecordOf(record))).value();
  CHECK(event["metadata"]["profiles"] == Json::array({"ai_operation"}));
  CHECK(event["ai_model"] ==
        Json({{"name", "nacre-mini"}, {"ai_provider", "http://127.0.0.1:8080"}}));
  const std::string cef = Format(ExportFormat::kCef, RecordOf(record));
  CHECK(cef.find(" flexString1Label=tenant flexString1=acme flexString2Label=labels "
                 "flexString2=confidentiality:secret,integrity:untrusted msg=") !=
        std::string::npos);
  record.data = {{"model", "nacre-mini"}};
  record.labels.clear();
  const Json without = ParseJson(Format(ExportFormat::kOcsf, RecordOf(record))).value();
  CHECK_FALSE(without.contains("ai_model"));
  CHECK_FALSE(without["metadata"].contains("profiles"));
  CHECK(Format(ExportFormat::kCef, RecordOf(record)).find("flexString2") == std::string::npos);
}

TEST_CASE("an OCSF event says which record it is, what was decided, and has all of it") {
  AuditRecord record = Record(1);
  record.data = {{"tool", "fs.read"}, {"verdict", "deny"}, {"reason", "outside"}};
  record.rule = "default";
  const std::string bytes = RecordOf(record);
  const Json event = ParseJson(Format(ExportFormat::kOcsf, bytes)).value();
  CHECK(event["class_uid"] == 6003);
  CHECK(event["time"] == 1'700'000'000'000);
  CHECK(event["api"]["operation"] == "fs.read");
  CHECK(event["action_id"] == 2);
  CHECK(event["disposition"] == "Blocked");
  CHECK(event["firewall_rule"]["uid"] == "default");
  CHECK(event["status_detail"] == "outside");
  CHECK(event["metadata"]["sequence"] == 17);
  Json own = event["unmapped"]["nacre"];
  CHECK(own["leaf"] == ToHex(LeafHash(bytes)));
  CHECK(own["log"] == "nacre/audit/01J0");
  own.erase("leaf");
  own.erase("log");
  CHECK(DumpJson(own) == bytes);
}

// Everywhere where a record has a text: also where only a forged log could have it.
TEST_CASE("nothing in a record ends a line, begins a field or reaches a terminal, in any format") {
  AuditRecord record;
  record.event = kEvil;
  record.session = record.turn = record.call = record.policy_digest = kEvil;
  record.rule = record.tenant = record.actor = kEvil;
  record.labels = {kEvil};
  record.data = {{"tool", kEvil}, {"verdict", kEvil}, {"reason", kEvil}, {"x", {{"y", kEvil}}}};
  const std::string bytes = RecordOf(record);
  for (const ExportFormat format : {ExportFormat::kOcsf, ExportFormat::kCef, ExportFormat::kSyslog,
                                    ExportFormat::kJsonl, ExportFormat::kOtlp}) {
    CAPTURE(static_cast<int>(format));
    const std::string line = Format(format, bytes);
    const bool jsonl = format == ExportFormat::kJsonl;
    CHECK(std::all_of(line.begin(), line.end(), [&](unsigned char letter) {
      return letter >= ' ' && (jsonl || letter <= '~');
    }));
  }
  CHECK(Format(ExportFormat::kJsonl, bytes) == bytes);

  const std::string syslog = Format(ExportFormat::kSyslog, bytes);
  std::smatch parts;
  REQUIRE(std::regex_match(
      syslog, parts,
      std::regex(R"(<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S{1,32}) )"
                 R"(\[nacre@32473((?: [a-z]+="(?:[^"\\\]]|\\["\\\]])*")*)\] (\{.*\}))")));
  CHECK(parts[1] == "110");
  CHECK(parts[4] == "nacre");
  const std::string elements = parts[7];
  const std::regex parameter(R"re( ([a-z]+)="((?:[^"\\\]]|\\["\\\]])*)")re");
  std::vector<std::string> names;
  for (auto at = std::sregex_iterator(elements.begin(), elements.end(), parameter);
       at != std::sregex_iterator(); ++at) {
    names.push_back((*at)[1]);
  }
  CHECK(names == std::vector<std::string>{"index", "leaf", "log", "verdict", "actor", "tenant",
                                          "session", "turn", "call", "rule", "policy"});
  CHECK(ParseJson(std::string(parts[8])).value()["reason"] == kEvil);

  const std::string cef = Format(ExportFormat::kCef, bytes);
  std::vector<std::string> header(1);
  size_t at = 0;
  for (; at < cef.size() && header.size() < 8; ++at) {
    if (cef[at] == '|') {
      header.emplace_back();
    } else {
      at += cef[at] == '\\' ? 1 : 0;
      header.back() += cef[at];
    }
  }
  REQUIRE(header.size() == 8);
  CHECK(header[0] == "CEF:0");
  CHECK(header[6] == "1");
  // A key is what stands before an "=" that is not escaped.
  std::vector<std::string> keys;
  for (size_t i = at; i < cef.size(); ++i) {
    if (cef[i] == '\\') {
      ++i;
    } else if (cef[i] == '=') {
      const size_t space = cef.rfind(' ', i);
      const size_t begin = std::max(at, space + 1);
      keys.push_back(cef.substr(begin, i - begin));
    }
  }
  CHECK(keys == std::vector<std::string>{"rt",          "externalId",
                                         "dvchost",     "deviceExternalId",
                                         "act",         "suser",
                                         "reason",      "cs1Label",
                                         "cs1",         "cs2Label",
                                         "cs2",         "cs3Label",
                                         "cs3",         "cs4Label",
                                         "cs4",         "cs5Label",
                                         "cs5",         "cs6Label",
                                         "cs6",         "flexString1Label",
                                         "flexString1", "flexString2Label",
                                         "flexString2", "msg"});
  CHECK_FALSE(FormatRecord(ExportFormat::kCef, kSource, {.bytes = "{}"}).ok());
  CHECK_FALSE(FormatRecord(ExportFormat::kJsonl, kSource, {.bytes = "x\ny"}).ok());
}

TEST_CASE("the lines for a decision are these") {
  AuditRecord record = Record(1);
  record.data = {{"tool", "fs.read"}, {"verdict", "allow"}};
  record.rule = "a]b";
  record.actor = "agent";
  record.turn = "";
  std::string bytes = RecordOf(record);
  const std::string leaf = ToHex(LeafHash(bytes));
  CHECK(
      Format(ExportFormat::kSyslog, bytes) ==
      "<110>1 2023-11-14T22:13:20.000Z host.example nacre - call.decided [nacre@32473 index=\"17\" "
      "leaf=\"" +
          leaf +
          "\" log=\"nacre/audit/01J0\" verdict=\"allow\" actor=\"agent\" "
          "session=\"01J00000000000000000000001\" call=\"01J00000000000000000000003\" "
          "rule=\"a\\]b\" policy=\"sha256:00\"] {\"tool\":\"fs.read\",\"verdict\":\"allow\"}");
  CHECK(Format(ExportFormat::kCef, bytes) ==
        "CEF:0|nacre|nacre|0.1.0|call.decided|call.decided|1|rt=1700000000000 externalId=17 "
        "dvchost=host.example deviceExternalId=nacre/audit/01J0 act=allow suser=agent "
        "cs1Label=session cs1=01J00000000000000000000001 cs3Label=call "
        "cs3=01J00000000000000000000003 cs4Label=rule cs4=a]b cs5Label=policy cs5=sha256:00 "
        "cs6Label=leaf cs6=" +
            leaf + " msg={\"tool\":\"fs.read\",\"verdict\":\"allow\"}");
}

TEST_CASE("whatever keeps signed records from being read, an export names them") {
  LogDirectory log;
  log.Append(600);
  const std::string bundle = log.File(BundlePath(1));
  const std::string good = log.Read(BundlePath(1));
  std::filesystem::remove(bundle);
  SECTION("it is gone") {}
  SECTION("it is a folder") {
    std::filesystem::create_directory(bundle);
  }
  SECTION("it is a link to itself") {
    std::filesystem::create_symlink(bundle, bundle);
  }
  SECTION("it is cut") {
    log.Write(BundlePath(1), good.substr(0, good.size() / 2));
  }
  SECTION("it is longer than a bundle can be") {
    log.Write(BundlePath(1), std::string(kBundleBytesMax + 1, 'x'));
  }
  const std::string named = "records 256 to 511: ";
  const auto read = CheckedLog::Open(log.path).value().Bundle(1);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message.starts_with(named));
  Lines lines;
  const auto exported = ExportLog(log.path, {.source = kSource}, std::ref(lines));
  REQUIRE_FALSE(exported.ok());
  CHECK(exported.error().code == ErrorCode::kDataLoss);
  CHECK(exported.error().message.starts_with(named));
  CHECK(exported.error().message.find(named, 1) == std::string::npos);  // and once
  CHECK(lines.all.size() == 256);
}

TEST_CASE("with a cursor every record is handed on, in order, and none twice without a reason") {
  LogDirectory log;
  log.Append(300);
  const ExportOptions options{.source = kSource, .cursor_file = log.temp.path() + "/cursor"};
  Lines lines;
  CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 301);
  CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 0);
  log.Append(300);
  CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 301);
  REQUIRE(lines.all.size() == 602);
  for (uint64_t index = 0; index < 602; ++index) {
    CHECK(IntMember(ParseJson(lines.all[index]).value(), "index") == static_cast<int64_t>(index));
  }
  const std::string kept = ReadFile(options.cursor_file, 4096).value();
  SECTION("a sink that is down is asked again") {
    log.Append(2);
    lines.failing = true;
    CHECK(ExportLog(log.path, options, std::ref(lines)).error().message == "the sink is down");
    CHECK(ReadFile(options.cursor_file, 4096).value() == kept);
    lines.failing = false;
    CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 3);
  }
  SECTION("what was taken and not noted comes again, and nothing is left out") {
    log.Append(2);
    CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 3);
    REQUIRE(WriteFileAtomically(options.cursor_file, kept).ok());
    CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 3);
    CHECK(lines.all[602] == lines.all[605]);
  }
  SECTION("only what is signed is handed on") {
    const std::string head = log.Read(kHeadFile);
    const std::string checkpoint = log.Read(kCheckpointFile);
    log.Append(2);
    log.Write(kHeadFile, head);
    log.Write(kCheckpointFile, checkpoint);
    CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 0);
  }
  SECTION("another log is not taken for its continuation") {
    LogDirectory other;
    other.Append(700);
    const auto refused = ExportLog(other.path, options, std::ref(lines));
    CHECK(refused.error().code == ErrorCode::kFailedPrecondition);
    CHECK(refused.error().message.find("is of the log nacre/audit/") != std::string::npos);
  }
  SECTION("nor is an older copy, nor one that went on differently") {
    const std::string older = log.temp.path() + "/older";
    log.CopyTo(older);
    log.Append(2);
    CHECK(ExportLog(log.path, options, std::ref(lines)).value() == 3);
    CHECK(ExportLog(older, options, std::ref(lines)).error().code == ErrorCode::kDataLoss);
    log.PutBack(older);
    log.Append(2);
    CHECK(ExportLog(log.path, options, std::ref(lines))
              .error()
              .message.starts_with("the log does not go on from record 605"));
  }
  SECTION("what was changed is not handed on") {
    log.Append(400);
    std::string bundle = log.Read(BundlePath(3));
    bundle[200] ^= 1;
    log.Write(BundlePath(3), bundle);
    CHECK(ExportLog(log.path, options, std::ref(lines)).error().code == ErrorCode::kDataLoss);
    CHECK(lines.all.size() == 768);  // up to the bundle
  }
  SECTION("a damaged cursor is told") {
    for (const char* text :
         {"", "{}", "[]", "{\"log\":\"x\",\"next\":1,\"leaf\":\"\"}",
          "{\"log\":\"x\",\"next\":-1,\"leaf\":\"\"}", "{\"log\":\"\",\"next\":0,\"leaf\":\"\"}"}) {
      REQUIRE(WriteFileAtomically(options.cursor_file, text).ok());
      CHECK(ExportLog(log.path, options, std::ref(lines)).error().code ==
            ErrorCode::kInvalidArgument);
    }
  }
  SECTION("without a signature nothing is") {
    log.Write(kHeadFile, "x");
    log.Write(kCheckpointFile, "x");
    CHECK(ExportLog(log.path, options, std::ref(lines)).error().code == ErrorCode::kDataLoss);
  }
}

}  // namespace nacre::audit
