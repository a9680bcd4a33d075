// The files that hold a log's records: which there are, whatever else is in the directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

// What a compressed bundle's name ends with: one zstd frame. Where both are there, the plain one counts.
inline constexpr char kCompressedSuffix[] = ".zst";

bool HasPlainBundle(const std::string& directory, uint64_t number);
// In either form.
bool HasBundle(const std::string& directory, uint64_t number);
// The zstd frame of a compressed one, as it is. kNotFound when there is none.
Result<std::string> ReadFrame(const std::string& directory, uint64_t number);
// What that frame holds. kNotFound as well, kDataLoss when it is too long or not what was compressed.
Result<std::string> ReadCompressedBundle(const std::string& directory, uint64_t number);
// How many bytes its file has; 0 when there is none.
uint64_t BundleFileBytes(const std::string& directory, uint64_t number);
// All that a bundle holds. kNotFound when there is none, kDataLoss when it is too long or not what was compressed.
Result<std::string> ReadBundle(const std::string& directory, uint64_t number);

// The lowest number, from `from` on, of a bundle that is there; nullopt when there is none. One stat(2) when `from`
// is there; else the names in some folders are read. What is no bundle's name is passed over.
std::optional<uint64_t> BundleFrom(const std::string& directory, uint64_t from);
inline std::optional<uint64_t> FirstBundle(const std::string& directory) {
  return BundleFrom(directory, 0);
}

// The bundles from `first` to before `end`.
struct BundleRange {
  uint64_t first = 0;
  uint64_t end = 0;

  friend bool operator==(const BundleRange&, const BundleRange&) = default;
};
// Those of a range that are there, ascending: no more than there are files, however far a signature says that the
// log goes. One stat(2) each, and for a gap the names in some folders. What is missing is added to *gaps.
std::vector<uint64_t> BundlesThere(const std::string& directory, const BundleRange& range,
                                   std::vector<BundleRange>* gaps);

// ok as well when it is not there. Its name is gone from the disk only after SyncDirectory() of its folder.
Status RemoveBundle(const std::string& directory, uint64_t number, Storage& storage);

}  // namespace nacre::audit
