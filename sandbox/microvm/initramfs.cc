#include "sandbox/microvm/initramfs.h"

#include <sys/stat.h>

#include <cstdio>

namespace nacre::sandbox::microvm {
namespace {

constexpr char kTrailer[] = "TRAILER!!!";

void Pad(std::string& archive) {
  archive.append((4 - archive.size() % 4) % 4, '\0');
}

void Append(std::string& archive, size_t number, const ArchiveFile& file) {
  const unsigned mode = file.is_folder ? S_IFDIR | 0500 : S_IFREG | 0500;
  char header[111];
  std::snprintf(header, sizeof header,
                "070701%08zX%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", number, mode, 0U,
                0U, file.is_folder ? 2U : 1U, 0U, file.content.size(), 0U, 0U, 0U, 0U,
                file.path.size() + 1, 0U);
  archive += header;
  archive += file.path;
  archive += '\0';
  Pad(archive);
  archive += file.content;
  Pad(archive);
}

}  // namespace

Result<std::string> MakeInitramfs(const std::vector<ArchiveFile>& files) {
  std::string archive;
  size_t number = 1;
  for (const ArchiveFile& file : files) {
    if (file.content.size() > kInitramfsBytesMax ||
        archive.size() + file.content.size() > kInitramfsBytesMax) {
      return Error{ErrorCode::kResourceExhausted,
                   "the files of a microVM's start are larger than " +
                       std::to_string(kInitramfsBytesMax >> 20) + " MiB"};
    }
    Append(archive, number++, file);
  }
  Append(archive, 0, {.path = kTrailer, .content = {}, .is_folder = false});
  return archive;
}

}  // namespace nacre::sandbox::microvm
