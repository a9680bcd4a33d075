#include "runtime/inference/openai_engine.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "base/file.h"

namespace nacre::inference {
namespace {

// A server on a free port of this machine that reads one request at a time and writes the next of
// its scripted answers, piece by piece. An answer that ends in kHold keeps the connection open.
class ScriptedServer {
 public:
  static constexpr const char* kHold = "HOLD";

  explicit ScriptedServer(std::vector<std::vector<std::string>> answers)
      : answers_(std::move(answers)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_.get(), 4) == 0);
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedServer() {
    stop_.Cancel();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const std::vector<std::string>& requests() const { return requests_; }

 private:
  // False when the test is over.
  bool Wait(int fd) {
    pollfd waits[2] = {{fd, POLLIN, 0}, {stop_.token().poll_fd(), POLLIN, 0}};
    return ::poll(waits, 2, -1) > 0 && waits[1].revents == 0;
  }

  void Serve() {
    for (const std::vector<std::string>& answer : answers_) {
      if (!Wait(listener_.get())) {
        return;
      }
      const UniqueFd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string request;
      size_t needed = std::string::npos;
      while (request.size() < needed && Wait(connection.get())) {
        char bytes[4096];
        const ssize_t got = ::read(connection.get(), bytes, sizeof bytes);
        if (got <= 0) {
          break;
        }
        request.append(bytes, static_cast<size_t>(got));
        if (const size_t head = request.find("\r\n\r\n"); head != std::string::npos) {
          const size_t length = request.find("Content-Length: ");
          needed = head + 4 +
                   (length == std::string::npos ? 0 : std::stoul(request.substr(length + 16)));
        }
      }
      requests_.push_back(request);
      for (const std::string& piece : answer) {
        if (piece == kHold) {
          char byte;
          while (Wait(connection.get()) && ::read(connection.get(), &byte, 1) > 0) {
          }
          break;
        }
        if (::send(connection.get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0) {
          break;
        }
      }
    }
  }

  std::vector<std::vector<std::string>> answers_;
  std::vector<std::string> requests_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  CancelSource stop_;
  std::thread thread_;
};

class Collector final : public TokenSink {
 public:
  explicit Collector(CancelSource* cancel_at_first = nullptr) : cancel_(cancel_at_first) {}
  void OnText(std::string_view text) override {
    text_ += text;
    if (cancel_ != nullptr) {
      cancel_->Cancel();
    }
  }
  const std::string& text() const { return text_; }

 private:
  CancelSource* cancel_;
  std::string text_;
};

const char* const kStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: "
    "close\r\n\r\n";

std::string Chunk(const std::string& text) {
  return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
}

GenerateRequest Request() {
  return {.messages = {{.role = Role::kUser, .content = "hi"}}};
}

Result<ModelReply> Ask(const ScriptedServer& server, TokenSink& sink,
                       const CancelToken& cancel = {},
                       std::chrono::milliseconds idle = std::chrono::seconds(30)) {
  auto engine = OpenAiEngine::Create(
      {.url = server.url(), .model = "m", .api_key = "k3y", .idle_timeout = idle});
  REQUIRE(engine.ok());
  return engine.value()->Generate(Request(), sink, cancel);
}

}  // namespace

TEST_CASE("an answer streams from the server to the sink") {
  ScriptedServer server({{kStream, Chunk("Hel"), Chunk("lo").substr(0, 9), Chunk("lo").substr(9),
                          "data: [DONE]\n\n"}});
  Collector sink;
  const Result<ModelReply> reply = Ask(server, sink);
  REQUIRE(reply.ok());
  CHECK(std::get<std::string>(reply.value().content) == "Hello");
  CHECK(sink.text() == "Hello");
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
  CHECK(server.requests()[0].find("Authorization: Bearer k3y\r\n") != std::string::npos);
}

TEST_CASE("without a model's name the server's first is used") {
  ScriptedServer server(
      {{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        R"({"data":[{"id":"qwen"},{"id":"other"}]})"}});
  const auto engine = OpenAiEngine::Create({.url = server.url() + "/v1"});
  REQUIRE(engine.ok());
  CHECK(engine.value()->Info().model == "qwen");
  CHECK(server.requests()[0].starts_with("GET /v1/models HTTP/1.1\r\n"));
  CHECK(server.requests()[0].find("Authorization") == std::string::npos);
}

TEST_CASE("what the server answers instead is an error of the right kind") {
  struct Row {
    const char* head;
    const char* body;
    ErrorCode code;
    const char* message;
  };
  const auto row = GENERATE(values<Row>({
      {"401 Unauthorized", R"({"error":{"message":"bad key"}})", ErrorCode::kPermissionDenied,
       "bad key (is NACRE_ENGINE_API_KEY set?)"},
      {"404 Not Found", "", ErrorCode::kNotFound, "HTTP 404"},
      {"400 Bad Request", R"({"error":"too long"})", ErrorCode::kInvalidArgument, "too long"},
      {"429 Too Many", "{}", ErrorCode::kResourceExhausted, "HTTP 429"},
      {"500 Oops", "<html>", ErrorCode::kUnavailable, "HTTP 500"},
      {"302 Found\r\nLocation: http://127.0.0.1:1/", "", ErrorCode::kUnavailable,
       "redirects are not followed"},
      {"200 OK\r\nContent-Type: text/event-stream", "data: garbage\n\n",
       ErrorCode::kInvalidArgument, "cannot be understood"},
      {"200 OK\r\nContent-Type: text/event-stream", "", ErrorCode::kInvalidArgument,
       "neither text nor a call"},
      {"200 OK\r\nContent-Type: text/html", "<html>", ErrorCode::kInvalidArgument,
       "cannot be understood"},
  }));
  CAPTURE(row.head);
  ScriptedServer server(
      {{"HTTP/1.1 " + std::string(row.head) + "\r\nConnection: close\r\n\r\n" + row.body}});
  Collector sink;
  const Result<ModelReply> reply = Ask(server, sink);
  REQUIRE_FALSE(reply.ok());
  CAPTURE(reply.error().message);
  CHECK(reply.error().code == row.code);
  CHECK(reply.error().message.find(row.message) != std::string::npos);
  CHECK(reply.error().message.find("k3y") == std::string::npos);
}

TEST_CASE("an answer without end is cut") {
  std::vector<std::string> answer = {
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"};
  for (int i = 0; i < 40; ++i) {
    answer.push_back(std::string(64 << 10, ' '));
  }
  ScriptedServer server({answer});
  Collector sink;
  CHECK(Ask(server, sink).error().code == ErrorCode::kResourceExhausted);
}

TEST_CASE("a server that hangs is left when the token fires, and when the time is up") {
  ScriptedServer server(
      {{kStream, Chunk("a"), ScriptedServer::kHold}, {kStream, ScriptedServer::kHold}});
  CancelSource source;
  Collector sink(&source);
  const Result<ModelReply> cancelled = Ask(server, sink, source.token());
  REQUIRE_FALSE(cancelled.ok());
  CHECK(cancelled.error().code == ErrorCode::kCancelled);
  Collector other;
  const Result<ModelReply> late = Ask(server, other, {}, std::chrono::milliseconds(100));
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::kDeadlineExceeded);
}

TEST_CASE("a server that is not there is named") {
  std::string url;
  {
    const ScriptedServer gone({});
    url = gone.url();
  }
  const auto engine = OpenAiEngine::Create({.url = url});
  REQUIRE_FALSE(engine.ok());
  CHECK(engine.error().code == ErrorCode::kUnavailable);
  CHECK(engine.error().message.find(url) != std::string::npos);
}

TEST_CASE("a key is not sent in clear text to another machine") {
  CHECK(OpenAiEngine::Create({.url = "http://example.com", .model = "m", .api_key = "k"})
            .error()
            .code == ErrorCode::kInvalidArgument);
  CHECK(OpenAiEngine::Create({.url = "https://example.com", .model = "m", .api_key = "k"}).ok());
  CHECK(OpenAiEngine::Create({.url = "http://localhost:1", .model = "m", .api_key = "k"}).ok());
  CHECK_FALSE(
      OpenAiEngine::Create({.url = "http://localhost:1", .model = "m", .api_key = "k\r\nX: y"})
          .ok());
}

}  // namespace nacre::inference
