// User namespaces: the one uid and gid that a call runs as, and the mounts that are seen through
// other ids.
//
// A call's namespace maps exactly one id. Inside it is always kInsideId; outside it is the caller's
// own id, or for a root caller an id that owns nothing.
//
// Source: user_namespaces(7), "Unmapped user and group IDs"; mount_setattr(2), "ID-mapped mounts".
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sandbox::kernel {

inline constexpr uid_t kInsideId = 1000;
// "nobody": what a root caller's calls are on the host.
inline constexpr uid_t kUnprivilegedId = 65534;

// The ids that a process has on the host.
struct Ids {
  uid_t uid = kUnprivilegedId;
  gid_t gid = kUnprivilegedId;

  friend auto operator<=>(const Ids&, const Ids&) = default;
};

// As whom a root caller's call uses a device of the host: as nobody, in the device's group where that
// lets in its members and others are kept out. Never in root's group. Pure.
Ids IdsForDevice(const struct stat& device);

// What this process may make of other ids.
enum class Standing {
  kUser =
      0,  // its own ids only. Also root of a user namespace that maps nothing but root (unshare -r)
  kRoot,  // any: it runs calls as an id that owns nothing
  kPowerlessRoot,  // root of the host, or its equal, without that: its calls would be root as well
};
Standing OwnStanding();

// What `inside` is on the other side of an id map, as /proc/PID/uid_map has it; nullopt: nothing, or
// the text is no map. Pure.
std::optional<uint32_t> OutsideOf(std::string_view map, uint32_t inside);

// Whether an id map leaves out no id. Pure.
bool MapsEveryId(std::string_view map);

// What owners look like that this process's user namespace does not map; nullopt: it maps all. Whoever
// really is that one cannot be told from them.
struct Unmapped {
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
};
Unmapped HowUnmappedLook();

// Maps `inside` to `outside` in the user namespace of process `pid`, which still waits for it. Needs
// root: an unprivileged caller's child maps its own ids. 0 or -errno.
int WriteIdMaps(pid_t pid, const Ids& inside, const Ids& outside);

// User namespaces that only hold a mapping for MOUNT_ATTR_IDMAP. Needs root. Thread-safe.
class IdMappings final {
 public:
  // A namespace through which files of `on_disk` look as if they were `seen_as`, and files that
  // `seen_as` creates are stored as those of `on_disk`. Valid while this object lives.
  Result<int> Get(const Ids& on_disk, const Ids& seen_as);

 private:
  std::mutex mutex_;
  std::map<std::pair<Ids, Ids>, UniqueFd> namespaces_;  // guarded by mutex_
};

}  // namespace nacre::sandbox::kernel
