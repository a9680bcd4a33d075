#include "runtime/cli/approval_prompt.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "runtime/agent/approval.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {

bool PersonIsThere() {
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

void PrintQuestion(const ApprovalQuestion& question) {
  std::printf("\n  The agent asks to run %s\n  %s\n", SafeLine(question.tool, 80).c_str(),
              SafeForTerminal(question.arguments_json).c_str());
  if (const std::string shown = agent::ShowConfusables(question.arguments_json);
      shown != question.arguments_json) {
    std::printf("  careful: some letters only look like others. Written out:\n  %s\n",
                SafeForTerminal(shown).c_str());
  }
  std::printf("  because rule %s wants a person's yes: %s\n", SafeLine(question.rule, 80).c_str(),
              SafeLine(question.reason, 200).c_str());
}

Said AskAtTerminal(const ApprovalQuestion& question, std::chrono::milliseconds expires,
                   const CancelToken& cancel) {
  ::tcflush(STDIN_FILENO, TCIFLUSH);
  PrintQuestion(question);
  std::printf("  Allow it once? [y/N] ");
  std::fflush(stdout);
  const auto until = std::chrono::steady_clock::now() + expires;
  pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {cancel.poll_fd(), POLLIN, 0}};
  int ready = -1;
  while (ready < 0 && !cancel.cancelled()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    ready = ::poll(waiting, 2, static_cast<int>(std::max<int64_t>(left.count(), 0)));
  }
  if (ready == 0 && !cancel.cancelled()) {
    std::printf("\n");
    return Said::kNothingInTime;
  }
  // A terminal hands over a line at a time: all of it is the answer, and only a plain yes is one.
  char line[256] = {};
  if (cancel.cancelled() || ::read(STDIN_FILENO, line, sizeof line - 1) <= 0) {
    std::printf("\n");
    return cancel.cancelled() ? Said::kCancelled : Said::kNo;
  }
  const std::string answer(line);
  return answer == "y\n" || answer == "Y\n" || answer == "yes\n" ? Said::kYes : Said::kNo;
}

}  // namespace nacre::cli
