#include "sandbox/report.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace nacre::sandbox {
namespace {

// Without the status text, for all reports but the evidence.
constexpr size_t kShortBytes = offsetof(Report, status);

constexpr std::array<const char*, kNamespaceCount> kNamespacePaths = {
    "/proc/self/ns/user", "/proc/self/ns/mnt", "/proc/self/ns/pid",   "/proc/self/ns/net",
    "/proc/self/ns/ipc",  "/proc/self/ns/uts", "/proc/self/ns/cgroup"};

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

}  // namespace

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
  } while (size < 0 && errno == EINTR);
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
  const std::string_view status(evidence.status.data(),
                                std::min<size_t>(evidence.status_bytes, evidence.status.size()));
  layers.seccomp = StatusField(status, "Seccomp") == "2";
  layers.no_new_privs = StatusField(status, "NoNewPrivs") == "1";
  layers.capabilities_empty = true;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    layers.capabilities_empty = layers.capabilities_empty && IsZeroSet(StatusField(status, set));
  }
  return layers;
}

}  // namespace nacre::sandbox
