// What stands around the program of a tier with a kernel of its own, with a program of ours in its place.
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <catch2/catch.hpp>

#include "base/temp_dir.h"
#include "tests/support/sandbox_runner.h"
#include "tests/support/skip.h"

namespace nacre::sandbox {
namespace {

constexpr char kPython[] = "/usr/bin/python3";

struct Enclosed {
  Outcome outcome;
  std::string said;  // on its standard output, which is the call's channel
};

Enclosed RunEnclosed(const Enclosure& enclosure, SandboxSpec spec = Shell("")) {
  class Listener final : public CallIo {
   public:
    Reply OnStart() override { return {.bytes = {}, .close_input = true, .kill = false}; }
    Reply OnChannelBytes(std::string_view bytes) override {
      said += bytes;
      return {};
    }
    void OnCallLayer(CallLayer given) override { layer.emplace(std::move(given)); }
    std::string said;
    std::optional<CallLayer> layer;
  } io;
  spec.require.id_maps = false;
  const LaunchPlan plan = MakeEnclosurePlan(spec, SharedSandbox().host(), enclosure).value();
  Outcome outcome = SharedSandbox().RunPlan(plan, io, CancelToken()).value();
  SharedSandbox().Settle();
  return {std::move(outcome), std::move(io.said)};
}

Enclosure Python(const std::string& script) {
  Enclosure enclosure;
  enclosure.argv = {kPython, "-c", script};
  enclosure.allowance.disk_bytes = 1ULL << 20;
  enclosure.allowance.output_bytes = 64 << 10;
  return enclosure;
}

#define PYTHON_OR_SKIP()                     \
  if (::access(kPython, X_OK) != 0) {        \
    SKIP_HERE("no " + std::string(kPython)); \
  }                                          \
  static_assert(true)

TEST_CASE("an enclosure of root's uses a device of the host as nobody, in the device's group") {
  PYTHON_OR_SKIP();
  struct stat device = {};
  if (::geteuid() != 0 || ::stat("/dev/kvm", &device) != 0) {
    SKIP_HERE("this is not root, or there is no /dev/kvm");
  }
  const kernel::Ids ids = kernel::IdsForDevice(device);
  if (ids.gid != device.st_gid) {
    SKIP_HERE("/dev/kvm is open to all, or to no group");
  }
  Enclosure enclosure = Python(
      "import os; os.close(os.open('/dev/kvm', os.O_RDWR)); print(os.getgid(), os.getgroups())");
  const Enclosed without = RunEnclosed(enclosure);
  CHECK(without.said.empty());  // there is none
  CHECK(without.outcome.layers.gid_map == "1000 65534 1");
  enclosure.devices = {{"/dev/kvm", device.st_rdev}};
  const Enclosed with = RunEnclosed(enclosure);
  CAPTURE(Describe(with.outcome), with.outcome.error_output);
  CHECK(with.said == "1000 []\n");
  CHECK(with.outcome.layers.uid_map == "1000 65534 1");
  CHECK(with.outcome.layers.gid_map == "1000 " + std::to_string(ids.gid) + " 1");
}

}  // namespace
}  // namespace nacre::sandbox
