#include "policy/internal/followed_requests.h"

#include "policy/internal/display.h"

namespace nacre::policy {

std::vector<FollowedRequest> FollowedRequests(const Request& request) {
  std::vector<size_t> linked;
  for (size_t i = 0; i < request.paths.size(); ++i) {
    const std::string& followed = request.paths[i].followed;
    if (followed == kNowhereKnown || (!followed.empty() && linked.size() == kLinkedPathsMax)) {
      return {};
    }
    if (!followed.empty()) {
      linked.push_back(i);
    }
  }
  std::vector<FollowedRequest> all;
  for (size_t chosen = 1; chosen < size_t{1} << linked.size(); ++chosen) {
    FollowedRequest& each = all.emplace_back(FollowedRequest{request, {}});
    for (size_t i = 0; i < linked.size(); ++i) {
      if ((chosen >> i & 1U) != 0) {
        PathArgument& argument = each.request.paths[linked[i]];
        each.led.push_back(ShownPath(argument.path) + " leads to " + ShownPath(argument.followed));
        argument.path = argument.followed;
      }
    }
  }
  return all;
}

}  // namespace nacre::policy
