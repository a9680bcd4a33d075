// The question whether a call may run, put to the person at this terminal.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel_token.h"
#include "sdk/client/approval_client.h"

namespace nacre::cli {

struct ApprovalQuestion {
  std::string tool;
  std::string arguments_json;
  std::string rule;
  std::string reason;
  std::string workspace;
  std::vector<std::pair<std::string, std::string>> files = {};  // path, digest
};

enum class Said { kYes = 0, kNo, kNothingInTime, kNoLongerAsked, kCancelled };

// When to stop waiting for an answer.
struct PromptEnd {
  std::chrono::milliseconds expires;
  CancelToken cancel = {};
  // Asked about once a second: false when somebody else has answered. Empty: nobody else can.
  std::function<bool()> still_asked = {};
};

// True when both ends are a terminal: a piped "y" is nobody's.
bool PersonIsThere();

// What a person must see before they say yes: what the yes is to, letters that only look like others written out, and
// texts of several lines as lines.
void PrintQuestion(const ApprovalQuestion& question);

// How far the question is.
void PrintPending(const client::PendingApproval& pending);
ApprovalQuestion QuestionOf(const client::PendingApproval& pending);
// Does the call still wait for this person? True as well when that cannot be found out.
bool IsAsked(client::ApprovalClient& gateway, const client::PendingApproval& pending);

// Prints the question and waits for a line. Only "y", "Y" and "yes" are a yes. What was typed before the
// question is thrown away.
Said AskAtTerminal(const ApprovalQuestion& question, const PromptEnd& end);

}  // namespace nacre::cli
