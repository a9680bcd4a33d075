#include "tests/unit/tools/tool_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::testing {
namespace {

constexpr size_t kOutputBytesMax = 16U << 20;

class Started final {
 public:
  // Standard input and descriptor 3 become `in` and `out`; -1: empty input, no descriptor 3.
  Started(const std::vector<std::string>& argv, const std::string& directory, int in, int out) {
    std::vector<char*> pointers;
    for (const std::string& argument : argv) {
      pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    AddOpen(&actions, STDOUT_FILENO, folder_.path() + "/out");
    AddOpen(&actions, STDERR_FILENO, folder_.path() + "/err");
    if (in < 0) {
      ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
      ::posix_spawn_file_actions_adddup2(&actions, out, 3);
    }
    // What this process inherited itself must not be taken for a leak of the tool.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, in < 0 ? 3 : 4);
    if (::posix_spawn(&child_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0) {
      child_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&actions);
  }

  Ran Wait() {
    int status = 0;
    NACRE_CHECK(child_ > 0 && ::waitpid(child_, &status, 0) == child_);
    return {.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            .out = ReadFile(folder_.path() + "/out", kOutputBytesMax).value(),
            .err = ReadFile(folder_.path() + "/err", kOutputBytesMax).value()};
  }

 private:
  static void AddOpen(posix_spawn_file_actions_t* actions, int fd, const std::string& path) {
    ::posix_spawn_file_actions_addopen(actions, fd, path.c_str(), O_WRONLY | O_CREAT, 0600);
  }

  TempDir folder_ = TempDir::Create().value();
  pid_t child_ = -1;
};

}  // namespace

Ran Run(const std::vector<std::string>& argv, const std::string& directory) {
  return Started(argv, directory, -1, -1).Wait();
}

Ran RunByHand(const std::string& program, const Json& arguments, const std::string& directory) {
  return Run({program, "--call", DumpJson(arguments)}, directory);
}

Ran RunWithChannel(const std::string& program, const std::string& directory,
                   const std::string& first,
                   const std::function<std::string(std::string_view)>& on_bytes) {
  Pipe to_tool = MakePipe().value();
  Pipe from_tool = MakePipe().value();
  // Descriptors 3 and below would be overwritten while they are put in place.
  UniqueFd in(::fcntl(to_tool.read.get(), F_DUPFD_CLOEXEC, 10));
  UniqueFd out(::fcntl(from_tool.write.get(), F_DUPFD_CLOEXEC, 10));
  Started started({program}, directory, in.get(), out.get());
  to_tool.read.reset();
  from_tool.write.reset();
  in.reset();
  out.reset();
  (void)WriteAll(to_tool.write.get(), first);
  char buffer[65536];
  while (true) {
    const ssize_t count = ::read(from_tool.read.get(), buffer, sizeof buffer);
    if (count <= 0) {
      return started.Wait();
    }
    const std::string answer = on_bytes({buffer, static_cast<size_t>(count)});
    (void)WriteAll(to_tool.write.get(), answer);
  }
}

std::string BuiltinProgram(std::string name) {
  const std::string folder = std::string(NACRE_BINARY_DIR) + "/tools/" + name;
  std::replace(name.begin(), name.end(), '.', '-');
  return folder + "/" + name;
}

}  // namespace nacre::testing
