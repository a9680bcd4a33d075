// ApprovalBook: the calls that wait for a person's answer, between the threads that drive turns and
// those that serve the persons.
//
// An answer counts when the policy means the person, when they have not answered before, and when it
// is to exactly what is asked. One no is a no; a yes is one when of each of the decision's approvers as
// many as it wants have said so.
//
// Thread-safe. Holds at most one entry per running turn.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "base/account.h"
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
  std::string wanted;              // "2 of alice, bob or carol, and whoever runs nacre"
  std::vector<std::string> given;  // names of those who said yes
  std::chrono::milliseconds expires{0};
  bool answered = false;  // by this person
};

class ApprovalBook final : public agent::Approver {
 public:
  // `owner`: who runs nacre.
  explicit ApprovalBook(uid_t owner) : owner_(owner) {}

  agent::Approval Ask(const agent::ApprovalRequest& request) override;

  // What this person may answer, oldest first.
  std::vector<PendingApproval> ListFor(const Account& person) const;

  struct Answer {
    std::string call;
    std::string digest;
    bool approved = false;
  };
  // How many persons must at least still say yes. Errors: those of AnswerApproval in approval.proto.
  Result<int> Take(const Account& person, const Answer& answer);

 private:
  struct Entry {
    PendingApproval shown;
    std::vector<policy::Approvers> approvers;
    std::vector<int> missing;  // of each of them
    std::chrono::steady_clock::time_point until;
    UniqueFd decided;  // an eventfd, readable when it is
    std::vector<uid_t> answered;
    std::string refused_by;
  };

  static int Missing(const Entry& entry);

  const uid_t owner_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // guarded by mutex_
};

}  // namespace nacre::server
