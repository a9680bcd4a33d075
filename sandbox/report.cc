#include "sandbox/report.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "sandbox/kernel/syscalls.h"

namespace nacre::sandbox {
namespace {

// Without the status text, for all reports but the evidence.
constexpr size_t kShortBytes = offsetof(Report, status);

constexpr std::array<const char*, kNamespaceCount> kNamespacePaths = {
    "/proc/self/ns/user", "/proc/self/ns/mnt", "/proc/self/ns/pid",    "/proc/self/ns/net",
    "/proc/self/ns/ipc",  "/proc/self/ns/uts", "/proc/self/ns/cgroup", "/proc/self/ns/time"};

// As prlimit(1) and getrlimit(2) number them.
constexpr std::array<const char*, kResourceLimitCount> kResourceNames = {
    "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
    "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime"};

// The value behind "\nKEY:\t" in a /proc/PID/status text; empty when there is none.
std::string_view StatusField(std::string_view status, std::string_view key) {
  size_t at = 0;
  while (at < status.size()) {
    const size_t end = std::min(status.find('\n', at), status.size());
    const std::string_view line = status.substr(at, end - at);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      const size_t value = line.find_first_not_of(" \t", key.size() + 1);
      return value == std::string_view::npos ? std::string_view() : line.substr(value);
    }
    at = end + 1;
  }
  return {};
}

bool IsZeroSet(std::string_view hex) {
  return !hex.empty() && hex.find_first_not_of('0') == std::string_view::npos;
}

std::string_view StatusOf(const Report& evidence) {
  return {evidence.status.data(), std::min<size_t>(evidence.status_bytes, evidence.status.size())};
}

bool AreEmpty(std::string_view status, std::initializer_list<const char*> sets) {
  return std::all_of(sets.begin(), sets.end(),
                     [&](const char* set) { return IsZeroSet(StatusField(status, set)); });
}

// Takes the next number off the front; nullopt when there is none that fits.
std::optional<uint32_t> TakeNumber(std::string_view& text) {
  const size_t start = text.find_first_not_of(" \t");
  uint64_t value = 0;
  size_t at = start;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9' && value <= UINT32_MAX) {
    value = value * 10 + static_cast<uint64_t>(text[at++] - '0');
  }
  if (at == start || start == std::string_view::npos || value > UINT32_MAX) {
    return std::nullopt;
  }
  text.remove_prefix(at);
  return static_cast<uint32_t>(value);
}

bool IsMapOf(const IdMap& map, uint32_t inside, uint32_t outside) {
  return map == IdMap{.lines = 1, .inside = inside, .outside = outside, .count = 1};
}

// None but its own group, which an ordinary user's login names among them.
bool HasNoOtherGroups(std::string_view status, uint32_t own) {
  std::string_view groups = StatusField(status, "Groups");
  groups = groups.substr(0, groups.find('\n'));
  while (groups.find_first_not_of(" \t") != std::string_view::npos) {
    const auto group = TakeNumber(groups);
    if (!group || *group != own) {
      return false;
    }
  }
  return status.find("\nGroups:") != std::string_view::npos;
}

// All four ids: real, effective, saved and of the file system.
bool HasId(std::string_view status, const char* key, uint32_t id) {
  std::string_view ids = StatusField(status, key);
  for (int i = 0; i < 4; ++i) {
    if (TakeNumber(ids) != id) {
      return false;
    }
  }
  return true;
}

bool AreLimited(const Report& evidence, const LaunchPlan& plan) {
  return std::all_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    if (step.kind != StepKind::kResourceLimit) {
      return true;
    }
    // The hard limit of processor time is a second later: see child_setup.cc.
    const uint64_t grace = step.number == RLIMIT_CPU ? 1 : 0;
    return step.number < kResourceLimitCount && evidence.soft_limits[step.number] <= step.value &&
           evidence.hard_limits[step.number] <= step.value + grace;
  });
}

bool AreSeparate(const Report& evidence, const ExpectedEvidence& expected) {
  for (size_t i = 0; i < kNamespaceCount; ++i) {
    const bool must = ((expected.separate >> i) & 1) != 0;
    if (must && (evidence.namespaces[i] == 0 || evidence.namespaces[i] == expected.launcher[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

const char* EvidenceName(Evidence evidence) {
  static constexpr const char* kNames[kEvidenceCount] = {
      "id maps",      "groups",          "namespaces", "no_new_privs",
      "capabilities", "resource limits", "Landlock",   "seccomp"};
  return kNames[static_cast<uint32_t>(evidence)];
}

uint32_t SeparateNamespaces(uint64_t flags) {
  constexpr std::array<uint64_t, kNamespaceCount> kFlags = {
      CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,
      CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, kernel::kCloneNewTime};
  uint32_t bits = 0;
  for (size_t i = 0; i < kNamespaceCount; ++i) {
    bits |= (flags & kFlags[i]) != 0 ? 1U << i : 0U;
  }
  return bits;
}

IdMap ParseIdMap(std::string_view text) {
  IdMap map;
  const auto inside = TakeNumber(text);
  const auto outside = TakeNumber(text);
  const auto count = TakeNumber(text);
  if (!inside || !outside || !count || !text.starts_with('\n')) {
    return {};
  }
  map = {.lines = 1, .inside = *inside, .outside = *outside, .count = *count};
  map.lines += static_cast<uint32_t>(std::count(text.begin() + 1, text.end(), '\n'));
  return map;
}

std::optional<Evidence> FindMismatch(const Report& evidence, const ExpectedEvidence& expected,
                                     const LaunchPlan& plan, uint64_t checked) {
  const std::string_view status = StatusOf(evidence);
  const uint32_t inside = plan.inside_id;
  for (uint32_t i = 0; i < kEvidenceCount; ++i) {
    const auto part = static_cast<Evidence>(i);
    if ((checked & EvidenceBit(part)) == 0) {
      continue;
    }
    bool holds = false;
    switch (part) {
      case Evidence::kIdMaps:
        holds = IsMapOf(evidence.uids, inside, expected.outside.uid) &&
                IsMapOf(evidence.gids, inside, expected.outside.gid) &&
                HasId(status, "Uid", inside) && HasId(status, "Gid", inside);
        break;
      case Evidence::kGroups:
        holds = HasNoOtherGroups(status, inside);
        break;
      case Evidence::kNamespaces:
        holds = AreSeparate(evidence, expected);
        break;
      case Evidence::kNoNewPrivileges:
        holds = StatusField(status, "NoNewPrivs") == "1";
        break;
      case Evidence::kCapabilities:
        holds = AreEmpty(status, {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"});
        break;
      case Evidence::kResourceLimits:
        holds = AreLimited(evidence, plan);
        break;
      case Evidence::kLandlock:
        holds = evidence.landlock_denies != 0;
        break;
      case Evidence::kSeccomp:
        holds = StatusField(status, "Seccomp") == "2";
        break;
    }
    if (!holds) {
      return part;
    }
  }
  return std::nullopt;
}

void SendReport(int socket, const Report& report, int descriptor) {
  struct iovec part = {};
  part.iov_base = const_cast<Report*>(&report);
  part.iov_len = kShortBytes + std::min<size_t>(report.status_bytes, report.status.size());
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

std::optional<ReceivedReport> ReceiveReport(int socket, bool& closed) {
  ReceivedReport received;
  struct iovec part = {};
  part.iov_base = &received.report;
  part.iov_len = sizeof received.report;
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // A peer that died before it read what we sent resets, once; what it had said is behind that.
  } while (size < 0 && (errno == EINTR || errno == ECONNRESET));
  if (size < 0) {
    closed = errno != EAGAIN;
    return std::nullopt;
  }
  const struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    received.descriptor.reset(descriptor);
  }
  closed = static_cast<size_t>(size) < kShortBytes;
  if (closed) {
    return std::nullopt;
  }
  received.report.status_bytes = static_cast<uint32_t>(static_cast<size_t>(size) - kShortBytes);
  return received;
}

std::array<uint64_t, kNamespaceCount> OwnNamespaces() {
  std::array<uint64_t, kNamespaceCount> inodes = {};
  for (size_t i = 0; i < kNamespaceCount; ++i) {
    struct stat info = {};
    if (::stat(kNamespacePaths[i], &info) == 0) {
      inodes[i] = info.st_ino;
    }
  }
  return inodes;
}

EnforcedLayers ReadEvidence(const Report& evidence,
                            const std::array<uint64_t, kNamespaceCount>& outside,
                            int landlock_abi) {
  EnforcedLayers layers;
  for (size_t i = 0; i < kNamespaceCount; ++i) {
    if (evidence.namespaces[i] != 0 && outside[i] != 0 && evidence.namespaces[i] != outside[i]) {
      layers.namespaces.push_back(i == 1 ? "mount" : kNamespaceNames[i]);
    }
  }
  layers.landlock_abi = evidence.landlock_denies != 0 ? landlock_abi : 0;
  const std::string_view status = StatusOf(evidence);
  layers.seccomp = StatusField(status, "Seccomp") == "2";
  layers.no_new_privs = StatusField(status, "NoNewPrivs") == "1";
  layers.capabilities_empty = AreEmpty(status, {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"});
  const auto map_text = [](const IdMap& map) {
    return map.lines != 1 ? std::string()
                          : std::to_string(map.inside) + " " + std::to_string(map.outside) + " " +
                                std::to_string(map.count);
  };
  layers.uid_map = map_text(evidence.uids);
  layers.gid_map = map_text(evidence.gids);
  std::string_view groups = StatusField(status, "Groups");
  while (const auto group = TakeNumber(groups)) {
    layers.groups.push_back(*group);
  }
  for (size_t i = 0; i < kResourceLimitCount; ++i) {
    if (evidence.soft_limits[i] != RLIM_INFINITY) {
      layers.resource_limits.emplace(kResourceNames[i], evidence.soft_limits[i]);
    }
  }
  return layers;
}

}  // namespace nacre::sandbox
