// Registry: the tools that exist on this host. Filled by visible calls at start, then immutable.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tools/manifest.h"

namespace nacre::tools {

// Thread-safe once filled.
class Registry final {
 public:
  // Adds every sub-directory of `root` that holds a tool.yaml, sorted by name. A bad manifest is an
  // error, never a tool that is silently missing. kAlreadyExists when a name is taken, kNotFound when there is no tool.
  Status AddDirectory(const std::string& root, bool builtin);
  // One that no directory holds. The same errors.
  Status Add(Manifest manifest);

  const Manifest* Find(const std::string& name) const;
  // Sorted by name: the order in which engines are told of them (prefix caches want it stable).
  const std::vector<Manifest>& all() const { return manifests_; }

 private:
  std::vector<Manifest> manifests_;
};

}  // namespace nacre::tools
