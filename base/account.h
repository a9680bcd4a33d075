// Accounts and groups of the host, as its name service knows them (passwd, LDAP, ...). A lookup may
// read files or ask a server: not for threads that must not wait. Thread-safe.
//
// Source: getpwuid_r(3), getgrouplist(3), getgrnam_r(3).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace nacre {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;     // its primary group
  std::string name;  // "alice"; "uid 1000" where the host has no name for it
};

// Never fails: an account without an entry is one that is in no group and has no name of its own.
Account AccountOf(uid_t uid);

// False also where the group does not exist.
bool IsInGroup(const Account& account, const std::string& group);

// kNotFound: there is no such group.
Result<gid_t> GroupNamed(const std::string& group);

}  // namespace nacre
