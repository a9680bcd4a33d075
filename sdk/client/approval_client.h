// ApprovalClient: how a person, or a program of theirs, answers the calls that wait for a yes. Protobuf
// and gRPC stay behind it.
//
//   auto client = NACRE_TRY(client::ApprovalClient::Connect("/run/nacre/approvals.sock"));
//   for (const client::PendingApproval& pending : NACRE_TRY(client->List())) {
//     Show(pending);
//     NACRE_TRY(client->Answer(pending, false));
//   }
//
// The server knows who answers by the connection: one cannot answer for somebody else.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::client {

// As in sdk/proto/nacre/v1/approval.proto, which says what each member is.
struct PendingApproval {
  std::string call;
  std::string session;
  std::string tool;
  std::string arguments_json;
  std::string rule;
  std::string reason;
  std::string workspace;
  std::map<std::string, std::string> files;  // path -> digest
  std::string digest;
  std::string wanted;
  std::vector<std::string> given;
  std::chrono::milliseconds expires{0};
  bool answered = false;
};

// Thread-safe. All calls block, at most 30 s. The errors are the server's, kUnavailable when it is gone,
// and kUnimplemented when it was started without --approvals.
class ApprovalClient final {
 public:
  // Whose server it may be. An approver's answer may go to anybody's; where a session is ours, so must be
  // who asks about it.
  enum class Of { kAnybody = 0, kUsOrRoot };
  // kUnavailable: nobody listens there, or only others may connect.
  static Result<std::unique_ptr<ApprovalClient>> Connect(const std::string& socket_path,
                                                         Of owner = Of::kAnybody);

  ApprovalClient(const ApprovalClient&) = delete;
  ApprovalClient& operator=(const ApprovalClient&) = delete;
  ~ApprovalClient();

  // The calls that wait and that whoever runs this program may answer, oldest first.
  Result<std::vector<PendingApproval>> List();
  // How many others must still say yes.
  Result<int> Answer(const PendingApproval& pending, bool approved);

 private:
  struct Connection;
  explicit ApprovalClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace nacre::client
