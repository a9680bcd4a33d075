// The filter of an observed call, run in the emulator against the filter that it is made from.
#include "sandbox/seccomp/observer.h"

#include <linux/audit.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "sandbox/seccomp/emulator.h"

namespace nacre::sandbox::seccomp {
namespace {

seccomp_data Call(int number, std::array<uint64_t, 6> arguments = {}) {
  seccomp_data call = {};
  call.nr = number;
  call.arch = AUDIT_ARCH_X86_64;
  std::copy(arguments.begin(), arguments.end(), std::begin(call.args));
  return call;
}

// Every system call number, for each profile: what was refused is asked about, what killed still
// kills or asks, and nothing that was refused is allowed.
TEST_CASE("an observed filter refuses nothing less") {
  for (const Profile& profile : Profiles()) {
    CAPTURE(profile.name);
    const Filter plain = CompileProfile(profile.name).value().reporting;
    const Filter observing = Observing(plain);
    for (int number = 0; number < 600; ++number) {
      CAPTURE(number);
      const uint32_t before = Emulate(plain, Call(number)).value() & SECCOMP_RET_ACTION_FULL;
      const uint32_t after = Emulate(observing, Call(number)).value() & SECCOMP_RET_ACTION_FULL;
      if (before == SECCOMP_RET_ERRNO) {
        CHECK(after == SECCOMP_RET_USER_NOTIF);
      } else if (before == SECCOMP_RET_ALLOW) {
        CHECK((after == SECCOMP_RET_ALLOW || after == SECCOMP_RET_USER_NOTIF));
      } else {
        CHECK((after == before || after == SECCOMP_RET_USER_NOTIF));
      }
    }
    seccomp_data foreign = Call(SYS_openat);
    foreign.arch = AUDIT_ARCH_I386;
    CHECK(Emulate(observing, foreign).value() == Emulate(plain, foreign).value());
    seccomp_data x32 = Call(0x40000000 | SYS_openat);
    CHECK(Emulate(observing, x32).value() == Emulate(plain, x32).value());
  }
}

TEST_CASE("an answer follows from number and registers alone") {
  const std::vector<SyscallRule> rules = ProfileRules("default").value();
  seccomp_notif notice = {};
  notice.pid = 0;  // no such process: no memory to read
  const auto observe = [&](const seccomp_data& call) {
    notice.data = call;
    return Observe(notice, rules);
  };
  CHECK(observe(Call(SYS_read)).proceed);
  const Observed refused = observe(Call(SYS_socket, {AF_INET, 1, 0}));
  CHECK_FALSE(refused.proceed);
  CHECK(refused.error != 0);
  REQUIRE(refused.observations.size() == 1);
  CHECK(refused.observations[0].call == "socket");
  CHECK_FALSE(refused.observations[0].reason.empty());
  const Observed unknown = observe(Call(599));
  CHECK_FALSE(unknown.proceed);
  CHECK(unknown.error == ENOSYS);
  seccomp_data foreign = Call(SYS_read);
  foreign.arch = AUDIT_ARCH_I386;
  CHECK(observe(foreign).kill);
  CHECK(observe(Call(0x40000000 | SYS_read)).kill);
}

}  // namespace
}  // namespace nacre::sandbox::seccomp
