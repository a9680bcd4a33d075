#include "runtime/cli/terminal_relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/file.h"

namespace nacre::cli {
namespace {

constexpr int kDrainMilliseconds = 500;  // for what the call wrote before it ended
constexpr char kEndOfTransmission = 4;   // Ctrl-D

// What signal handlers reach. Written while no handler is installed.
struct termios g_saved;
volatile sig_atomic_t g_raw = 0;
int g_resize = -1;

constexpr int kFatalSignals[] = {SIGHUP,  SIGQUIT, SIGTERM, SIGINT, SIGABRT,
                                 SIGSEGV, SIGBUS,  SIGFPE,  SIGILL};
struct sigaction g_before[sizeof kFatalSignals / sizeof kFatalSignals[0]];
struct sigaction g_resize_before;

void Restore() {
  if (g_raw != 0) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &g_saved);
    g_raw = 0;
  }
}

// Puts the terminal back, then lets the signal do what it would have done without us.
void OnFatal(int signal) {
  Restore();
  for (size_t i = 0; i < sizeof kFatalSignals / sizeof kFatalSignals[0]; ++i) {
    if (kFatalSignals[i] == signal) {
      ::sigaction(signal, &g_before[i], nullptr);
    }
  }
  ::raise(signal);
}

void OnResize(int) {
  const int before = errno;
  (void)!::write(g_resize, "r", 1);
  errno = before;
}

void MakeRaw() {
  if (::isatty(STDIN_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &g_saved) != 0) {
    return;
  }
  struct sigaction action = {};
  ::sigemptyset(&action.sa_mask);
  action.sa_handler = OnFatal;
  for (size_t i = 0; i < sizeof kFatalSignals / sizeof kFatalSignals[0]; ++i) {
    ::sigaction(kFatalSignals[i], &action, &g_before[i]);
  }
  struct termios raw = g_saved;
  ::cfmakeraw(&raw);
  g_raw = 1;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void Unmake() {
  const bool was_raw = g_raw != 0;
  Restore();
  if (was_raw) {
    for (size_t i = 0; i < sizeof kFatalSignals / sizeof kFatalSignals[0]; ++i) {
      ::sigaction(kFatalSignals[i], &g_before[i], nullptr);
    }
  }
}

}  // namespace

sandbox::TerminalSize WindowSize() {
  struct winsize size = {};
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
      return {.rows = size.ws_row, .columns = size.ws_col};
    }
  }
  return {};
}

void TerminalRelay::Start(UniqueFd terminal) {
  auto pipe = MakePipe();
  if (thread_.joinable() || !pipe.ok()) {
    return;
  }
  terminal_ = std::move(terminal);
  stop_read_ = std::move(pipe.value().read);
  stop_write_ = std::move(pipe.value().write);
  ::fcntl(stop_write_.get(), F_SETFL, O_NONBLOCK);
  g_resize = stop_write_.get();
  struct sigaction action = {};
  ::sigemptyset(&action.sa_mask);
  action.sa_handler = OnResize;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGWINCH, &action, &g_resize_before);
  MakeRaw();
  // The signals above are for the thread that runs the call: this one only carries bytes.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Relay(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void TerminalRelay::Finish() {
  if (!thread_.joinable()) {
    return;
  }
  (void)!::write(stop_write_.get(), "s", 1);
  thread_.join();
  ::sigaction(SIGWINCH, &g_resize_before, nullptr);
  Unmake();
  terminal_.reset();
}

void TerminalRelay::Relay() {
  bool input_open = true;
  bool stopping = false;
  char buffer[16 * 1024];
  for (;;) {
    struct pollfd polled[3] = {
        {.fd = terminal_.get(), .events = POLLIN, .revents = 0},
        {.fd = stopping ? -1 : stop_read_.get(), .events = POLLIN, .revents = 0},
        {.fd = input_open && !stopping ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0}};
    const int count = ::poll(polled, 3, stopping ? kDrainMilliseconds : -1);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return;
    }
    if (polled[1].revents != 0) {
      const ssize_t size = ::read(stop_read_.get(), buffer, sizeof buffer);
      for (ssize_t i = 0; i < size; ++i) {
        stopping = stopping || buffer[i] == 's';
      }
      const sandbox::TerminalSize now = WindowSize();
      struct winsize window = {};
      window.ws_row = now.rows;
      window.ws_col = now.columns;
      ::ioctl(terminal_.get(), TIOCSWINSZ, &window);
    }
    if (polled[2].revents != 0) {
      const ssize_t size = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (size > 0) {
        (void)WriteAll(terminal_.get(), {buffer, static_cast<size_t>(size)});
      } else if (size == 0 || errno != EINTR) {
        input_open = false;
        (void)WriteAll(terminal_.get(), {&kEndOfTransmission, 1});
      }
    }
    if (polled[0].revents != 0) {
      const ssize_t size = ::read(terminal_.get(), buffer, sizeof buffer);
      if (size > 0) {
        (void)WriteAll(STDOUT_FILENO, {buffer, static_cast<size_t>(size)});
      } else if (size == 0 || errno != EINTR) {
        return;  // EIO: no process of the call is left that has it open
      }
    }
  }
}

}  // namespace nacre::cli
