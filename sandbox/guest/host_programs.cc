#include "sandbox/guest/host_programs.h"

#include <unistd.h>

#include <array>

#include "base/random.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox::guest {

std::string FindSystemProgram(const std::string& name) {
  for (const char* directory : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"}) {
    std::string path = directory + name;
    if (::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return {};
}

Status CheckGuestProgram(const std::string& path) {
  if (path.empty() || ::access(path.c_str(), X_OK) != 0) {
    return Error{ErrorCode::kUnavailable,
                 "the program nacre-guest is missing" +
                     (path.empty() ? std::string() : " (looked for " + path + ")") +
                     ": it is built and installed with nacre; in its source, build it with "
                     ".ci/setup release "
                     "nacre-guest"};
  }
  return Ok();
}

Result<Task> MakeTask(const SandboxSpec& spec) {
  Task task;
  std::array<uint8_t, kTokenBytes> token = {};
  SystemRandom().Fill(token);
  task.token.assign(token.begin(), token.end());
  task.argv = spec.argv;
  for (const auto& [name, value] : spec.environment) {
    task.environment.push_back(name + "=" + value);
  }
  task.working_directory = spec.working_directory;
  task.limits = spec.limits;
  const auto rules = NACRE_TRY(seccomp::ProfileRules(spec.seccomp_profile));
  const seccomp::Filter filter =
      NACRE_TRY(seccomp::CompileFilter(rules, seccomp::Otherwise::kNoSuchCall));
  task.filter.assign(reinterpret_cast<const char*>(filter.instructions.data()),
                     filter.instructions.size() * sizeof(sock_filter));
  return task;
}

}  // namespace nacre::sandbox::guest
