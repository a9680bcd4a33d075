// Calls that wait for a person's yes: the book, and the whole way through the gateway's sockets.
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/agent/access_log.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/server/approval_book.h"
#include "sdk/client/approval_client.h"
#include "tests/support/skip.h"
#include "tests/unit/server/gateway_fixture.h"

namespace nacre::server {
namespace {

using std::chrono::milliseconds;

Account Person(uid_t uid, const std::string& name) {
  return {uid, static_cast<gid_t>(-1), name};
}

// A call that waits in a book of user 1000.
class Waiting {
 public:
  explicit Waiting(std::vector<policy::Approvers> approvers) {
    manifest_.name = "t.run";
    call_.tool = &manifest_;
    call_.request.arguments = {{"path", "a.txt"}};
    decision_.verdict = policy::Verdict::kAsk;
    decision_.rule = "tools.run";
    decision_.approvers = std::move(approvers);
    subject_ = agent::NameApproval(call_, "/w");
    digest = agent::ToJson(subject_).at("digest");
    answer_ = std::async(std::launch::async, [this] {
      return book.Ask({.call_id = call,
                       .session = session_,
                       .call = call_,
                       .decision = decision_,
                       .subject = subject_,
                       .digest = digest,
                       .expires = decision_.approvers.front().expires,
                       .cancel = token_,
                       .asked = asked_});
    });
    listed_.Wait();
  }
  agent::Approval Answer() { return answer_.get(); }
  bool IsOpen() { return answer_.wait_for(milliseconds(20)) == std::future_status::timeout; }

  ApprovalBook book{1000};
  CancelSource cancel;
  const std::string call = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  std::string digest;

 private:
  Signal listed_;
  const std::function<void()> asked_ = [this] { listed_.Set(); };
  const CancelToken token_ = cancel.token();
  const std::string session_ = "01S";
  tools::Manifest manifest_;
  agent::ToolCall call_;
  policy::Decision decision_;
  agent::ApprovalSubject subject_;
  std::future<agent::Approval> answer_;
};

TEST_CASE("without approvers it is whoever runs nacre who says yes") {
  Waiting waiting({policy::Approvers()});
  CHECK(waiting.book.ListFor(Person(1, "alice")).empty());
  CHECK(waiting.book.Take(Person(1, "alice"), {waiting.call, waiting.digest, true}).error().code ==
        ErrorCode::kNotFound);
  CHECK(waiting.IsOpen());
  const auto listed = waiting.book.ListFor(Person(1000, "owner"));
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].arguments_json == R"({"path":"a.txt"})");
  CHECK(listed[0].digest == waiting.digest);
  CHECK(listed[0].expires > milliseconds(0));
  CHECK(Must(waiting.book.Take(Person(1000, "owner"), {waiting.call, waiting.digest, true})) == 0);
  const agent::Approval answer = waiting.Answer();
  CHECK(answer.approved);
  CHECK(answer.by == "owner (uid 1000) through the gateway");
  CHECK(answer.uid == 1000U);
  CHECK(waiting.book.ListFor(Person(1000, "owner")).empty());
}

TEST_CASE("two persons must say yes, and nobody counts twice") {
  Waiting waiting({{.users = {"alice", "bob", "carol"}, .count = 2}});
  CHECK(
      waiting.book.Take(Person(1000, "owner"), {waiting.call, waiting.digest, true}).error().code ==
      ErrorCode::kNotFound);
  CHECK(Must(waiting.book.Take(Person(1, "alice"), {waiting.call, waiting.digest, true})) == 1);
  CHECK(waiting.book.Take(Person(1, "alice"), {waiting.call, waiting.digest, true}).error().code ==
        ErrorCode::kAlreadyExists);
  CHECK(waiting.book.ListFor(Person(1, "alice")).at(0).answered);
  CHECK_FALSE(waiting.book.ListFor(Person(2, "bob")).at(0).answered);
  CHECK(waiting.IsOpen());
  CHECK(Must(waiting.book.Take(Person(2, "bob"), {waiting.call, waiting.digest, true})) == 0);
  const agent::Approval answer = waiting.Answer();
  CHECK(answer.approved);
  CHECK(answer.by == "alice (uid 1), bob (uid 2) through the gateway");
  CHECK(answer.uid == 2U);  // with whose yes it was one
}

TEST_CASE("where several rules ask, the yes of each one's approvers is wanted") {
  Waiting waiting({policy::Approvers(), {.users = {"alice", "owner"}, .count = 2}});
  const auto say_yes = [&](uid_t uid, const std::string& name) {
    return Must(waiting.book.Take(Person(uid, name), {waiting.call, waiting.digest, true}));
  };
  CHECK(waiting.book.ListFor(Person(1, "alice")).at(0).wanted ==
        "whoever runs nacre, and 2 of alice or owner");
  CHECK(say_yes(1, "alice") == 1);
  CHECK(waiting.IsOpen());
  CHECK(say_yes(1000, "owner") == 0);  // means both
  CHECK(waiting.Answer().approved);
}

TEST_CASE("one no is a no, whoever said yes before") {
  Waiting waiting({{.users = {"alice", "bob"}, .count = 2}});
  Must(waiting.book.Take(Person(1, "alice"), {waiting.call, waiting.digest, true}));
  Must(waiting.book.Take(Person(2, "bob"), {waiting.call, waiting.digest, false}));
  const agent::Approval answer = waiting.Answer();
  CHECK_FALSE(answer.approved);
  CHECK(answer.by == "bob (uid 2) through the gateway, after the yes of alice (uid 1)");
  CHECK(answer.uid == 2U);
  CHECK(answer.why.empty());  // a person refused it
}

TEST_CASE("an answer to something else than what is asked is none") {
  Waiting waiting({{.users = {"alice"}}});
  const auto take = [&](const std::string& call, const std::string& digest) {
    return waiting.book.Take(Person(1, "alice"), {call, digest, true}).error().code;
  };
  CHECK(take(waiting.call, "sha256:00") == ErrorCode::kFailedPrecondition);
  CHECK(take(waiting.call, "") == ErrorCode::kFailedPrecondition);
  CHECK(take("01ARZ3NDEKTSV4RRFFQ69G5FAW", waiting.digest) == ErrorCode::kNotFound);
  CHECK(waiting.IsOpen());
  waiting.cancel.Cancel();
  const agent::Approval answer = waiting.Answer();
  CHECK_FALSE(answer.approved);
  CHECK(answer.why == "the turn was cancelled while a person was asked");
}

TEST_CASE("time that runs out is a no, also when one of two has said yes") {
  Waiting waiting({{.users = {"alice", "bob"}, .count = 2, .expires = milliseconds(2000)}});
  Must(waiting.book.Take(Person(1, "alice"), {waiting.call, waiting.digest, true}));
  const agent::Approval answer = waiting.Answer();
  CHECK_FALSE(answer.approved);
  CHECK(answer.by == "alice (uid 1) through the gateway, and nobody else");
  CHECK_FALSE(answer.uid.has_value());
  CHECK(answer.why == "the yes of 2 of alice or bob did not come within 2 s");
}

TEST_CASE("a role is a group of the host") {
  const group* primary = ::getgrgid(::getgid());
  if (primary == nullptr) {
    SKIP_HERE("this account's group has no name");
  }
  const policy::Approvers members{.role = primary->gr_name};
  const policy::Approvers nobody{.role = "no-such-group"};
  CHECK(agent::MayApprove(members, AccountOf(::getuid()), 4242));
  CHECK_FALSE(agent::MayApprove(members, Person(4242, "stranger"), 4242));
  CHECK_FALSE(agent::MayApprove(nobody, AccountOf(::getuid()), ::getuid()));
  CHECK(agent::DescribeApprovers({.users = {"alice", "bob"}, .role = "ops"}) ==
        "alice, bob or a member of ops");
  CHECK(agent::DescribeApprovers({.users = {"alice", "bob"}}) == "alice or bob");
}

// ---- through the sockets ----

std::function<void(ServerOptions&)> Asking(const std::string& approvers, bool wait = true) {
  const auto policy = Must(
      policy::LoadPolicyText("test.yaml",
                             "nacre: policy/1\nname: test\nworkspace: {mode: direct}\ntools:\n"
                             "  - {id: run, reason: people decide, tool: t.run, decision: ask" +
                                 approvers + "}\n"));
  return [policy, wait](ServerOptions& options) {
    options.sessions.make_policy = [policy](const std::string&) { return Result(policy); };
    options.approvals.wait = wait;
  };
}

// A turn that wants a call, on a thread of its own.
class AskingTurn {
 public:
  explicit AskingTurn(const Gateway& gateway)
      : client_(gateway.Connect()),
        session_(gateway.NewSession()),
        done_(std::async(std::launch::async, [this] {
          return client_->Send(session_, "call",
                               [this](const client::Event& event) {
                                 told.events.push_back(event.data);
                                 if (event.name == "call.asked") {
                                   asked.Set();
                                 }
                               },
                               {});
        })) {}
  void Wait() { Must(done_.get()); }
  const OrderedJson& Named(const std::string& name) const {
    for (const OrderedJson& event : told.events) {
      if (event["event"] == name) {
        return event;
      }
    }
    FAIL("no event " << name);
    return told.events.front();
  }

  Told told;
  Signal asked;

 private:
  std::unique_ptr<client::SessionClient> client_;
  std::string session_;
  std::future<Status> done_;
};

TEST_CASE("a call waits for the answer that comes through the gateway") {
  const bool approved = GENERATE(true, false);
  Gateway gateway(Asking(""));
  AskingTurn turn(gateway);
  turn.asked.Wait();
  const auto person = Must(client::ApprovalClient::Connect(gateway.options.socket_path));
  const auto pending = Must(person->List());
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].tool == "t.run");
  CHECK(pending[0].rule == "tools.run");
  CHECK(pending[0].reason == "people decide");
  CHECK(pending[0].workspace == gateway.root());
  CHECK(pending[0].files == std::map<std::string, std::string>{{"/workspace/a.txt", "absent"}});
  auto other = pending[0];
  other.digest = "sha256:0";
  CHECK(person->Answer(other, true).error().code == ErrorCode::kFailedPrecondition);
  CHECK(Must(person->Answer(pending[0], approved)) == 0);
  turn.Wait();
  CHECK(turn.told.last_state() == "finished");
  CHECK(turn.told.events.back()["calls"] == (approved ? 1 : 0));
  CHECK(turn.Named("call.asked")["digest"] == pending[0].digest);
  CHECK(turn.Named("call.approval")["approved"] == approved);
  CHECK(turn.Named("call.approval")["by"].get<std::string>().find("through the gateway") !=
        std::string::npos);
  CHECK(Must(person->List()).empty());
  CHECK(person->Answer(pending[0], true).error().code == ErrorCode::kNotFound);
  // Each answer that was none is recorded, and whose it was.
  std::vector<std::string> refused;
  Must(audit::ReadAuditLog(gateway.state.path() + "/audit", 0, [&](uint64_t, const Json& record) {
    if (StringMember(record, "event") == "approval.refused") {
      CHECK(StringMember(record, "actor") == "uid " + std::to_string(::getuid()));
      CHECK(StringMember(record, "call") == pending[0].call);
      refused.push_back(StringMember(*FindMember(record, "data"), "reason"));
    }
    return true;
  }));
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].starts_with("the digest is not that of the call"));
  CHECK(refused[1].starts_with("no call "));
}

size_t Count(const Gateway& gateway, const std::string& event) {
  size_t count = 0;
  Must(audit::ReadAuditLog(gateway.state.path() + "/audit", 0, [&](uint64_t, const Json& record) {
    count += StringMember(record, "event") == event ? 1 : 0;
    return true;
  }));
  return count;
}

TEST_CASE("who knocks again and again does not fill the log") {
  Gateway gateway;
  agent::AccessLog access(*gateway.log, gateway.clock);
  for (uint32_t i = 0; i < 3 * agent::kRefusalsPerMinute; ++i) {
    access.RecordRefusal("client.refused", uid_t{4711}, "", "somebody else");
  }
  // Nor does it hide others, and other events.
  access.RecordRefusal("client.refused", uid_t{4712}, "", "somebody else");
  access.RecordRefusal("approval.refused", uid_t{4711}, "", "not theirs");
  gateway.clock.Advance(std::chrono::minutes(1));
  access.RecordRefusal("client.refused", uid_t{4711}, "", "somebody else");
  std::vector<std::pair<std::string, int64_t>> recorded;
  Must(audit::ReadAuditLog(gateway.state.path() + "/audit", 0, [&](uint64_t, const Json& record) {
    if (StringMember(record, "event") == "client.refused") {
      recorded.emplace_back(StringMember(record, "actor"),
                            IntMember(*FindMember(record, "data"), "left_out"));
    }
    return true;
  }));
  REQUIRE(recorded.size() == agent::kRefusalsPerMinute + 2);
  CHECK(recorded[0] == std::pair<std::string, int64_t>("uid 4711", 0));
  CHECK(recorded[agent::kRefusalsPerMinute] == std::pair<std::string, int64_t>("uid 4712", 0));
  CHECK(recorded.back() ==
        std::pair<std::string, int64_t>("uid 4711", 2 * agent::kRefusalsPerMinute));
  CHECK(Count(gateway, "approval.refused") == 1);
}

TEST_CASE("many users who knock do not fill the log either, and none is left uncounted") {
  Gateway gateway;
  agent::AccessLog access(*gateway.log, gateway.clock);
  constexpr uint32_t kUsers = 3 * agent::kRefusedUsersMax;
  for (uint32_t user = 0; user < kUsers; ++user) {
    for (int i = 0; i < 2; ++i) {
      access.RecordRefusal("client.refused", uid_t{user}, "", "somebody else");
    }
  }
  CHECK(Count(gateway, "client.refused") ==
        2 * agent::kRefusedUsersMax + agent::kRefusalsPerMinute);
  // After a minute there is room for others, and what was left out is told by whoever comes next of those.
  gateway.clock.Advance(std::chrono::minutes(1));
  access.RecordRefusal("client.refused", std::nullopt, "", "too many connections");
  int64_t counted = 0;
  Must(audit::ReadAuditLog(gateway.state.path() + "/audit", 0, [&](uint64_t, const Json& record) {
    if (StringMember(record, "event") == "client.refused") {
      counted += 1 + IntMember(*FindMember(record, "data"), "left_out");
    }
    return true;
  }));
  CHECK(counted == 2 * kUsers + 1);
}

std::vector<Json> Admissions(const Gateway& gateway) {
  std::vector<Json> all;
  Must(audit::ReadAuditLog(gateway.state.path() + "/audit", 0, [&](uint64_t, const Json& record) {
    if (StringMember(record, "event") == "client.admitted") {
      all.push_back(record);
    }
    return true;
  }));
  return all;
}

TEST_CASE("who is let in is recorded before they are answered, with what they may do") {
  Gateway gateway(Asking(""));
  gateway.NewSession();
  const auto admitted = Admissions(gateway);
  REQUIRE(admitted.size() == 1);
  CHECK(StringMember(admitted[0], "actor") == "uid " + std::to_string(::getuid()));
  CHECK(admitted[0]["data"] ==
        Json({{"as", "owner"},
              {"group", ""},
              {"left_out", 0},
              {"pid", ::getpid()},
              {"services", {"nacre.v1.SessionService", "nacre.v1.ApprovalService"}},
              {"socket", gateway.options.socket_path}}));
  int64_t created = 0;
  Must(audit::ReadAuditLog(
      gateway.state.path() + "/audit", 0, [&](uint64_t index, const Json& record) {
        created = StringMember(record, "event") == "session.created" ? static_cast<int64_t>(index)
                                                                     : created;
        return true;
      }));
  CHECK(IntMember(admitted[0], "index") < created);
  // Another connection is another record.
  Must(gateway.Connect()->List(1));
  CHECK(Admissions(gateway).size() == 2);
}

TEST_CASE("of very many who are let in the rest is counted, and each is told of") {
  Gateway gateway;
  agent::AccessLog access(*gateway.log, gateway.clock);
  agent::RecordsPerMinute ours{.minute = gateway.clock.Monotonic()};
  agent::RecordsPerMinute theirs{.minute = gateway.clock.Monotonic()};
  const auto told = [&] {
    int64_t count = 0;
    for (const Json& record : Admissions(gateway)) {
      count += StringMember(record, "actor") == "uid 4711"
                   ? 1 + IntMember(*FindMember(record, "data"), "left_out")
                   : 0;
    }
    return count;
  };
  constexpr int64_t kMany = 3 * agent::kAdmissionsPerMinute;
  for (int64_t i = 0; i < kMany; ++i) {
    Must(access.RecordAdmission(4711, {{"as", "member"}}, &ours));
  }
  Must(access.RecordAdmission(4712, {{"as", "member"}}, &theirs));  // is hidden by nobody
  CHECK(Admissions(gateway).size() == agent::kAdmissionsPerMinute + 1);
  access.RecordLeftOut(4711, {{"as", "member"}}, &ours, false);
  CHECK(told() == agent::kAdmissionsPerMinute);
  gateway.clock.Advance(std::chrono::minutes(1));
  access.RecordLeftOut(4711, {{"as", "member"}}, &ours, false);
  CHECK(told() == kMany);
  access.RecordLeftOut(4711, {{"as", "member"}}, &ours, true);  // no more than there were
  CHECK(told() == kMany);
  for (int64_t i = 0; i < kMany; ++i) {
    Must(access.RecordAdmission(4711, {{"as", "member"}}, &ours));
  }
  access.RecordLeftOut(4711, {{"as", "member"}}, &ours, true);  // as when the gateway ends
  CHECK(told() == 2 * kMany);
}

UniqueFd RawConnection(const Gateway& gateway) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  gateway.options.socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0);
  return socket;
}

TEST_CASE("whom the log cannot tell of is not let in, however often they come") {
  Gateway gateway;
  gateway.log->broken = true;
  for (uint32_t i = 0; i < agent::kAdmissionsPerMinute + 2; ++i) {
    const UniqueFd socket = RawConnection(gateway);
    char byte = 0;
    REQUIRE(::read(socket.get(), &byte, 1) <= 0);  // closed, and not even greeted
  }
  CHECK_FALSE(gateway.Connect()->List(1).ok());
  gateway.log->broken = false;
  CHECK(gateway.Connect()->List(1).ok());
  CHECK(Admissions(gateway).size() == 1);
}

TEST_CASE("while the log refuses records nobody is only counted") {
  Gateway gateway;
  agent::AccessLog access(*gateway.log, gateway.clock);
  agent::RecordsPerMinute theirs{.minute = gateway.clock.Monotonic()};
  for (uint32_t i = 0; i < agent::kAdmissionsPerMinute + 2; ++i) {
    REQUIRE(access.RecordAdmission(4711, {{"as", "member"}}, &theirs).ok());
  }
  gateway.log->broken = true;
  CHECK_FALSE(access.RecordAdmission(4711, {{"as", "member"}}, &theirs).ok());
  CHECK_FALSE(access.RecordAdmission(4711, {{"as", "member"}}, &theirs).ok());
  gateway.log->broken = false;
  access.RecordLeftOut(4711, {{"as", "member"}}, &theirs, true);
  const std::vector<Json> admitted = Admissions(gateway);
  CHECK(admitted.size() == agent::kAdmissionsPerMinute + 1);
  CHECK(IntMember(*FindMember(admitted.back(), "data"), "left_out") == 1);  // two of them
}

TEST_CASE("a yes through the gateway does not hold for a file that changed meanwhile") {
  Gateway gateway(Asking(""));
  AskingTurn turn(gateway);
  turn.asked.Wait();
  Must(WriteFileAtomically(gateway.root() + "/a.txt", "changed"));
  const auto person = Must(client::ApprovalClient::Connect(gateway.options.socket_path));
  Must(person->Answer(Must(person->List()).at(0), true));
  turn.Wait();
  CHECK(turn.told.events.back()["calls"] == 0);
  CHECK(turn.Named("call.approval")["approved"] == false);
}

TEST_CASE("a gateway without --approvals refuses such a call at once and has no such service") {
  Gateway gateway(Asking("", false));
  AskingTurn turn(gateway);
  turn.Wait();
  CHECK(turn.told.events.back()["denied"] == 1);
  const auto person = Must(client::ApprovalClient::Connect(gateway.options.socket_path));
  CHECK(person->List().error().code == ErrorCode::kUnimplemented);
}

TEST_CASE("the turn's own time ends a question too") {
  const auto policy = Must(
      policy::LoadPolicyText("test.yaml",
                             "nacre: policy/1\nname: test\nworkspace: {mode: direct}\nbudgets: "
                             "{turn: {wall: 1s}}\ntools:\n"
                             "  - {id: run, reason: people decide, tool: t.run, decision: ask}\n"));
  Gateway gateway([&](ServerOptions& options) {
    options.sessions.make_policy = [policy](const std::string&) { return Result(policy); };
    options.approvals.wait = true;
  });
  AskingTurn turn(gateway);
  turn.asked.Wait();
  CHECK(turn.Named("call.asked")["expires_ms"] <= 1000);
  turn.Wait();
  CHECK(turn.Named("call.approval")["approved"] == false);
  CHECK(turn.told.events.back()["calls"] == 0);
}

TEST_CASE("a turn that waits for a yes ends when it is cancelled, and with the server") {
  const bool by_shutdown = GENERATE(false, true);
  Gateway gateway(Asking(", approvers: {users: [nobody-here]}"));
  AskingTurn turn(gateway);
  turn.asked.Wait();
  const auto person = Must(client::ApprovalClient::Connect(gateway.options.socket_path));
  CHECK(Must(person->List()).empty());  // whoever runs nacre is not meant
  if (by_shutdown) {
    gateway.Stop();
  } else {
    CHECK(Must(gateway.Connect()->Cancel("last")));
  }
  turn.Wait();
  CHECK(turn.told.last_state() == "cancelled");
}

// In a child: connects as that account, and answers what it may answer. The exit code is the number of
// calls that it was shown, or 9.
int AnswerAs(const passwd& account, const std::string& program, const std::string& socket) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string uid = std::to_string(account.pw_uid);
    ::execl("/usr/bin/setpriv", "setpriv", ("--reuid=" + uid).c_str(),
            ("--regid=" + std::to_string(account.pw_gid)).c_str(), "--init-groups", program.c_str(),
            socket.c_str(), nullptr);
    ::_exit(9);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

TEST_CASE("another account answers on the approval socket, as itself and nothing else") {
  const passwd* found = ::getpwnam("daemon");
  if (::geteuid() != 0 || found == nullptr || ::access("/usr/bin/setpriv", X_OK) != 0) {
    SKIP_HERE("needs root, the account daemon and setpriv(1)");
  }
  const passwd daemon = *found;
  const std::string named = GENERATE("daemon", "mail");
  const TempDir run = Must(TempDir::Create());
  REQUIRE(::chmod(run.path().c_str(), 0755) == 0);
  const std::string socket = run.path() + "/approvals.sock";
  const std::string program = run.path() + "/approve_once";  // where everybody may read it
  REQUIRE(std::filesystem::copy_file(NACRE_APPROVE_ONCE, program));
  const auto asking = Asking(", approvers: {users: [" + named + "]}");
  Gateway gateway([&](ServerOptions& options) {
    asking(options);
    options.approvals.socket_path = socket;
    options.approvals.group = "daemon";
  });
  struct stat info {};
  REQUIRE(::lstat(socket.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0660);
  AskingTurn turn(gateway);
  turn.asked.Wait();
  const bool meant = named == "daemon";
  CHECK(AnswerAs(daemon, program, socket) == (meant ? 1 : 0));
  CHECK(AnswerAs(daemon, program, gateway.options.socket_path) == 9);  // not even a connection
  std::vector<Json> of_daemon = Admissions(gateway);
  std::erase_if(of_daemon, [&](const Json& record) {
    return StringMember(record, "actor") != "uid " + std::to_string(daemon.pw_uid);
  });
  REQUIRE_FALSE(of_daemon.empty());
  for (const Json& record : of_daemon) {  // by the other socket it was not let in
    CHECK(record["data"]["as"] == "member");
    CHECK(record["data"]["group"] == "daemon");
    CHECK(record["data"]["socket"] == socket);
    CHECK(record["data"]["services"] == Json::array({"nacre.v1.ApprovalService"}));
  }
  if (!meant) {
    CHECK(Must(gateway.Connect()->Cancel("last")));
  }
  turn.Wait();
  CHECK(turn.told.events.back()["calls"] == (meant ? 1 : 0));
  if (meant) {
    CHECK(turn.Named("call.approval")["by"] ==
          "daemon (uid " + std::to_string(daemon.pw_uid) + ") through the gateway");
  }
}

TEST_CASE("a folder that the group cannot enter is no place for its socket") {
  Gateway gateway;
  const TempDir run = Must(TempDir::Create());  // 0700
  const group* own = ::getgrgid(::getegid());
  if (own == nullptr) {
    SKIP_HERE("this account's group has no name");
  }
  ServerOptions options = gateway.options;
  options.socket_path = run.path() + "/other.sock";
  options.approvals = {true, run.path() + "/approvals.sock", own->gr_name};
  const auto closed = GrpcServer::Start(options, *gateway.services);
  REQUIRE_FALSE(closed.ok());
  CHECK(closed.error().code == ErrorCode::kPermissionDenied);
  CHECK(closed.error().message.find("install -d") != std::string::npos);
  CHECK(::access((run.path() + "/approvals.sock").c_str(), F_OK) != 0);
  REQUIRE(::chmod(run.path().c_str(), 0711) == 0);
  CHECK(GrpcServer::Start(options, *gateway.services).ok());
}

TEST_CASE("an approval socket for a group that is not there does not open") {
  const TempDir run = Must(TempDir::Create());
  const TempDir state = Must(TempDir::Create());
  Gateway gateway;
  ServerOptions options = gateway.options;
  options.socket_path = state.path() + "/other.sock";
  options.approvals = {true, run.path() + "/approvals.sock", "no-such-group"};
  const auto server = GrpcServer::Start(options, *gateway.services);
  REQUIRE_FALSE(server.ok());
  CHECK(server.error().code == ErrorCode::kNotFound);
  CHECK(::access((run.path() + "/approvals.sock").c_str(), F_OK) != 0);
}

}  // namespace
}  // namespace nacre::server
