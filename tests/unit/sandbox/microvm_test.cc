// What a microVM starts from, without one: the archive, the choice of a kernel, the agent's orders.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "sandbox/guest/guest_io.h"
#include "sandbox/microvm/guest_kernel.h"
#include "sandbox/microvm/initramfs.h"
#include "sandbox/microvm/kept_trial.h"

namespace nacre::sandbox {
namespace {

using microvm::FindGuestKernel;
using microvm::OrderModules;

// As the kernel reads it: init/initramfs.c.
struct Entry {
  std::string path;
  unsigned long mode;
  std::string content;
};

std::vector<Entry> ReadArchive(const std::string& archive) {
  std::vector<Entry> entries;
  const auto aligned = [](size_t at) { return (at + 3) / 4 * 4; };
  const auto number = [&archive](size_t at) {
    return std::stoul(archive.substr(at, 8), nullptr, 16);
  };
  for (size_t at = 0; at < archive.size();) {
    REQUIRE(archive.substr(at, 6) == "070701");
    const size_t size = number(at + 54);
    const size_t name = number(at + 94);
    Entry entry;
    entry.mode = number(at + 14);
    entry.path = archive.substr(at + 110, name - 1);
    const size_t content = aligned(at + 110 + name);
    entry.content = archive.substr(content, size);
    at = aligned(content + size);
    entries.push_back(std::move(entry));
  }
  return entries;
}

TEST_CASE("the archive is what the kernel reads, with its trailer, for root alone") {
  const std::string archive = microvm::MakeInitramfs({{"init",
                                                       std::string("\x7f"
                                                                   "ELF\0",
                                                                   5),
                                                       false},
                                                      {"modules", {}, true},
                                                      {"modules/001-virtio.ko", "four", false}})
                                  .value();
  const std::vector<Entry> entries = ReadArchive(archive);
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].path == "init");
  CHECK(entries[0].content == std::string("\x7f"
                                          "ELF\0",
                                          5));
  CHECK(entries[0].mode == (S_IFREG | 0500));
  CHECK(entries[1].path == "modules");
  CHECK(entries[1].mode == (S_IFDIR | 0500));
  CHECK(entries[2].content == "four");
  CHECK(entries[3].path == "TRAILER!!!");
}

TEST_CASE("an archive beyond its bound is not made") {
  const std::string half(microvm::kInitramfsBytesMax / 2 + 1, 'x');
  CHECK(microvm::MakeInitramfs({{"a", half, false}}).ok());
  const auto two = microvm::MakeInitramfs({{"a", half, false}, {"b", half, false}});
  REQUIRE_FALSE(two.ok());
  CHECK(two.error().code == ErrorCode::kResourceExhausted);
}

constexpr char kDependencies[] =
    "kernel/drivers/virtio/virtio_mmio.ko: kernel/drivers/virtio/virtio.ko "
    "kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko\n"
    "kernel/drivers/virtio/virtio_ring.ko:\n"
    "kernel/drivers/char/virtio_console.ko: kernel/drivers/virtio/virtio.ko\n"
    "kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko\n"
    "kernel/net/9p/9pnet.ko:\n"
    "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko\n";

TEST_CASE("modules are loaded after those that they need, each once, and none that is built in") {
  CHECK(OrderModules(kDependencies, "", {"virtio_mmio", "9p"}).value() ==
        std::vector<std::string>{"kernel/drivers/virtio/virtio_ring.ko",
                                 "kernel/drivers/virtio/virtio.ko",
                                 "kernel/drivers/virtio/virtio_mmio.ko", "kernel/net/9p/9pnet.ko",
                                 "kernel/fs/9p/9p.ko"});
  CHECK(OrderModules(kDependencies, "kernel/fs/9p/9p.ko\n", {"9p"}).value().empty());
  CHECK(OrderModules("x/a-b.ko:\n", "", {"a_b"}).value() == std::vector<std::string>{"x/a-b.ko"});
}

TEST_CASE("a module that is missing or compressed is named, and a circle ends") {
  const auto missing = OrderModules(kDependencies, "", {"9p", "erofs"});
  REQUIRE_FALSE(missing.ok());
  CHECK_THAT(missing.error().message, Catch::Contains("erofs"));
  const auto compressed = OrderModules("fs/9p.ko.xz:\n", "", {"9p"});
  REQUIRE_FALSE(compressed.ok());
  CHECK_THAT(compressed.error().message, Catch::Contains("fs/9p.ko.xz is compressed"));
  CHECK(OrderModules("a.ko: b.ko\nb.ko: a.ko\n", "", {"a"}).ok());
  CHECK_FALSE(OrderModules("no colon\n\n:\n", "", {"a"}).ok());
}

// A folder with kernels, as of a host.
class Host {
 public:
  Host() : directory_(TempDir::Create().value()) {
    std::filesystem::create_directories(boot());
    std::filesystem::create_directories(modules());
  }

  std::string boot() const { return directory_.path() + "/boot"; }
  std::string modules() const { return directory_.path() + "/modules"; }
  void AddKernel(const std::string& version, const std::string& dependencies) {
    std::ofstream(boot() + "/vmlinuz-" + version) << "kernel";
    const std::string folder = modules() + "/" + version;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/modules.dep") << dependencies;
    std::ofstream(folder + "/modules.builtin");
    std::istringstream lines(dependencies);
    for (std::string line; std::getline(lines, line);) {
      const std::filesystem::path path = folder + "/" + line.substr(0, line.find(':'));
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path.string()) << "module";
    }
  }

 private:
  TempDir directory_;
};

TEST_CASE("the newest kernel that can be a guest is chosen, by number and not by letters") {
  Host host;
  host.AddKernel("6.1.0-9-amd64", kDependencies);
  host.AddKernel("6.1.0-44-amd64", kDependencies);
  host.AddKernel("6.1.0-50-cloud-amd64", "kernel/drivers/virtio/virtio_mmio.ko:\n");
  const auto kernel = FindGuestKernel(host.boot(), host.modules()).value();
  CHECK(kernel.version == "6.1.0-44-amd64");
  CHECK(kernel.image == host.boot() + "/vmlinuz-6.1.0-44-amd64");
  REQUIRE(kernel.modules.size() == 7);
  CHECK(kernel.modules.back() == host.modules() + "/6.1.0-44-amd64/kernel/fs/9p/9p.ko");
}

TEST_CASE("without a kernel the tier names each that was there, why not, and the package") {
  Host host;
  CHECK_THAT(FindGuestKernel(host.boot(), host.modules()).error().message,
             Catch::Contains("there is no kernel in") &&
                 Catch::Contains("apt-get install linux-image-amd64"));
  host.AddKernel("6.1.0-50-cloud-amd64", "kernel/drivers/virtio/virtio_mmio.ko:\n");
  host.AddKernel("6.2", kDependencies);
  std::filesystem::remove_all(host.modules() + "/6.2");
  const auto refused = FindGuestKernel(host.boot(), host.modules());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK_THAT(refused.error().message,
             Catch::Contains("6.1.0-50-cloud-amd64: it has no module virtio_console") &&
                 Catch::Contains("6.2: ") && Catch::Contains("modules.dep") &&
                 Catch::Contains("apt-get install linux-image-amd64"));
}

TEST_CASE("a trial that failed is made again after a while, one that succeeded never") {
  using std::chrono::seconds;
  microvm::KeptTrial trial(seconds(300));
  const microvm::KeptTrial::Time start{};
  int made = 0;
  bool works = false;
  const auto attempt = [&]() -> Status {
    ++made;
    return works ? Status(Ok()) : Error{ErrorCode::kUnavailable, "no"};
  };
  CHECK_FALSE(trial.Get(start, attempt).ok());
  works = true;
  CHECK_FALSE(trial.Get(start + seconds(299), attempt).ok());
  CHECK(made == 1);
  CHECK(trial.Get(start + seconds(300), attempt).ok());
  works = false;
  CHECK(trial.Get(start + seconds(100'000), attempt).ok());
  CHECK(made == 2);
}

TEST_CASE("when a machine has said its last word, it is killed; its outcome is what it said") {
  NoCallIo io;
  guest::Task task;
  task.token.assign(guest::kTokenBytes, 't');
  const std::string token = task.token;
  guest::GuestIo guest(io, std::move(task), 10, guest::AtEnd::kKill);
  guest.OnStart();
  CHECK_FALSE(guest
                  .OnChannelBytes(guest::EncodeReady(token, {.kernel = "Linux 6.1",
                                                             .seccomp = true,
                                                             .no_new_privs = true,
                                                             .capabilities_empty = true}))
                  .kill);
  CHECK(
      guest
          .OnChannelBytes(guest::EncodeEnd(
              token,
              {.wait_status = 3 << 8, .limit = "", .cpu = {}, .wall = {}, .memory_peak_bytes = 0}))
          .kill);
  Outcome enclosed;
  enclosed.kind = OutcomeKind::kSignaled;
  enclosed.signal = 9;
  const Outcome outcome = guest.Conclude("microvm", std::move(enclosed));
  CHECK(outcome.kind == OutcomeKind::kExited);
  CHECK(outcome.exit_code == 3);
}

}  // namespace
}  // namespace nacre::sandbox
