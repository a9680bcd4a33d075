#include "runtime/audit/content_seal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <span>

#include "base/digest.h"
#include "runtime/audit/base64.h"

namespace nacre::audit {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr char kEncryption[] = "nacre content encryption";
constexpr char kDigest[] = "nacre content digest";
constexpr char kKeyedDigest[] = "hmac-sha256:";
// Keys that are remembered; more are made or read again.
constexpr size_t kKeysKeptMax = 256;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::string code(sizeof(Sha256Digest), '\0');
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(text), text.size(),
           reinterpret_cast<unsigned char*>(code.data()), &size) == nullptr ||
      size != code.size()) {
    std::abort();
  }
  return code;
}

// A digest in the form "sha256:...", as one that tells nothing without the key.
std::string KeyedDigest(const ContentKey& key, const std::string& digest) {
  return kKeyedDigest + ToHex(Hmac(Hmac(key.secret, kDigest), digest));
}

std::string PlaceOf(std::string_view event, std::string_view session, std::string_view turn,
                    std::string_view call, std::string_view field) {
  std::string place = "nacre/content/1";
  for (const std::string_view part : {event, session, turn, call, field}) {
    place += '\n';
    place += part;
  }
  return place;
}

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// The ciphertext and the tag after it.
Result<std::string> Encrypt(const ContentKey& key, std::string_view nonce, std::string_view place,
                            std::string_view text) {
  const std::string secret = Hmac(key.secret, kEncryption);
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string sealed(text.size() + kTagBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  int size = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(secret), Bytes(nonce)) ==
          1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(place),
                        static_cast<int>(place.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), out, &size, Bytes(text), static_cast<int>(text.size())) ==
          1 &&
      EVP_EncryptFinal_ex(context.get(), out + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + text.size()) == 1;
  return done ? Result<std::string>(std::move(sealed))
              : Result<std::string>(Error{ErrorCode::kInternal, "AES-256-GCM failed"});
}

// Nothing when it is not what was sealed there under this key.
std::optional<std::string> Decrypt(const ContentKey& key, std::string_view nonce,
                                   std::string_view place, std::string_view sealed) {
  if (nonce.size() != kNonceBytes || sealed.size() < kTagBytes) {
    return std::nullopt;
  }
  const std::string secret = Hmac(key.secret, kEncryption);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  sealed.remove_suffix(kTagBytes);
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::string text(sealed.size(), '\0');
  std::array<unsigned char, kTagBytes> rest{};
  int size = 0;
  const bool done =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(secret), Bytes(nonce)) ==
          1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(place),
                        static_cast<int>(place.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), reinterpret_cast<unsigned char*>(text.data()), &size,
                        Bytes(sealed), static_cast<int>(sealed.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), rest.data(), &size) == 1;
  return done ? std::optional(std::move(text)) : std::nullopt;
}

// A call's arguments are short: their plain digest beside the sealed text would tell them.
void KeyDigests(const ContentKey& key, Json* data) {
  const auto replace = [&](Json* where, const char* member) {
    const std::string digest = StringMember(*where, member);
    if (digest.starts_with("sha256:")) {
      (*where)[member] = KeyedDigest(key, digest);
    }
  };
  replace(data, "arguments_digest");
  if (const auto subject = data->find("subject"); subject != data->end() && subject->is_object()) {
    replace(&*subject, "arguments_digest");
    replace(&*subject, "digest");
  }
}

void OpenOne(const ContentKeys& keys, const Json& record, const std::string& field, Json* entry) {
  const Json sealed = (*entry)["sealed"];
  entry->erase("sealed");
  const std::string session = StringMember(record, "session");
  const std::string id = StringMember(sealed, "key");
  const auto key = keys.Find(session, id);
  if (!key.ok()) {
    if (key.error().code != ErrorCode::kNotFound) {
      (*entry)["unreadable"] = "its key cannot be read";
    } else if (keys.Exist()) {
      (*entry)["erased"] = true;
      (*entry)["key"] = id;
    } else {
      (*entry)["unreadable"] = "its key is not here: this is a copy of the log";
    }
    return;
  }
  const auto nonce = DecodeBase64(StringMember(sealed, "nonce"));
  const auto bytes = DecodeBase64(StringMember(sealed, "ciphertext"));
  const auto text =
      nonce.has_value() && bytes.has_value()
          ? Decrypt(key.value(), *nonce,
                    PlaceOf(StringMember(record, "event"), session, StringMember(record, "turn"),
                            StringMember(record, "call"), field),
                    *bytes)
          : std::nullopt;
  if (!text.has_value()) {
    (*entry)["unreadable"] = "it is not what was sealed here under its key";
    return;
  }
  // As it would stand in a record: what is no UTF-8 is replaced.
  const auto clean = ParseJson(DumpJson(Json(*text)));
  (*entry)["content"] = clean.ok() ? clean.value() : Json(std::string());
  (*entry)["key"] = id;
}

class Sealing final : public AuditLog {
 public:
  Sealing(std::unique_ptr<AuditLog> log, const std::string& directory, Random& random,
          Storage& storage, OnLogFailure on_failure)
      : log_(std::move(log)),
        keys_(directory),
        random_(random),
        storage_(storage),
        on_failure_(std::move(on_failure)) {}

  Result<uint64_t> Append(const AuditRecord& record) override {
    const bool content = HasContent(record.data);
    if (!content && record.data.find("arguments_digest") == record.data.end()) {
      return log_->Append(record);
    }
    std::optional<ContentKey> key = Known(record.session);
    if (!key.has_value() && !content) {
      const auto ids = keys_.IdsOf(record.session);
      if (!ids.ok()) {
        return Fail(ids.error());
      }
      if (ids.value().empty()) {
        return log_->Append(record);  // nothing of this session is sealed
      }
    }
    if (!key.has_value()) {
      auto made = Make(record.session);
      if (!made.ok()) {
        return Fail(made.error());
      }
      key = std::move(made).value();
    }
    AuditRecord sealed = record;
    NACRE_TRY(SealContents(*key, random_, &sealed));
    return log_->Append(sealed);
  }

  bool Refuses() const override { return log_->Refuses(); }
  Status WriteCheckpoint() override { return log_->WriteCheckpoint(); }

 private:
  // What cannot be sealed is not recorded.
  Error Fail(const Error& cause) const {
    Error error = NotWritable(WithContext("a key of contents", cause));
    if (on_failure_) {
      on_failure_(error);
    }
    return error;
  }

  // One that was destroyed meanwhile seals nothing more.
  std::optional<ContentKey> Known(const std::string& session) {
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(session);
    if (found == known_.end()) {
      return std::nullopt;
    }
    if (!keys_.Has(session, found->second.id)) {
      known_.erase(found);
      return std::nullopt;
    }
    return found->second;
  }

  Result<ContentKey> Make(const std::string& session) {
    const std::scoped_lock lock(mutex_);
    if (const auto found = known_.find(session); found != known_.end()) {
      return found->second;
    }
    ContentKey key = NACRE_TRY(keys_.Make(session, random_, storage_));
    if (known_.size() >= kKeysKeptMax) {
      known_.clear();
    }
    known_.emplace(session, key);
    return key;
  }

  const std::unique_ptr<AuditLog> log_;
  const ContentKeys keys_;
  Random& random_;
  Storage& storage_;
  const OnLogFailure on_failure_;
  std::mutex mutex_;
  std::map<std::string, ContentKey> known_;  // by session
};

}  // namespace

bool HasContent(const Json& data) {
  return data.is_object() && std::any_of(data.begin(), data.end(), [](const Json& member) {
           const Json* content = FindMember(member, "content");
           return content != nullptr && content->is_string();
         });
}

bool MayBeSealed(std::string_view record) {
  return record.find("\"sealed\":{") != std::string_view::npos;
}

Status SealContents(const ContentKey& key, Random& random, AuditRecord* record) {
  for (auto member = record->data.begin(); member != record->data.end(); ++member) {
    const Json* content = FindMember(*member, "content");
    if (content == nullptr || !content->is_string()) {
      continue;
    }
    std::string nonce(kNonceBytes, '\0');
    random.Fill(std::span(reinterpret_cast<uint8_t*>(nonce.data()), nonce.size()));
    const std::string sealed = NACRE_TRY(
        Encrypt(key, nonce,
                PlaceOf(record->event, record->session, record->turn, record->call, member.key()),
                content->get_ref<const std::string&>()));
    Json& entry = *member;
    entry.erase("content");
    entry["digest"] = KeyedDigest(key, StringMember(entry, "digest"));
    entry["sealed"] = {
        {"key", key.id}, {"nonce", EncodeBase64(nonce)}, {"ciphertext", EncodeBase64(sealed)}};
  }
  KeyDigests(key, &record->data);
  return Ok();
}

void OpenContents(const ContentKeys& keys, Json* record) {
  const auto data = record->find("data");
  if (data == record->end() || !data->is_object()) {
    return;
  }
  for (auto member = data->begin(); member != data->end(); ++member) {
    const Json* sealed = FindMember(*member, "sealed");
    if (sealed != nullptr && sealed->is_object()) {
      OpenOne(keys, *record, member.key(), &*member);
    }
  }
}

bool IsDigestOf(const ContentKeys& keys, const std::string& session, const Json& entry,
                const std::string& text) {
  const std::string digest = StringMember(entry, "digest");
  const std::string plain = Sha256Text(text);
  if (!digest.starts_with(kKeyedDigest)) {
    return digest == plain;
  }
  const auto key = keys.Find(session, StringMember(entry, "key"));
  return key.ok() && KeyedDigest(key.value(), plain) == digest;
}

std::unique_ptr<AuditLog> SealingLog(std::unique_ptr<AuditLog> log, const std::string& directory,
                                     Random& random, Storage& storage, OnLogFailure on_failure) {
  return std::make_unique<Sealing>(std::move(log), directory, random, storage,
                                   std::move(on_failure));
}

}  // namespace nacre::audit
