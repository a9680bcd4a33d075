#include "runtime/cli/approval_prompt.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>

#include "base/json.h"
#include "runtime/agent/approval.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {

namespace {

constexpr int kLinesShownMax = 40;

// A file's content reads better as what it is than as one line of JSON.
void PrintLines(const std::string& arguments_json) {
  const Result<Json> arguments = ParseJson(arguments_json);
  if (!arguments.ok() || !arguments.value().is_object()) {
    return;
  }
  for (const auto& [name, value] : arguments.value().items()) {
    if (!value.is_string() || value.get_ref<const std::string&>().find('\n') == std::string::npos) {
      continue;
    }
    std::printf("  %s:\n", SafeLine(name, 80).c_str());
    std::istringstream lines(value.get<std::string>());
    int shown = 0;
    for (std::string line; std::getline(lines, line); ++shown) {
      if (shown < kLinesShownMax) {
        std::printf("  │ %s\n", SafeLine(line, 200).c_str());
      }
    }
    if (shown > kLinesShownMax) {
      std::printf("  │ (%d more lines)\n", shown - kLinesShownMax);
    }
  }
}

}  // namespace

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
  PrintLines(question.arguments_json);
  std::printf("  in %s\n", SafeLine(question.workspace, 200).c_str());
  for (const auto& [path, digest] : question.files) {
    std::printf("  with %s %s\n", SafeLine(path, 120).c_str(), SafeLine(digest, 80).c_str());
  }
  std::printf("  because rule %s wants a person's yes: %s\n", SafeLine(question.rule, 80).c_str(),
              SafeLine(question.reason, 200).c_str());
}

ApprovalQuestion QuestionOf(const client::PendingApproval& pending) {
  return {.tool = pending.tool,
          .arguments_json = pending.arguments_json,
          .rule = pending.rule,
          .reason = pending.reason,
          .workspace = pending.workspace,
          .files = {pending.files.begin(), pending.files.end()}};
}

void PrintPending(const client::PendingApproval& pending) {
  std::printf("\n  call %s   %lld s left\n", SafeLine(pending.call, 32).c_str(),
              static_cast<long long>(pending.expires.count() / 1000));
  std::string given;
  for (const std::string& name : pending.given) {
    given += (given.empty() ? "; yes from " : ", ") + SafeLine(name, 80);
  }
  std::printf("  wants the yes of %s%s%s\n", SafeLine(pending.wanted, 200).c_str(), given.c_str(),
              pending.answered ? "; you have answered" : "");
}

bool IsAsked(client::ApprovalClient& gateway, const client::PendingApproval& pending) {
  const auto all = gateway.List();
  return !all.ok() || std::any_of(all.value().begin(), all.value().end(),
                                  [&](const auto& other) { return other.call == pending.call; });
}

Said AskAtTerminal(const ApprovalQuestion& question, const PromptEnd& end) {
  using std::chrono::milliseconds;
  constexpr milliseconds kLookAgain{1000};
  ::tcflush(STDIN_FILENO, TCIFLUSH);
  PrintQuestion(question);
  std::printf("  Allow it once, within %lld s? [y/N] ",
              static_cast<long long>(end.expires.count() / 1000));
  std::fflush(stdout);
  const auto until = std::chrono::steady_clock::now() + end.expires;
  pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {end.cancel.poll_fd(), POLLIN, 0}};
  while (!end.cancel.cancelled()) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      std::printf("\n");
      return Said::kNothingInTime;
    }
    const milliseconds pause = end.still_asked ? std::min(left, kLookAgain) : left;
    if (::poll(waiting, 2, static_cast<int>(pause.count())) > 0) {
      break;
    }
    if (end.still_asked && !end.still_asked()) {
      std::printf("\n");
      return Said::kNoLongerAsked;
    }
  }
  // A terminal hands over a line at a time: all of it is the answer, and only a plain yes is one.
  char line[256] = {};
  if (end.cancel.cancelled() || ::read(STDIN_FILENO, line, sizeof line - 1) <= 0) {
    std::printf("\n");
    return end.cancel.cancelled() ? Said::kCancelled : Said::kNo;
  }
  const std::string answer(line);
  return answer == "y\n" || answer == "Y\n" || answer == "yes\n" ? Said::kYes : Said::kNo;
}

}  // namespace nacre::cli
