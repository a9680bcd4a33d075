#include "base/account.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

namespace nacre {
namespace {

constexpr size_t kEntryBytesMax = 1U << 20;  // a group may list thousands of members
constexpr int kGroupsMax = 65'536;           // NGROUPS_MAX

// Calls a getXXX_r() with a buffer that is large enough.
template <typename Lookup>
auto WithBuffer(const Lookup& lookup) {
  std::vector<char> buffer(4096);
  while (true) {
    auto answer = lookup(buffer);
    if (answer.has_value() || buffer.size() >= kEntryBytesMax) {
      return answer;
    }
    buffer.resize(buffer.size() * 2);
  }
}

}  // namespace

Account AccountOf(uid_t uid) {
  const auto entry = WithBuffer([&](std::vector<char>& buffer) -> std::optional<Account> {
    passwd storage = {};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(uid, &storage, buffer.data(), buffer.size(), &found);
    if (error == ERANGE) {
      return std::nullopt;
    }
    return found == nullptr ? Account{uid, static_cast<gid_t>(-1), {}}
                            : Account{uid, found->pw_gid, found->pw_name};
  });
  Account account = entry.value_or(Account{uid, static_cast<gid_t>(-1), {}});
  if (account.name.empty()) {
    account.name = "uid " + std::to_string(uid);
  }
  return account;
}

Result<gid_t> GroupNamed(const std::string& group) {
  const auto found = WithBuffer([&](std::vector<char>& buffer) -> std::optional<Result<gid_t>> {
    struct group storage = {};
    struct group* entry = nullptr;
    const int error = ::getgrnam_r(group.c_str(), &storage, buffer.data(), buffer.size(), &entry);
    if (error == ERANGE) {
      return std::nullopt;
    }
    if (entry == nullptr) {
      return Result<gid_t>(Error{ErrorCode::kNotFound, "this host has no group \"" + group + "\""});
    }
    return Result<gid_t>(entry->gr_gid);
  });
  return found.has_value()
             ? *found
             : Result<gid_t>(Error{ErrorCode::kResourceExhausted,
                                   "the entry of the group \"" + group + "\" is too large"});
}

bool IsInGroup(const Account& account, const std::string& group) {
  const Result<gid_t> wanted = GroupNamed(group);
  if (!wanted.ok() || account.gid == static_cast<gid_t>(-1)) {
    return false;
  }
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(account.name.c_str(), account.gid, groups.data(), &count) < 0) {
    if (count <= static_cast<int>(groups.size()) || count > kGroupsMax) {
      return false;
    }
    groups.resize(static_cast<size_t>(count));
  }
  groups.resize(static_cast<size_t>(count));
  return std::find(groups.begin(), groups.end(), wanted.value()) != groups.end();
}

}  // namespace nacre
