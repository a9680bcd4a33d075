#include "runtime/server/approval_book.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace nacre::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds Left(steady_clock::time_point until) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - steady_clock::now()));
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

// With the uid too: a name is the host's, and may be somebody else's tomorrow.
std::string NameOf(const Account& person) {
  const std::string uid = "uid " + std::to_string(person.uid);
  return person.name == uid ? uid : person.name + " (" + uid + ")";
}

}  // namespace

agent::Approval ApprovalBook::Ask(const agent::ApprovalRequest& request,
                                  const CancelToken& cancel) {
  UniqueFd decided(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!decided) {
    return {false, "nobody, since the server is out of descriptors",
            "a person must approve this, and none could be asked: out of descriptors"};
  }
  const policy::Approvers& approvers = request.decision.approvers;
  const steady_clock::time_point until = steady_clock::now() + approvers.expires;
  const int fd = decided.get();
  std::list<Entry>::iterator entry;
  {
    const std::lock_guard lock(mutex_);
    entry = entries_.insert(
        entries_.end(),
        Entry{.shown = {.call = request.call_id,
                        .session = request.session,
                        .tool = request.call.tool->name,
                        .arguments_json = DumpJson(request.call.request.arguments),
                        .rule = request.decision.rule,
                        .reason = request.decision.reason,
                        .workspace = request.subject.workspace,
                        .files = request.subject.files,
                        .digest = agent::ToJson(request.subject).at("digest").get<std::string>(),
                        .count = approvers.count,
                        .given = {},
                        .expires = {},
                        .answered = false},
              .approvers = approvers,
              .until = until,
              .decided = std::move(decided),
              .answered = {},
              .refused_by = {}});
  }
  pollfd waiting[] = {{fd, POLLIN, 0}, {cancel.poll_fd(), POLLIN, 0}};
  while (waiting[0].revents == 0 && !cancel.cancelled() && Left(until).count() > 0) {
    ::poll(waiting, 2, static_cast<int>(Left(until).count()));
  }
  Entry ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(*entry);
    entries_.erase(entry);
  }
  const std::string through = " through the gateway";
  if (!ended.refused_by.empty()) {
    return {false, ended.refused_by + through};
  }
  const std::string given = Joined(ended.shown.given);
  if (static_cast<int>(ended.shown.given.size()) >= approvers.count) {
    return {true, given + through};
  }
  const std::string by = given.empty() ? "nobody" : given + through + ", and nobody else";
  return {false, by,
          cancel.cancelled() ? "the turn was cancelled while a person was asked"
                             : agent::WhyExpired(approvers)};
}

std::vector<PendingApproval> ApprovalBook::ListFor(const Account& person) const {
  std::list<std::pair<PendingApproval, policy::Approvers>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_) {
      all.emplace_back(entry.shown, entry.approvers);
      all.back().first.expires = Left(entry.until);
      all.back().first.answered = std::find(entry.answered.begin(), entry.answered.end(),
                                            person.uid) != entry.answered.end();
    }
  }
  // The host's name service may be slow: without the lock.
  std::vector<PendingApproval> theirs;
  for (auto& [pending, approvers] : all) {
    if (agent::MayApprove(approvers, person, owner_)) {
      theirs.push_back(std::move(pending));
    }
  }
  return theirs;
}

Result<int> ApprovalBook::Take(const Account& person, const Answer& answer) {
  const std::vector<PendingApproval> theirs = ListFor(person);
  const Error unknown{ErrorCode::kNotFound, "no call " + answer.call + " waits for your answer"};
  if (std::none_of(theirs.begin(), theirs.end(),
                   [&](const PendingApproval& pending) { return pending.call == answer.call; })) {
    return unknown;
  }
  const std::lock_guard lock(mutex_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
    return candidate.shown.call == answer.call;
  });
  const auto missing = [&] {
    return entry->approvers.count - static_cast<int>(entry->shown.given.size());
  };
  // Decided, or out of time: the turn's thread has only not seen it yet.
  if (entry == entries_.end() || !entry->refused_by.empty() || missing() <= 0 ||
      steady_clock::now() >= entry->until) {
    return unknown;
  }
  if (entry->shown.digest != answer.digest) {
    return Error{ErrorCode::kFailedPrecondition,
                 "the digest is not that of the call that waits; look at it again"};
  }
  if (std::find(entry->answered.begin(), entry->answered.end(), person.uid) !=
      entry->answered.end()) {
    return Error{ErrorCode::kAlreadyExists, "you have answered this call; others must too"};
  }
  entry->answered.push_back(person.uid);
  if (answer.approved) {
    entry->shown.given.push_back(NameOf(person));
  } else {
    entry->refused_by = NameOf(person);
  }
  if (!answer.approved || missing() <= 0) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(entry->decided.get(), &one, sizeof one);
  }
  return answer.approved ? missing() : 0;
}

}  // namespace nacre::server
