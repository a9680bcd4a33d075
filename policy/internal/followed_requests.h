// What a call is where the links of its paths are followed: a rule may speak of one path by its name and of another by
// where a link leads it.
#pragma once

#include <string>
#include <vector>

#include "policy/request.h"

namespace nacre::policy {

// More paths than these behind links are not told apart: there would be too many combinations.
inline constexpr size_t kLinkedPathsMax = 6;

struct FollowedRequest {
  Request request;               // with the followed paths in the place of their names
  std::vector<std::string> led;  // "pub/a leads to private/a", for people
};

// Each combination of followed paths, without the one in which all stand by their names. None where no path is behind a
// link, where nobody knows where one leads, and where there are more than kLinkedPathsMax.
std::vector<FollowedRequest> FollowedRequests(const Request& request);

}  // namespace nacre::policy
