// Ownership: to whom the files of a workspace belong, and to whom this process may make one belong.
//
// A call knows one user and one group. Through an overlay it can change only what is theirs: the kernel
// answers EOVERFLOW for the rest. In a copy everything is the call's, and the commit gives a changed
// file back to its owner, where this process may.
//
// Source: chown(2); fs/overlayfs/copy_up.c, ovl_copy_up_one().
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel_token.h"
#include "sandbox/kernel/user_namespace.h"

namespace nacre::sandbox {

// The owners that this process may give to a file of its own: as root any, else itself, with any of
// its groups. Never what owners look like that its user namespace does not know, in a container, say: a
// file of such a one would go to whoever has that id. A value.
class GivableOwners final {
 public:
  static GivableOwners OfThisProcess();
  GivableOwners(const kernel::Ids& self, std::vector<gid_t> groups,
                kernel::Standing standing = kernel::Standing::kUser,
                const kernel::Unmapped& unmapped = {});

  const kernel::Ids& self() const { return self_; }
  bool MayGive(const kernel::Ids& owner) const;
  // Whether these are the only ones that it may give.
  bool IsOnly(const kernel::Ids& owner) const;

 private:
  kernel::Ids self_;
  bool any_ = false;
  kernel::Unmapped unmapped_;
  std::vector<gid_t> groups_;  // the others
};

// What a copy may take.
struct CopyRoom {
  uint64_t bytes = 0;
  uint64_t entries = 0;
};

// Until when one looks: a large workspace, or one that answers slowly, must not keep a call for ever.
struct Patience {
  const CancelToken& cancel;
  std::chrono::steady_clock::time_point until;

  bool ended() const { return cancel.cancelled() || std::chrono::steady_clock::now() >= until; }
};

// Whether a call that sees files of `seen` as its own had better work on a copy of the workspace: it
// holds something of another owner that a commit could give back, and a copy of it fits. Follows no
// link and leaves the file system of the workspace alone that others are mounted on. Looks at
// `room.entries` entries at most, and at none when `patience` has ended. False where it cannot be told:
// then an overlay keeps what is another's from changes.
bool IsBetterCopied(const std::string& workspace, const kernel::Ids& seen,
                    const GivableOwners& givable, const CopyRoom& room, const Patience& patience);

}  // namespace nacre::sandbox
