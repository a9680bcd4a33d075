#include "runtime/agent/followed_path.h"

#include <deque>
#include <filesystem>
#include <system_error>

#include "runtime/agent/tool_call.h"
#include "sandbox/spec_check.h"

namespace nacre::agent {
namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel

}  // namespace

std::optional<std::string> FollowedPath(const std::string& workspace, const std::string& path) {
  std::deque<std::string> left;
  const auto names_first = [&left](const fs::path& names) {
    std::deque<std::string> first;
    for (const fs::path& name : names) {
      first.push_back(name.string());
    }
    left.insert(left.begin(), first.begin(), first.end());
  };
  names_first(path);
  fs::path done = "/";
  for (int links = 0; !left.empty();) {
    const std::string name = left.front();
    left.pop_front();
    if (name.empty() || name == "." || name == "/") {
      continue;
    }
    if (name == "..") {
      done = done.parent_path();  // of "/" that is "/"
      continue;
    }
    const fs::path here = done;
    done /= name;
    if (!sandbox::IsBelow(here.string(), kWorkspaceTarget)) {
      continue;
    }
    std::error_code failed;
    const fs::path on_host = workspace + done.string().substr(std::string(kWorkspaceTarget).size());
    const fs::file_type type = fs::symlink_status(on_host, failed).type();
    if (type == fs::file_type::none || type == fs::file_type::unknown) {
      return std::nullopt;
    }
    if (type != fs::file_type::symlink) {
      continue;
    }
    const fs::path target = fs::read_symlink(on_host, failed);
    if (failed || ++links > kLinksMax) {
      return std::nullopt;
    }
    done = target.is_absolute() ? fs::path("/") : here;
    names_first(target);
  }
  return done.string();
}

void FollowLinks(const std::string& workspace, policy::Request& request) {
  for (policy::PathArgument& argument : request.paths) {
    std::optional<std::string> led = FollowedPath(workspace, argument.path);
    argument.followed = !led.has_value()        ? policy::kNowhereKnown
                        : *led != argument.path ? std::move(*led)
                                                : std::string();
  }
}

Json FollowedPaths(const policy::Request& request) {
  Json paths = Json::object();
  for (const policy::PathArgument& argument : request.paths) {
    if (!argument.followed.empty()) {
      paths[argument.key] = argument.followed;
    }
  }
  return paths;
}

void SetFollowedPaths(const Json& recorded, policy::Request& request) {
  for (policy::PathArgument& argument : request.paths) {
    argument.followed = StringMember(recorded, argument.key);
  }
}

bool LinksMoved(const std::string& workspace, const policy::Request& request) {
  policy::Request now{.paths = request.paths};
  FollowLinks(workspace, now);
  return now.paths != request.paths;
}

}  // namespace nacre::agent
