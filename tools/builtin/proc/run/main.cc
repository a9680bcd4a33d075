// proc.run: runs one program, without a shell.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/file.h"
#include "base/unique_fd.h"
#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

constexpr size_t kStreamBytesShownMax = 64U << 10;
constexpr const char* kSearchPath[] = {"/usr/local/bin", "/usr/bin", "/bin"};
// How often to look whether the program has ended while something it started keeps its output open.
constexpr int kExitCheckMs = 50;

// Keeps the beginning of a stream and counts the lines of all of it.
class Captured final {
 public:
  void Feed(std::string_view bytes) {
    const size_t room = kStreamBytesShownMax - kept_.size();
    kept_.append(bytes.substr(0, room));
    cut_ = cut_ || bytes.size() > room;
    newlines_ += static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    in_line_ = !bytes.empty() ? bytes.back() != '\n' : in_line_;
  }

  bool empty() const { return kept_.empty(); }

  // Without the final newline. When cut: whole lines and a note of how many are missing; a single
  // line that fills it all is shown in part and counts as missing.
  std::string Text() const {
    if (!cut_) {
      return kept_.substr(0, kept_.size() - (!in_line_ && !kept_.empty() ? 1 : 0));
    }
    const size_t last_end = kept_.rfind('\n');
    const size_t end = last_end == std::string::npos ? CutSize(kept_, kept_.size() - 1) : last_end;
    const auto kept_lines = static_cast<uint64_t>(std::count(kept_.begin(), kept_.end(), '\n'));
    return kept_.substr(0, end) + "\n(truncated: " +
           Count(newlines_ + (in_line_ ? 1 : 0) - kept_lines, "more line)", "more lines)");
  }

 private:
  std::string kept_;
  bool cut_ = false;
  uint64_t newlines_ = 0;
  bool in_line_ = false;  // the last line has no end yet
};

std::vector<std::string> ParseArgv(const sdk::Arguments& arguments) {
  auto argv = arguments.at("argv").get<std::vector<std::string>>();
  if (argv.empty() || argv.front().empty()) {
    throw sdk::ToolError("argv names no program");
  }
  if (std::any_of(argv.begin(), argv.end(), [](const std::string& argument) {
        return argument.find('\0') != std::string::npos;
      })) {
    throw sdk::ToolError("argv holds a NUL byte");
  }
  return argv;
}

bool IsFile(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string FindProgram(const std::string& name) {
  const std::string shown = ShownName(Cut(name, 256, "..."));
  std::vector<std::string> candidates = {name};
  if (name.find('/') == std::string::npos) {
    candidates.clear();
    for (const char* directory : kSearchPath) {
      candidates.push_back(std::string(directory) + "/" + name);
    }
  }
  bool found = false;
  for (const std::string& candidate : candidates) {
    if (IsFile(candidate)) {
      found = true;
      if (::access(candidate.c_str(), X_OK) == 0) {
        return candidate;
      }
    }
  }
  throw sdk::ToolError((found ? "not executable: " : "no such program: ") + shown);
}

Pipe OpenPipe() {
  Result<Pipe> pipe = MakePipe();
  if (!pipe.ok()) {
    throw sdk::ToolError(pipe.error().message);
  }
  return std::move(pipe).value();
}

// Standard input is the tool's own, which reads as empty; everything else of the tool is
// close-on-exec. Signals are as a fresh program expects them.
pid_t Spawn(const std::string& program, const std::vector<std::string>& argv, int out, int err) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) {
    pointers.push_back(const_cast<char*>(argument.c_str()));  // execve(2) does not write to them
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int failure =
      ::posix_spawn(&child, program.c_str(), &actions, &attributes, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (failure == EACCES || failure == ENOEXEC) {  // a mount without execution, a text file
    throw sdk::ToolError("not executable: " + ShownName(Cut(argv.front(), 256, "...")));
  }
  if (failure != 0) {
    ThrowErrno(failure, argv.front(), "program");
  }
  return child;
}

// False at the end of the stream.
bool ReadOnce(int fd, Captured* captured) {
  std::array<char, 16384> buffer;
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count > 0) {
    captured->Feed({buffer.data(), static_cast<size_t>(count)});
  }
  return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
}

struct Ended {
  int status = 0;
  Captured out;
  Captured err;
};

// Until the program has ended and what it wrote is read. What it left running in the background
// may hold its output open for ever, so the end of the streams is not waited for.
Ended Collect(pid_t child, const UniqueFd& out, const UniqueFd& err) {
  Ended ended;
  std::array<pollfd, 2> polled = {pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
  std::array<Captured*, 2> captured = {&ended.out, &ended.err};
  bool exited = false;
  while (true) {
    const bool streams_open = polled[0].fd >= 0 || polled[1].fd >= 0;
    if (!exited) {
      const pid_t waited = ::waitpid(child, &ended.status, streams_open ? WNOHANG : 0);
      if (waited < 0 && errno != EINTR) {
        throw sdk::ToolError("the program's exit status was lost");
      }
      exited = waited == child;
    }
    if (exited && !streams_open) {
      return ended;
    }
    const int ready = ::poll(polled.data(), polled.size(), exited ? 0 : kExitCheckMs);
    if (exited && ready == 0) {
      return ended;
    }
    for (size_t i = 0; ready > 0 && i < polled.size(); ++i) {
      if (polled[i].revents != 0 && !ReadOnce(polled[i].fd, captured[i])) {
        polled[i].fd = -1;
      }
    }
  }
}

std::string Text(const Ended& ended) {
  std::string text = WIFSIGNALED(ended.status)
                         ? "killed by signal " + std::to_string(WTERMSIG(ended.status))
                         : "exit " + std::to_string(WEXITSTATUS(ended.status));
  if (!ended.out.empty()) {
    text += "\n" + ended.out.Text();
  }
  if (!ended.err.empty()) {
    text += "\nstderr:\n" + ended.err.Text();
  }
  return text;
}

class ProcRun final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const std::vector<std::string> argv = ParseArgv(arguments);
    const std::string program = FindProgram(argv.front());
    Pipe out = OpenPipe();
    Pipe err = OpenPipe();
    const pid_t child = Spawn(program, argv, out.write.get(), err.write.get());
    out.write.reset();
    err.write.reset();
    return {Text(Collect(child, out.read, err.read))};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::ProcRun(), argc, argv);
}
