// ApprovalBook: the calls that wait for a person's answer, between the threads that drive turns and
// those that serve the persons.
//
// An answer counts when the policy means the person, when they have not answered before, and when it
// is to exactly what is asked. One no is a no; a yes is one when as many persons as the policy wants
// have said so.
//
// Thread-safe. Holds at most one entry per running turn.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "base/account.h"
#include "base/cancel_token.h"
#include "base/json.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/agent/approver.h"

namespace nacre::server {

// A copy, for one person.
struct PendingApproval {
  std::string call;
  std::string session;
  std::string tool;
  std::string arguments_json;
  std::string rule;
  std::string reason;
  std::string workspace;
  std::vector<agent::ApprovedFile> files;
  std::string digest;
  int count = 1;
  std::vector<std::string> given;  // names of those who said yes
  std::chrono::milliseconds expires{0};
  bool answered = false;  // by this person
};

class ApprovalBook final {
 public:
  // `owner`: who runs nacre.
  explicit ApprovalBook(uid_t owner) : owner_(owner) {}

  // Blocks until the answer is there, the time is over or `cancel` fires.
  agent::Approval Ask(const agent::ApprovalRequest& request, const CancelToken& cancel);

  // What this person may answer, oldest first.
  std::vector<PendingApproval> ListFor(const Account& person) const;

  struct Answer {
    std::string call;
    std::string digest;
    bool approved = false;
  };
  // How many persons must still say yes. Errors: those of AnswerApproval in approval.proto.
  Result<int> Take(const Account& person, const Answer& answer);

 private:
  struct Entry {
    PendingApproval shown;
    policy::Approvers approvers;
    std::chrono::steady_clock::time_point until;
    UniqueFd decided;  // an eventfd, readable when it is
    std::vector<uid_t> answered;
    std::string refused_by;
  };

  const uid_t owner_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // guarded by mutex_
};

// The approver of one turn.
class BookApprover final : public agent::Approver {
 public:
  // Borrows the book.
  BookApprover(ApprovalBook& book, CancelToken cancel) : book_(book), cancel_(std::move(cancel)) {}
  agent::Approval Ask(const agent::ApprovalRequest& request) override {
    return book_.Ask(request, cancel_);
  }

 private:
  ApprovalBook& book_;
  const CancelToken cancel_;
};

}  // namespace nacre::server
