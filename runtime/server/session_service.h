// SessionService: sdk/proto/nacre/v1/session.proto, served by agent::SessionDriver.
//
// gRPC's threads only check sizes and post; turns run on a small pool of their own, everything else
// that touches the disk on another, so that a list is answered while every turn is busy. A session
// is driven for one request at a time: the store's lease says so across processes too.
//
// Clients are not trusted with more than the server was started with: they name neither a policy of
// their own nor a workspace outside the root.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/cancel_token.h"
#include "base/result.h"
#include "nacre/v1/session.grpc.pb.h"
#include "runtime/agent/session_driver.h"
#include "runtime/server/server_options.h"
#include "runtime/server/turn_stream.h"
#include "runtime/server/worker_pool.h"

namespace nacre::server {

// Thread-safe. Must outlive the grpc::Server that serves it, and that one every RPC.
class SessionService final : public v1::SessionService::CallbackService {
 public:
  // `services` are borrowed for the object's life. A call that a rule asks for is put to their approver.
  SessionService(SessionServiceOptions options, const agent::Services& services);
  SessionService(const SessionService&) = delete;
  SessionService& operator=(const SessionService&) = delete;

  // Cancels every turn and refuses new ones; a second call changes nothing. Streams then end by
  // themselves, with turn_finished.
  void BeginShutdown();
  // Until the last stream has ended, or `end`. A connection that is closed before can cost its client the end of a
  // stream that was sent already: writing to it fails then, before the rest was read.
  void WaitForStreams(std::chrono::system_clock::time_point end);

  grpc::ServerUnaryReactor* CreateSession(grpc::CallbackServerContext* context,
                                          const v1::CreateSessionRequest* request,
                                          v1::CreateSessionResponse* response) override;
  grpc::ServerWriteReactor<v1::TurnEvent>* SendMessage(
      grpc::CallbackServerContext* context, const v1::SendMessageRequest* request) override;
  grpc::ServerWriteReactor<v1::TurnEvent>* ResumeSession(
      grpc::CallbackServerContext* context, const v1::ResumeSessionRequest* request) override;
  grpc::ServerUnaryReactor* CancelTurn(grpc::CallbackServerContext* context,
                                       const v1::CancelTurnRequest* request,
                                       v1::CancelTurnResponse* response) override;
  grpc::ServerUnaryReactor* ListSessions(grpc::CallbackServerContext* context,
                                         const v1::ListSessionsRequest* request,
                                         v1::ListSessionsResponse* response) override;

 private:
  // A stream, and by which names a client may cancel its turn.
  struct Open {
    std::string requested;  // as the client wrote it
    std::string resolved;   // the session's id, once known
    bool running = true;    // else the client only has not read it to its end yet
  };
  using Turn = std::function<Status(TurnStream& stream)>;

  grpc::ServerWriteReactor<v1::TurnEvent>* Stream(const std::string& session, Turn turn);
  grpc::ServerWriteReactor<v1::TurnEvent>* Refuse(const Error& error);
  Status Register(TurnStream* stream, const std::string& session);
  void EndTurn(TurnStream* stream, const Status& status);
  bool CancelNamed(const std::string& name);

  Status Create(const v1::CreateSessionRequest& request, v1::CreateSessionResponse& response);
  Status List(const v1::ListSessionsRequest& request, v1::ListSessionsResponse& response);
  Status Cancel(const v1::CancelTurnRequest& request, v1::CancelTurnResponse& response);
  // The session, ready for one turn that is told to `stream`.
  Result<std::unique_ptr<agent::SessionDriver>> OpenSession(const std::string& session,
                                                            TurnStream& stream);

  const SessionServiceOptions options_;
  const agent::Services services_;

  std::mutex mutex_;
  std::map<TurnStream*, Open> streams_;  // guarded by mutex_, as is the next
  bool shutting_down_ = false;
  std::condition_variable no_streams_;

  // Last: their threads end before what they use.
  WorkerPool requests_;
  WorkerPool turns_;
};

}  // namespace nacre::server
