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

agent::Approval ApprovalBook::Ask(const agent::ApprovalRequest& request) {
  UniqueFd decided(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!decided) {
    return {false, "nobody, since the server is out of descriptors",
            "a person must approve this, and none could be asked: out of descriptors"};
  }
  const std::vector<policy::Approvers>& approvers = request.decision.approvers;
  std::vector<int> missing;
  for (const policy::Approvers& each : approvers) {
    missing.push_back(each.count);
  }
  const steady_clock::time_point until = steady_clock::now() + request.expires;
  const int fd = decided.get();
  std::list<Entry>::iterator entry;
  {
    const std::lock_guard lock(mutex_);
    entry = entries_.insert(
        entries_.end(), Entry{.shown = {.call = request.call_id,
                                        .session = request.session,
                                        .tool = request.call.tool->name,
                                        .arguments_json = DumpJson(request.call.request.arguments),
                                        .rule = request.decision.rule,
                                        .reason = request.decision.reason,
                                        .workspace = request.subject.workspace,
                                        .files = request.subject.files,
                                        .digest = request.digest,
                                        .wanted = agent::DescribeApprovers(approvers),
                                        .given = {},
                                        .expires = {},
                                        .answered = false},
                              .approvers = approvers,
                              .missing = std::move(missing),
                              .until = until,
                              .decided = std::move(decided),
                              .answered = {},
                              .refused_by = {}});
  }
  request.asked();
  const CancelToken& cancel = request.cancel;
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
  const std::string given = Joined(ended.shown.given);
  if (!ended.refused_by.empty()) {
    return {.approved = false,
            .by = ended.refused_by + through + (given.empty() ? "" : ", after the yes of " + given),
            .uid = ended.answered.back()};
  }
  if (Missing(ended) == 0) {
    return {.approved = true, .by = given + through, .uid = ended.answered.back()};
  }
  const std::string by = given.empty() ? "nobody" : given + through + ", and nobody else";
  return {false, by,
          cancel.cancelled() ? "the turn was cancelled while a person was asked"
                             : agent::WhyExpired(request)};
}

int ApprovalBook::Missing(const Entry& entry) {
  return *std::max_element(entry.missing.begin(), entry.missing.end());
}

std::vector<PendingApproval> ApprovalBook::ListFor(const Account& person) const {
  std::list<std::pair<PendingApproval, std::vector<policy::Approvers>>> all;
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
    if (std::any_of(approvers.begin(), approvers.end(), [&](const policy::Approvers& each) {
          return agent::MayApprove(each, person, owner_);
        })) {
      theirs.push_back(std::move(pending));
    }
  }
  return theirs;
}

Result<int> ApprovalBook::Take(const Account& person, const Answer& answer) {
  const Error unknown{ErrorCode::kNotFound, "no call " + answer.call + " waits for your answer"};
  const auto find = [&] {
    return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
      return candidate.shown.call == answer.call;
    });
  };
  std::vector<policy::Approvers> approvers;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = find();
    if (entry != entries_.end()) {
      approvers = entry->approvers;
    }
  }
  // The host's name service may be slow: without the lock.
  std::vector<bool> means;
  for (const policy::Approvers& each : approvers) {
    means.push_back(agent::MayApprove(each, person, owner_));
  }
  const std::lock_guard lock(mutex_);
  const auto entry = find();
  // Decided, or out of time: the turn's thread has only not seen it yet.
  if (std::find(means.begin(), means.end(), true) == means.end() || entry == entries_.end() ||
      !entry->refused_by.empty() || Missing(*entry) == 0 || steady_clock::now() >= entry->until) {
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
    for (size_t i = 0; i < means.size(); ++i) {
      entry->missing[i] -= means[i] && entry->missing[i] > 0 ? 1 : 0;
    }
  } else {
    entry->refused_by = NameOf(person);
  }
  const int missing = answer.approved ? Missing(*entry) : 0;
  if (missing == 0) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t put = ::write(entry->decided.get(), &one, sizeof one);
  }
  return missing;
}

}  // namespace nacre::server
