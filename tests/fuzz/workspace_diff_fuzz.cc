// Call layers and journals from hostile bytes. The bytes are a little program that builds an upper
// layer in a fresh folder, or changes a copy of a workspace; reading it never crashes, stays within the
// limits, and whatever it says can be written down and read back. The same bytes are also read as a
// journal's header.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/temp_dir.h"
#include "sandbox/kernel/tree_copy.h"
#include "sandbox/workspace/call_layer.h"
#include "sandbox/workspace/journal.h"
#include "sandbox/workspace/line_diff.h"

using namespace nacre;
using namespace nacre::sandbox;

namespace {

// Does in `folder` what the bytes say.
void Play(std::string_view text, const std::string& folder) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t i = 0; i + 3 < text.size() && i < 4 * 200; i += 4) {
    std::string path = folder + "/" + std::string(1, static_cast<char>('a' + bytes[i + 1] % 4));
    if ((bytes[i + 2] & 0x80U) != 0) {
      path +=
          "/" +
          std::string(1, static_cast<char>(bytes[i + 2] % 4 == 3 ? 0xFF : 'a' + bytes[i + 2] % 3));
    }
    switch (bytes[i] % 9) {
      case 0:
        ::mkdir(path.c_str(), bytes[i + 3] % 2 == 0 ? 0700 : 0000);
        break;
      case 1:
        ::mknod(path.c_str(), S_IFCHR, 0);
        break;
      case 2:
        ::mkfifo(path.c_str(), 0600);
        break;
      case 3:
        // To nothing that there is: what follows is written through it.
        (void)!::symlink(("no/" + std::string(text.substr(i + 1, 3))).c_str(), path.c_str());
        break;
      case 4:
        ::setxattr(path.c_str(), "user.overlay.opaque", "y", bytes[i + 3] % 2, 0);
        break;
      case 5:
        ::setxattr(path.c_str(), "user.overlay.redirect", &bytes[i + 3], 1, 0);
        break;
      case 6:
        ::chmod(path.c_str(), static_cast<mode_t>(bytes[i + 3]) << 4U);
        break;
      case 7:
        (void)!::link((folder + "/a/c").c_str(), path.c_str());
        break;
      default: {
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0644);
        if (file >= 0) {
          (void)!::ftruncate(file, bytes[i + 3] * 16);
          ::close(file);
        }
      }
    }
  }
}

// What the input made unreadable has to go again.
void MakeRemovable(const std::string& folder) {
  std::error_code ignored;
  for (const char* each : {"", "/a", "/b", "/c", "/d"}) {
    std::filesystem::permissions(folder + each, std::filesystem::perms::owner_all, ignored);
  }
}

void Check(const Result<Diff>& diff, const DiffLimits& limits) {
  if (!diff.ok()) {
    return;
  }
  uint64_t total = 0;
  for (const Change& change : diff.value().changes) {
    total += change.before.size + change.after.size;
    const Json written = Json::parse(DumpJson(EntryToJson(change.after)));
    if (!IsTreePath(change.path) || change.after.type == EntryType::kOther ||
        !SameContent(EntryFromJson(written).value(), change.after)) {
      std::abort();
    }
  }
  if (diff.value().changes.size() > limits.changes || total > limits.bytes) {
    std::abort();
  }
}

UniqueFd Folder(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  (void)ParseJournalHeader(text, 1000);
  (void)DecodePath(text);
  if (DecodePath(EncodePath(text)).value() != text) {
    std::abort();
  }
  (void)DiffLines(text.substr(0, size / 2), text.substr(size / 2));

  const DiffLimits limits{.changes = 8, .bytes = 4096};
  const TempDir directory = TempDir::Create().value();
  const std::string upper = directory.path() + "/upper";
  const std::string workspace = directory.path() + "/workspace";
  const std::string copy = directory.path() + "/copy";
  for (const std::string& each : {upper, workspace, copy}) {
    ::mkdir(each.c_str(), 0755);
  }
  ::mkdir((upper + "/a").c_str(), 0755);
  ::mkdir((workspace + "/a").c_str(), 0755);
  std::ofstream(workspace + "/a/b") << "b";
  {
    Play(text, upper);
    const TreeRoot root = TreeRoot::Open(workspace).value();
    Check(CallLayer::OfOverlay(Folder(upper)).ReadDiff(root, limits), limits);
  }
  // The first half makes the workspace of a copy; the second is what the call does to it.
  Play(text.substr(0, size / 2), workspace);
  if (kernel::CopyTree(Folder(workspace).get(), Folder(copy).get(), {.bytes = 1 << 16}) == 0) {
    const TreeRoot root = TreeRoot::Open(workspace).value();
    const CallLayer layer = CallLayer::OfCopy(Folder(copy)).value();
    const Result<Diff> nothing = layer.ReadDiff(root, limits);
    if (!nothing.ok() || !nothing.value().empty()) {
      std::abort();
    }
    Play(text.substr(size / 2), copy);
    Check(layer.ReadDiff(root, limits), limits);
  }
  for (const std::string& each : {upper, workspace, copy}) {
    MakeRemovable(each);
  }
  return 0;
}
