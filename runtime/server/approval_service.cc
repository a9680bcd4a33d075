#include "runtime/server/approval_service.h"

#include "base/ids.h"
#include "runtime/server/event_conversion.h"
#include "runtime/server/unary_answer.h"

namespace nacre::server {

grpc::ServerUnaryReactor* ApprovalService::ListApprovals(grpc::CallbackServerContext* context,
                                                         const v1::ListApprovalsRequest* request,
                                                         v1::ListApprovalsResponse* response) {
  (void)request;
  return AnswerOn(requests_, *context, [this, response] { return List(*response); });
}

grpc::ServerUnaryReactor* ApprovalService::AnswerApproval(grpc::CallbackServerContext* context,
                                                          const v1::AnswerApprovalRequest* request,
                                                          v1::AnswerApprovalResponse* response) {
  return AnswerOn(requests_, *context,
                  [this, request, response] { return Answer(*request, *response); });
}

Status ApprovalService::List(v1::ListApprovalsResponse& response) const {
  for (const PendingApproval& pending : book_.ListFor(AccountOf(person_))) {
    v1::PendingApproval& out = *response.add_approvals();
    out.set_call(ToUtf8(pending.call));
    out.set_session(ToUtf8(pending.session));
    out.set_tool(ToUtf8(pending.tool));
    out.set_arguments_json(pending.arguments_json);
    out.set_rule(ToUtf8(pending.rule));
    out.set_reason(ToUtf8(pending.reason));
    out.set_workspace(ToUtf8(pending.workspace));
    for (const agent::ApprovedFile& file : pending.files) {
      (*out.mutable_files())[ToUtf8(file.path)] = ToUtf8(file.digest);
    }
    out.set_digest(pending.digest);
    out.set_wanted(ToUtf8(pending.wanted));
    for (const std::string& name : pending.given) {
      out.add_given(ToUtf8(name));
    }
    out.set_expires_ms(pending.expires.count());
    out.set_answered(pending.answered);
  }
  return Ok();
}

Status ApprovalService::Answer(const v1::AnswerApprovalRequest& request,
                               v1::AnswerApprovalResponse& response) {
  if (!IsUlid(request.call())) {
    return Error{ErrorCode::kInvalidArgument, "not a call: give its whole id"};
  }
  const Result<int> missing =
      book_.Take(AccountOf(person_), {request.call(), request.digest(), request.approved()});
  if (!missing.ok()) {
    access_.RecordRefusal("approval.refused", person_, request.call(), missing.error().message);
    return missing.error();
  }
  response.set_missing(missing.value());
  return Ok();
}

}  // namespace nacre::server
