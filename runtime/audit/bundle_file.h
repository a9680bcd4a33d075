// The files that hold a log's records: which there are, whatever else is in the directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/audit/storage.h"

namespace nacre::audit {

// What a compressed bundle's name ends with: one zstd frame. Where both are there, the plain one counts.
inline constexpr char kCompressedSuffix[] = ".zst";

bool HasPlainBundle(const std::string& directory, uint64_t number);
// In either form.
bool HasBundle(const std::string& directory, uint64_t number);
// How many bytes its file has; 0 when there is none.
uint64_t BundleFileBytes(const std::string& directory, uint64_t number);
// All that a bundle holds. kNotFound when there is none, kDataLoss when it is too long or not what was compressed.
Result<std::string> ReadBundle(const std::string& directory, uint64_t number);

// The lowest number of a bundle that is there, nullopt when there is none. One stat(2) while the log has its first
// records; of a log that was pruned it reads the names in some folders. What is no bundle's name is passed over.
std::optional<uint64_t> FirstBundle(const std::string& directory);

// ok as well when it is not there. Its name is gone from the disk only after SyncDirectory() of its folder.
Status RemoveBundle(const std::string& directory, uint64_t number, Storage& storage);

}  // namespace nacre::audit
