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
  std::string text;
  for (const std::string& user : approvers.users) {
    const bool last = approvers.role.empty() && &user == &approvers.users.back();
    text += (text.empty() ? "" : last ? " or " : ", ") + user;
  }
  if (!approvers.role.empty()) {
    text += (text.empty() ? "a member of " : " or a member of ") + approvers.role;
  }
  return text;
}

std::string WhyExpired(const policy::Approvers& approvers) {
  const std::string seconds = std::to_string(approvers.expires.count() / 1000) + " s";
  return approvers.count > 1 ? "fewer than " + std::to_string(approvers.count) +
                                   " persons said yes within " + seconds
                             : "nobody answered within " + seconds;
}

}  // namespace nacre::agent
