#include "runtime/inference/cpu_budget.h"

#include <catch2/catch.hpp>

namespace nacre::inference {

TEST_CASE("the quota of both cgroup versions is read, and nonsense limits nothing") {
  CHECK(ParseCpuMax("150000 100000\n") == 1.5);
  CHECK_FALSE(ParseCpuMax("max 100000\n").has_value());
  CHECK_FALSE(ParseCpuMax("").has_value());
  CHECK_FALSE(ParseCpuMax("1").has_value());
  CHECK_FALSE(ParseCpuMax("100000 0\n").has_value());
  CHECK(ParseCpuQuota("200000\n", "100000\n") == 2.0);
  CHECK_FALSE(ParseCpuQuota("-1\n", "100000\n").has_value());
  CHECK_FALSE(ParseCpuQuota("x", "y").has_value());
}

TEST_CASE("the cgroup of this process is found in either hierarchy") {
  const auto v2 = ParseOwnCgroup("0::/user.slice/nacre.service\n");
  REQUIRE(v2.has_value());
  CHECK((v2->v2 && v2->path == "/user.slice/nacre.service"));
  const auto hybrid = ParseOwnCgroup("12:cpuset:/a\n4:cpu,cpuacct:/docker/x\n0::/\n");
  REQUIRE(hybrid.has_value());
  CHECK((!hybrid->v2 && hybrid->path == "/docker/x"));
  CHECK_FALSE(ParseOwnCgroup("garbage\n::\n").has_value());
  CHECK_FALSE(ParseOwnCgroup("").has_value());
}

TEST_CASE("there is always at least one core") {
  CHECK(AvailableCores() >= 1);
}

}  // namespace nacre::inference
