#include "sdk/client/approval_client.h"

#include <utility>

#include "nacre/v1/approval.grpc.pb.h"
#include "sdk/client/channel.h"
#include "sdk/client/event_conversion.h"

namespace nacre::client {
namespace {

constexpr std::chrono::seconds kCallTimeout{30};

}  // namespace

struct ApprovalClient::Connection {
  std::unique_ptr<v1::ApprovalService::Stub> stub;
};

ApprovalClient::ApprovalClient(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
ApprovalClient::~ApprovalClient() = default;

Result<std::unique_ptr<ApprovalClient>> ApprovalClient::Connect(const std::string& socket_path,
                                                                Of owner) {
  auto channel = NACRE_TRY(
      OpenChannel(socket_path, owner == Of::kAnybody ? ServedBy::kAnybody : ServedBy::kUsOrRoot));
  auto connection = std::make_unique<Connection>();
  connection->stub = v1::ApprovalService::NewStub(channel);
  return std::unique_ptr<ApprovalClient>(new ApprovalClient(std::move(connection)));
}

Result<std::vector<PendingApproval>> ApprovalClient::List() {
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::ListApprovalsResponse response;
  NACRE_TRY(FromGrpc(connection_->stub->ListApprovals(&context, {}, &response)));
  std::vector<PendingApproval> approvals;
  for (const v1::PendingApproval& a : response.approvals()) {
    approvals.push_back({.call = a.call(),
                         .session = a.session(),
                         .tool = a.tool(),
                         .arguments_json = a.arguments_json(),
                         .rule = a.rule(),
                         .reason = a.reason(),
                         .workspace = a.workspace(),
                         .files = {a.files().begin(), a.files().end()},
                         .digest = a.digest(),
                         .wanted = a.wanted(),
                         .given = {a.given().begin(), a.given().end()},
                         .expires = std::chrono::milliseconds(a.expires_ms()),
                         .answered = a.answered()});
  }
  return approvals;
}

Result<int> ApprovalClient::Answer(const PendingApproval& pending, bool approved) {
  grpc::ClientContext context;
  SetTimeout(context, kCallTimeout);
  v1::AnswerApprovalRequest request;
  request.set_call(pending.call);
  request.set_digest(pending.digest);
  request.set_approved(approved);
  v1::AnswerApprovalResponse response;
  NACRE_TRY(FromGrpc(connection_->stub->AnswerApproval(&context, request, &response)));
  return response.missing();
}

}  // namespace nacre::client
