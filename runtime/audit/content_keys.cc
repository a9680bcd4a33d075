#include "runtime/audit/content_keys.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>

#include "base/digest.h"
#include "base/file.h"
#include "base/ids.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

constexpr size_t kIdBytes = 8;

bool IsId(std::string_view id) {
  return id.size() == 2 * kIdBytes && std::all_of(id.begin(), id.end(), [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

std::string RandomBytes(size_t count, Random& random) {
  std::string bytes(count, '\0');
  random.Fill(std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
  return bytes;
}

}  // namespace

ContentKey::~ContentKey() {
  OPENSSL_cleanse(secret.data(), secret.size());
}

ContentKeys::ContentKeys(const std::string& directory) : folder_(BesideLog(directory, "-keys")) {}

std::string ContentKeys::Path(const std::string& session, const std::string& id) const {
  return folder_ + "/" + session + "." + id;
}

bool ContentKeys::Exist() const {
  struct stat info {};
  return ::stat(folder_.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<ContentKey> ContentKeys::Make(const std::string& session, Random& random,
                                     Storage& storage) const {
  if (!IsUlid(session)) {
    return Error{ErrorCode::kInvalidArgument, "content is of a session, and this has none"};
  }
  NACRE_TRY(MakeDirectories(folder_));
  // Also when another process made it: that one may not have come to this yet.
  NACRE_TRY(storage.SyncDirectory(std::filesystem::path(folder_).parent_path().string()));
  ContentKey key(ToHex(RandomBytes(kIdBytes, random)), RandomBytes(kContentKeyBytes, random));
  if (Status written = storage.Replace(Path(session, key.id), key.secret, 0600); !written.ok()) {
    return WithContext("the key of a session's contents", written.error());
  }
  return key;
}

bool ContentKeys::Has(const std::string& session, const std::string& id) const {
  return Find(session, id).ok();
}

Result<ContentKey> ContentKeys::Find(const std::string& session, const std::string& id) const {
  const Error none{ErrorCode::kNotFound, "no such key"};
  if (!IsUlid(session) || !IsId(id)) {  // both are names that a record gave
    return none;
  }
  std::string secret = NACRE_TRY(ReadRegularFile(Path(session, id), kContentKeyBytes));
  if (secret.size() != kContentKeyBytes) {
    return Error{ErrorCode::kDataLoss, Path(session, id) + " is no key"};
  }
  // What a crash left of Destroy(): no key is made of zeros.
  if (secret.find_first_not_of('\0') == std::string::npos) {
    return none;
  }
  return ContentKey(id, std::move(secret));
}

Status ContentKeys::ForEach(
    const std::function<void(const std::string& session, const std::string& id)>& visit) const {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const size_t dot = name.find('.');
    if (dot != std::string::npos && IsUlid(name.substr(0, dot)) && IsId(name.substr(dot + 1))) {
      visit(name.substr(0, dot), name.substr(dot + 1));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error{ErrorCode::kUnavailable, folder_ + ": " + error.message()};
  }
  return Ok();
}

Result<std::vector<std::string>> ContentKeys::IdsOf(const std::string& session) const {
  std::vector<std::string> ids;
  NACRE_TRY(ForEach([&](const std::string& of, const std::string& id) {
    if (of == session) {
      ids.push_back(id);
    }
  }));
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<std::vector<std::string>> ContentKeys::Sessions() const {
  std::vector<std::string> sessions;
  NACRE_TRY(ForEach(
      [&](const std::string& session, const std::string&) { sessions.push_back(session); }));
  std::sort(sessions.begin(), sessions.end());
  sessions.erase(std::unique(sessions.begin(), sessions.end()), sessions.end());
  return sessions;
}

Status ContentKeys::Destroy(const std::string& session, Storage& storage) const {
  const std::vector<std::string> ids = NACRE_TRY(IdsOf(session));
  for (const std::string& id : ids) {
    {
      const UniqueFd file = NACRE_TRY(storage.Open(Path(session, id), false));
      NACRE_TRY(storage.Write(file.get(), std::string(kContentKeyBytes, '\0'), 0));
      NACRE_TRY(storage.Sync(file.get()));
    }
    NACRE_TRY(storage.Remove(Path(session, id)));
  }
  return ids.empty() ? Ok() : storage.SyncDirectory(folder_);
}

}  // namespace nacre::audit
