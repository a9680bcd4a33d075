#include "runtime/agent/approver.h"

#include <algorithm>

namespace nacre::agent {

bool MayApprove(const policy::Approvers& approvers, const Account& account, uid_t owner) {
  if (!approvers.HaveNames()) {
    return account.uid == owner;
  }
  return std::find(approvers.users.begin(), approvers.users.end(), account.name) !=
             approvers.users.end() ||
         (!approvers.role.empty() && IsInGroup(account, approvers.role));
}

std::string DescribeApprovers(const policy::Approvers& approvers) {
  if (!approvers.HaveNames()) {
    return "whoever runs nacre";
  }
  std::string text = approvers.count > 1 ? std::to_string(approvers.count) + " of " : "";
  const char* between = "";
  for (const std::string& user : approvers.users) {
    const bool last = approvers.role.empty() && &user == &approvers.users.back();
    text += (*between != '\0' && last ? " or " : between) + user;
    between = ", ";
  }
  if (!approvers.role.empty()) {
    text += std::string(approvers.users.empty() ? "" : " or ") + "a member of " + approvers.role;
  }
  return text;
}

std::string DescribeApprovers(const std::vector<policy::Approvers>& approvers) {
  std::string text;
  for (const policy::Approvers& each : approvers) {
    text += (text.empty() ? "" : ", and ") + DescribeApprovers(each);
  }
  return text;
}

std::string WhyExpired(const ApprovalRequest& request) {
  return "the yes of " + DescribeApprovers(request.decision.approvers) + " did not come within " +
         std::to_string(request.expires.count() / 1000) + " s";
}

}  // namespace nacre::agent
