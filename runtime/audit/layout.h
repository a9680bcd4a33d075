// Where things lie in an audit log's directory: the layout of C2SP tlog-tiles
// (c2sp.org/tlog-tiles), so that programs which are not ours can read it, and our own files beside it.
//
//   tile/entries/NNN     an entry bundle: 256 records, each after its length in two bytes, big-endian.
//                        The newest one grows in place: only ever appended to, synced before anyone
//                        may act on a record. Full ones never change
//   tile/entries/NNN.zst a full bundle that was compressed: one zstd frame (bundle_codec.h)
//   tile/L/NNN           a full hash tile: 256 hashes of the tree's level 8 L
//   tile/.../NNN.p/W     the first W of an unfinished one, as the newest `checkpoint` needs them
//   checkpoints          every checkpoint, each followed by an empty line, only ever appended to
//   checkpoint           the newest of them, replaced atomically
//   head                 a checkpoint over everything durable, overwritten after each commit. Not
//                        synced: it outlives kill -9; after a power failure it may be older, never
//                        newer, than the records
//   key, key.pub         the log's Ed25519 key (0600) and its public half
//   keys                 absent until the key is changed: the first key, and each change (key_chain.h)
//   key.next             a new key until the change to it is complete, then nothing
//   pruned               absent until records were pruned: the index of the record that says so (pruning.h)
//   lock                 empty; writers take turns through an open-file-description lock on it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nacre::audit {

constexpr char kLockFile[] = "lock";
constexpr char kCheckpointsFile[] = "checkpoints";
constexpr char kCheckpointFile[] = "checkpoint";
constexpr char kHeadFile[] = "head";
constexpr char kKeyFile[] = "key";
constexpr char kPublicKeyFile[] = "key.pub";
constexpr char kKeysFile[] = "keys";
constexpr char kNextKeyFile[] = "key.next";
constexpr char kPrunedFile[] = "pruned";
// What the log was before it had this layout.
constexpr char kFormerRecordsFile[] = "records.jsonl";

// Entries of a bundle and hashes of a tile: fixed by the format.
constexpr uint64_t kTileWidth = 256;
constexpr uint64_t kTileBytes = kTileWidth * 32;
// A tree of 2^64 records has no more levels of tiles.
constexpr int kTileLevelsMax = 8;

// 1234067 is "x001/x234/067": never more than a thousand files in a folder.
std::string TileNumberPath(uint64_t number);

// Relative to the log's directory. `width` 0 is the whole one, 1 to 255 the partial one.
std::string BundlePath(uint64_t number, uint64_t width = 0);
std::string TilePath(int level, uint64_t number, uint64_t width = 0);

// What nacre keeps of the log in `directory` and not in it, so that no copy of the log has it: the log's name
// with `suffix` after it.
std::string BesideLog(std::string directory, std::string_view suffix);

}  // namespace nacre::audit
