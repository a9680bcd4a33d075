// ApprovalService: sdk/proto/nacre/v1/approval.proto, for one person: the one who is on the other end of
// every connection that its server is given.
#pragma once

#include <functional>

#include "base/account.h"
#include "base/result.h"
#include "nacre/v1/approval.grpc.pb.h"
#include "runtime/server/approval_book.h"
#include "runtime/server/worker_pool.h"

namespace nacre::server {

// Thread-safe. Must outlive the grpc::Server that serves it.
class ApprovalService final : public v1::ApprovalService::CallbackService {
 public:
  // Borrows the book and the pool, which answers the requests: the host's name service may be slow.
  // The person is looked up for each request, so that who leaves a group loses their say at once.
  ApprovalService(uid_t person, ApprovalBook& book, WorkerPool& pool)
      : person_(person), book_(book), pool_(pool) {}

  grpc::ServerUnaryReactor* ListApprovals(grpc::CallbackServerContext* context,
                                          const v1::ListApprovalsRequest* request,
                                          v1::ListApprovalsResponse* response) override;
  grpc::ServerUnaryReactor* AnswerApproval(grpc::CallbackServerContext* context,
                                           const v1::AnswerApprovalRequest* request,
                                           v1::AnswerApprovalResponse* response) override;

 private:
  Status List(v1::ListApprovalsResponse& response) const;
  Status Answer(const v1::AnswerApprovalRequest& request, v1::AnswerApprovalResponse& response);

  const uid_t person_;
  ApprovalBook& book_;
  WorkerPool& pool_;
};

}  // namespace nacre::server
