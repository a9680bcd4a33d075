// ApprovalService: sdk/proto/nacre/v1/approval.proto, for one person: the one who is on the other end of
// every connection that its server is given.
#pragma once

#include <cstddef>

#include "base/account.h"
#include "base/result.h"
#include "nacre/v1/approval.grpc.pb.h"
#include "runtime/agent/access_log.h"
#include "runtime/server/approval_book.h"
#include "runtime/server/worker_pool.h"

namespace nacre::server {

constexpr size_t kApprovalRequestsWaitingMax = 8;  // of one person

// Thread-safe. Must outlive the grpc::Server that serves it.
class ApprovalService final : public v1::ApprovalService::CallbackService {
 public:
  // Borrows the book and the log.
  ApprovalService(uid_t person, ApprovalBook& book, agent::AccessLog& access)
      : person_(person), book_(book), access_(access), requests_(1, kApprovalRequestsWaitingMax) {}

  grpc::ServerUnaryReactor* ListApprovals(grpc::CallbackServerContext* context,
                                          const v1::ListApprovalsRequest* request,
                                          v1::ListApprovalsResponse* response) override;
  grpc::ServerUnaryReactor* AnswerApproval(grpc::CallbackServerContext* context,
                                           const v1::AnswerApprovalRequest* request,
                                           v1::AnswerApprovalResponse* response) override;

 private:
  Status List(v1::ListApprovalsResponse& response) const;
  Status Answer(const v1::AnswerApprovalRequest& request, v1::AnswerApprovalResponse& response);

  // Looked up for each request, so that who leaves a group loses their say at once.
  const uid_t person_;
  ApprovalBook& book_;
  agent::AccessLog& access_;
  // A thread for each person: the host's name service may be slow, and nobody can keep it from others.
  WorkerPool requests_;
};

}  // namespace nacre::server
