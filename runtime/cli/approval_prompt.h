// The question whether a call may run, put to the person at this terminal.
#pragma once

#include <chrono>
#include <string>

#include "base/cancel_token.h"

namespace nacre::cli {

struct ApprovalQuestion {
  std::string tool;
  std::string arguments_json;
  std::string rule;
  std::string reason;
};

enum class Said { kYes = 0, kNo, kNothingInTime, kCancelled };

// True when both ends are a terminal: a piped "y" is nobody's.
bool PersonIsThere();

// What a person must see before they say yes: letters that only look like others are written out.
void PrintQuestion(const ApprovalQuestion& question);

// Prints the question and waits for a line, at most `expires`. Only "y", "Y" and "yes" are a yes. What
// was typed before the question is thrown away.
Said AskAtTerminal(const ApprovalQuestion& question, std::chrono::milliseconds expires,
                   const CancelToken& cancel);

}  // namespace nacre::cli
