// The keys under which sessions' contents are kept in a log. They lie beside the log, not in it, so that a copy of the log
// has none of them; whoever destroys a session's keys has erased its contents, from every copy.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

constexpr size_t kContentKeyBytes = 32;

// Of a session; it may have several. The memory is wiped at its end.
struct ContentKey {
  std::string id;  // 16 hexadecimal digits
  std::string secret;

  ContentKey() = default;
  ContentKey(std::string key_id, std::string key_secret)
      : id(std::move(key_id)), secret(std::move(key_secret)) {}
  ContentKey(const ContentKey&) = default;
  ContentKey(ContentKey&&) = default;
  ContentKey& operator=(const ContentKey&) = default;
  ContentKey& operator=(ContentKey&&) = default;
  ~ContentKey();
};

// A folder of them, 0700: SESSION.ID, 0600, 32 bytes each. Stateless, so thread-safe.
class ContentKeys final {
 public:
  // Those of the log in `directory`: the folder beside it with "-keys" after its name. Nothing is made.
  explicit ContentKeys(const std::string& directory);

  const std::string& folder() const { return folder_; }
  // Whether there is such a folder at all: a copy of a log has none.
  bool Exist() const;
  // A new one, durable once ok. kInvalidArgument unless `session` is a ULID.
  Result<ContentKey> Make(const std::string& session, Random& random, Storage& storage) const;
  // kNotFound when it was destroyed, also when only its bytes are, or never was here.
  Result<ContentKey> Find(const std::string& session, const std::string& id) const;
  bool Has(const std::string& session, const std::string& id) const;
  // The ids of those of a session, sorted.
  Result<std::vector<std::string>> IdsOf(const std::string& session) const;
  // The sessions that have some, sorted.
  Result<std::vector<std::string>> Sessions() const;
  // Overwritten, then removed; neither comes back after a crash once ok. What the file system or the device kept of the
  // bytes elsewhere is beyond it.
  Status Destroy(const std::string& session, Storage& storage) const;

 private:
  Status ForEach(
      const std::function<void(const std::string& session, const std::string& id)>& visit) const;
  std::string Path(const std::string& session, const std::string& id) const;

  std::string folder_;
};

}  // namespace nacre::audit
