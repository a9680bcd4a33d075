#include "runtime/agent/approval.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/digest.h"
#include "base/safe_text.h"
#include "base/unique_fd.h"
#include "runtime/audit/record_format.h"

namespace nacre::agent {
namespace {

constexpr size_t kApprovalFilesMax = 256;
constexpr size_t kApprovalNamesBytesMax = 24 * 1024;  // with the digests less than a record holds
constexpr int64_t kApprovalFileBytesMax = 64LL << 20;
constexpr const char* kAbsent = "absent";
constexpr const char* kBehindLink = "behind a link";

std::string DigestOf(int fd, struct stat& status) {
  Sha256Stream stream;
  std::array<char, 65536> buffer;
  // It may grow while it is read.
  for (int64_t bytes = 0; std::max<int64_t>(status.st_size, bytes) <= kApprovalFileBytesMax;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0) {
      return "unreadable";
    }
    if (count == 0) {
      return "sha256:" + ToHex(stream.Finish());
    }
    stream.Update({buffer.data(), static_cast<size_t>(count)});
    bytes += count;
  }
  if (::fstat(fd, &status) != 0) {
    return "unreadable";
  }
  return "large: " + std::to_string(status.st_size) + " bytes, changed " +
         std::to_string(status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec);
}

// Why the folder `name` of `folder` could not be opened.
std::string WhyNoFolder(int folder, const std::string& name, int error) {
  struct stat status = {};
  if (error == ENOENT || error == ENAMETOOLONG) {
    return kAbsent;
  }
  if ((error != ELOOP && error != ENOTDIR) ||
      ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return "unreadable";
  }
  return S_ISLNK(status.st_mode) ? kBehindLink : kAbsent;  // below a file there is nothing
}

// `relative`: below the workspace, normal. Each folder on the way is opened without following links.
std::string DigestOfFile(const std::string& workspace, const std::string& relative) {
  UniqueFd folder(::open(workspace.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string name = relative;
  for (size_t slash = name.find('/'); folder.valid() && slash != std::string::npos;
       slash = name.find('/')) {
    const std::string part = name.substr(0, slash);
    UniqueFd below(
        ::openat(folder.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below.valid()) {
      return WhyNoFolder(folder.get(), part, errno);
    }
    folder = std::move(below);
    name = name.substr(slash + 1);
  }
  struct stat status = {};
  if (!folder.valid()) {
    return "unreadable";
  }
  if (::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT || errno == ENAMETOOLONG ? kAbsent : "unreadable";
  }
  if (S_ISLNK(status.st_mode)) {
    std::array<char, 4096> target;
    const ssize_t length = ::readlinkat(folder.get(), name.c_str(), target.data(), target.size());
    return length < 0 ? "unreadable"
                      : "link: " + Sha256Text({target.data(), static_cast<size_t>(length)});
  }
  if (!S_ISREG(status.st_mode)) {
    return S_ISDIR(status.st_mode) ? "folder" : "unreadable";
  }
  const UniqueFd file(
      ::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return "unreadable";
  }
  return DigestOf(file.get(), status);
}

// Every text of the arguments.
void CollectTexts(const Json& value, std::vector<std::string>& texts) {
  if (value.is_string()) {
    texts.push_back(value.get<std::string>());
  } else if (value.is_structured()) {
    for (const Json& member : value) {
      CollectTexts(member, texts);
    }
  }
}

// One character, and where the next begins. What is no UTF-8 is one byte, as 0xFFFD.
std::pair<uint32_t, size_t> CharacterAt(std::string_view text, size_t at) {
  const Character next = DecodeUtf8(text.substr(at));
  return next.bytes == 0 ? std::pair<uint32_t, size_t>(0xFFFD, at + 1)
                         : std::pair<uint32_t, size_t>(next.code, at + next.bytes);
}

// Scripts and blocks with letters, digits or signs that look like ASCII.
bool MayBeTakenForAscii(uint32_t c) {
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  static constexpr std::array<Range, 14> kRanges = {{
      {0x0131, 0x0131},    // dotless i
      {0x0180, 0x02AF},    // Latin Extended-B, IPA
      {0x0370, 0x052F},    // Greek, Cyrillic
      {0x0530, 0x058F},    // Armenian
      {0x13A0, 0x13FF},    // Cherokee
      {0x1C80, 0x1C8F},    // Cyrillic Extended-C
      {0x1D00, 0x1DBF},    // phonetic letters
      {0x2010, 0x2015},    // hyphens
      {0x2024, 0x2024},    // one dot leader
      {0x2044, 0x2044},    // fraction slash
      {0x2100, 0x218F},    // letterlike, numbers
      {0xA4D0, 0xA4FF},    // Lisu
      {0xFF01, 0xFF5E},    // fullwidth
      {0x1D400, 0x1D7FF},  // mathematical
  }};
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

bool IsAsciiWord(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

ApprovalSubject NameApproval(const ToolCall& call, const std::string& workspace) {
  return {.tool = call.tool->name,
          .arguments_digest = Sha256Text(DumpJson(call.request.arguments)),
          .workspace = workspace,
          .files = {},
          .unbound = {}};
}

ApprovalSubject DescribeApproval(const ToolCall& call, const std::string& workspace) {
  ApprovalSubject subject = NameApproval(call, workspace);
  std::vector<std::string> named;
  for (const policy::PathArgument& argument : call.request.paths) {
    named.push_back(argument.path);
  }
  const size_t arguments = named.size();
  CollectTexts(call.request.arguments, named);
  const std::string root = std::string(kWorkspaceTarget) + "/";
  size_t names_bytes = 0;
  for (size_t i = 0; i < named.size() && subject.unbound.empty(); ++i) {
    const std::string path = NormalizePath(named[i], {workspace, ""});
    const bool known = std::any_of(subject.files.begin(), subject.files.end(),
                                   [&](const ApprovedFile& file) { return file.path == path; });
    if (known || path.rfind(root, 0) != 0 || path.find('\0') != std::string::npos) {
      continue;
    }
    std::string digest = DigestOfFile(workspace, path.substr(root.size()));
    // A text that names nothing is just a text; a path argument may be made meanwhile.
    if (i >= arguments && digest == kAbsent) {
      continue;
    }
    names_bytes += DumpJson(Json(audit::RecordKey(path))).size();
    if (names_bytes > kApprovalNamesBytesMax) {
      subject.unbound = "the names of the files in the call have together more than " +
                        std::to_string(kApprovalNamesBytesMax) + " bytes; name fewer";
    } else if (digest == kBehindLink) {
      subject.unbound = path +
                        " is behind a link to another folder, so it may be swapped unnoticed; " +
                        "name it by its own path";
    } else if (subject.files.size() == kApprovalFilesMax) {
      subject.unbound = "the call names more than " + std::to_string(kApprovalFilesMax) +
                        " files, too many for one approval; name fewer";
    } else {
      subject.files.push_back({path, std::move(digest)});
    }
  }
  return subject;
}

Json ToJson(const ApprovalSubject& subject) {
  Json files = Json::object();
  for (const ApprovedFile& file : subject.files) {
    files[audit::RecordKey(file.path)] = file.digest;
  }
  Json json = {{"tool", subject.tool},
               {"arguments_digest", subject.arguments_digest},
               {"workspace", subject.workspace},
               {"files", std::move(files)}};
  json["digest"] = Sha256Text(DumpJson(json));
  return json;
}

std::string ShowConfusables(std::string_view text) {
  std::string shown;
  for (size_t at = 0; at < text.size();) {
    // A word: letters of ASCII and whatever is not ASCII.
    size_t end = at;
    bool ascii = false;
    while (end < text.size()) {
      const auto [character, next] = CharacterAt(text, end);
      if (character < 0x80 && !IsAsciiWord(character)) {
        break;
      }
      ascii = ascii || character < 0x80;
      end = next;
    }
    if (end == at) {
      shown += text[at++];
      continue;
    }
    while (at < end) {
      const auto [character, next] = CharacterAt(text, at);
      if (character >= 0x80 && (MayBeTakenForAscii(character) || (ascii && character >= 0x250))) {
        std::array<char, 16> code = {};
        std::snprintf(code.data(), code.size(), "\\u{%X}", static_cast<unsigned>(character));
        shown += code.data();
      } else {
        shown += text.substr(at, next - at);
      }
      at = next;
    }
  }
  return shown;
}

}  // namespace nacre::agent
