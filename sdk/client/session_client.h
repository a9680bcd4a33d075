// SessionClient: a C++ client of `nacre serve`. Protobuf and gRPC stay behind it.
//
//   auto client = NACRE_TRY(client::SessionClient::Connect("/run/user/1000/nacre/nacre.sock"));
//   const client::Event started = NACRE_TRY(client->CreateSession({.title = "Count the lines"}));
//   NACRE_TRY(client->Send(started.data["session"], "Count the lines of notes.md",
//                          [](const client::Event& event) { Print(event); }, cancel));
//
// One client is one connection. When the server goes away every call answers kUnavailable; connect
// again for a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel_token.h"
#include "base/json.h"
#include "base/result.h"

namespace nacre::client {

// What happened in a turn: the same object that `nacre run --json` prints for it (docs/events.md).
struct Event {
  std::string name;  // "turn.finished", ...
  OrderedJson data;  // {"event": NAME, ...}
};
using EventCallback = std::function<void(const Event& event)>;

struct NewSession {
  std::string workspace;  // absolute; empty: the server's root
  std::string policy;     // empty: the server's
  std::string title;      // usually the first request; cut to its first 4096 bytes
};

struct SessionSummary {
  std::string session;
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::string workspace;
  std::string policy;
  std::string model;
  std::string title;
  int64_t turns = 0;
  bool unfinished = false;
};

// Thread-safe: a second thread may cancel what the first one waits for. All calls block. The errors
// are the server's (sdk/proto/nacre/v1/session.proto), and kUnavailable when it is gone.
class SessionClient final {
 public:
  // kUnavailable: nobody listens there. kPermissionDenied: the socket, or the server behind it,
  // belongs to another user, who must not be told our requests.
  static Result<std::unique_ptr<SessionClient>> Connect(const std::string& socket_path);

  SessionClient(const SessionClient&) = delete;
  SessionClient& operator=(const SessionClient&) = delete;
  ~SessionClient();

  // A new session; answers its "session.started".
  Result<Event> CreateSession(const NewSession& session);

  // One user request. Calls `on_event` on this thread for each event, in order, the first being
  // "session.started" and the last "turn.finished", and then answers ok, whatever the turn's state.
  // While `on_event` runs nothing more is read: a callback that takes very long loses the turn
  // (kResourceExhausted).
  //
  // When the token fires the turn is cancelled and its remaining events still come; kCancelled only
  // when the server does not end the turn within 10 s.
  Status Send(const std::string& session, const std::string& text, const EventCallback& on_event,
              const CancelToken& cancel);
  // Continues an unfinished turn. As Send().
  Status Resume(const std::string& session, const EventCallback& on_event,
                const CancelToken& cancel);

  // Cancels the turn that is running in this session, of whichever client. False: there was none.
  Result<bool> Cancel(const std::string& session);

  // Newest first; at most 200. 0: the server's default.
  Result<std::vector<SessionSummary>> List(int limit);

 private:
  struct Connection;
  explicit SessionClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace nacre::client
