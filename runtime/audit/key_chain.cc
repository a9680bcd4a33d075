#include "runtime/audit/key_chain.h"

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/layout.h"

namespace nacre::audit {
namespace {

constexpr std::string_view kIntroduces = "next-key ";

Error Bad(const std::string& why) {
  return {ErrorCode::kDataLoss, std::string(kKeysFile) + ": " + why};
}

// "1a2b3c4d": how people tell keys of one name apart.
std::string IdOf(const VerifyingKey& key) {
  return ToHex(key.id());
}

// The number on the second line of a note, as it is written there; nothing is checked.
uint64_t ClaimedSize(std::string_view note) {
  const size_t begin = note.find('\n');
  uint64_t size = 0;
  if (begin != std::string_view::npos) {
    std::from_chars(note.data() + begin + 1, note.data() + note.size(), size);
  }
  return size;
}

}  // namespace

Result<std::string> SignKeyChange(const Checkpoint& at, const SigningKey& next,
                                  const SigningKey& old) {
  const std::string text = CheckpointText(at, old.verifying_key().name()) +
                           std::string(kIntroduces) + next.verifying_key().ToText();
  const std::string by_old = NACRE_TRY(SignNote(text, old));
  const std::string by_next = NACRE_TRY(SignNote(text, next));
  return by_old + by_next.substr(text.size() + 1);  // its signature line
}

Result<KeyChain> KeyChain::Parse(std::string_view public_key, std::string_view changes) {
  KeyChain chain;
  auto parsed = VerifyingKey::Parse(public_key);
  if (!parsed.ok()) {
    return WithContext(kPublicKeyFile, parsed.error());
  }
  VerifyingKey present = std::move(parsed).value();
  if (changes.empty()) {
    chain.keys_.push_back(std::move(present));
    return chain;
  }
  const size_t first_end = changes.find("\n\n");
  if (first_end == std::string_view::npos) {
    return Bad("it does not begin with the log's first key");
  }
  auto first = VerifyingKey::Parse(changes.substr(0, first_end + 1));
  if (!first.ok()) {
    return Bad(first.error().message);
  }
  chain.keys_.push_back(std::move(first).value());
  std::string_view rest = changes.substr(first_end + 2);
  while (!rest.empty()) {
    // Text, an empty line, the signature, an empty line.
    const size_t text_end = rest.find("\n\n");
    const size_t end =
        text_end == std::string_view::npos ? text_end : rest.find("\n\n", text_end + 2);
    if (end == std::string_view::npos) {
      return Bad("change " + std::to_string(chain.changes_.size() + 1) + ": it is not whole");
    }
    NACRE_TRY(chain.Add(rest.substr(0, end + 1)));
    rest.remove_prefix(end + 2);
  }
  if (chain.changes_.empty()) {
    return Bad("it introduces no key");
  }
  // A crash right after a change leaves `key.pub` one behind.
  if (public_key != chain.current().ToText() &&
      public_key != chain.keys_[chain.keys_.size() - 2].ToText()) {
    return Error{ErrorCode::kDataLoss, std::string(kPublicKeyFile) + ": the key " + IdOf(present) +
                                           " was never introduced; the last one that was is " +
                                           IdOf(chain.current())};
  }
  return chain;
}

Status KeyChain::Add(std::string_view note) {
  const std::string name = "change " + std::to_string(changes_.size() + 1) + ": ";
  // Two signature lines: by the key before, and by the one that is introduced.
  const size_t last = note.empty() ? 0 : note.rfind('\n', note.size() - 2) + 1;
  const auto text = audit::OpenNote(note.substr(0, last), current());
  if (!text.ok()) {
    return Bad(name + text.error().message + ", its key " + IdOf(current()));
  }
  const size_t line = text.value().find("\n" + std::string(kIntroduces));
  if (line == std::string::npos) {
    return Bad(name + "it introduces no key");
  }
  const auto at =
      ParseCheckpointText(std::string_view(text.value()).substr(0, line + 1), this->name());
  if (!at.ok()) {
    return Bad(name + at.error().message);
  }
  auto next =
      VerifyingKey::Parse(std::string_view(text.value()).substr(line + 1 + kIntroduces.size()));
  if (!next.ok()) {
    return Bad(name + next.error().message);
  }
  if (next.value().name() != this->name() || Has(next.value().ToText())) {
    return Bad(name + "the key that it introduces has another name, or was there before");
  }
  if (const auto agreed =
          audit::OpenNote(text.value() + "\n" + std::string(note.substr(last)), next.value());
      !agreed.ok()) {
    return Bad(name + "the key that it introduces did not sign it: " + agreed.error().message);
  }
  if (at.value().size == 0 || (!changes_.empty() && at.value().size <= changes_.back().at.size)) {
    return Bad(name + "it is not of a larger log than the change before it");
  }
  changes_.push_back({.at = at.value(), .key = next.value().ToText(), .note = std::string(note)});
  keys_.push_back(std::move(next).value());
  return Ok();
}

Result<KeyChain> KeyChain::Load(const std::string& directory) {
  const std::string public_key =
      NACRE_TRY(ReadRegularFile(directory + "/" + kPublicKeyFile, kCheckpointBytesMax));
  const auto changes = ReadRegularFile(directory + "/" + kKeysFile, kKeysBytesMax);
  if (!changes.ok() && changes.error().code != ErrorCode::kNotFound) {
    return changes.error();
  }
  if (changes.ok() && changes.value().empty()) {
    return Bad("it is empty");
  }
  return Parse(public_key, changes.ok() ? changes.value() : std::string());
}

const VerifyingKey& KeyChain::KeyFor(uint64_t size) const {
  const auto change = std::find_if(changes_.begin(), changes_.end(),
                                   [&](const KeyChange& each) { return size <= each.at.size; });
  return keys_[static_cast<size_t>(change - changes_.begin())];
}

bool KeyChain::Has(std::string_view key_line) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const VerifyingKey& key) { return key.ToText() == key_line; });
}

Result<Checkpoint> KeyChain::OpenCheckpoint(std::string_view note) const {
  const uint64_t size = ClaimedSize(note);
  const VerifyingKey& key = KeyFor(size);
  auto checkpoint = ParseCheckpoint(note, key);
  if (checkpoint.ok() || changes_.empty()) {
    return checkpoint;
  }
  for (const VerifyingKey& other : keys_) {
    if (ParseCheckpoint(note, other).ok()) {
      return Error{ErrorCode::kDataLoss, "it is signed by the key " + IdOf(other) +
                                             ", and a log of " + std::to_string(size) +
                                             " records by " + IdOf(key)};
    }
  }
  return Error{ErrorCode::kDataLoss,
               checkpoint.error().message + ", or by one that was never introduced"};
}

Result<std::string> KeyChain::OpenNote(std::string_view note) const {
  for (const VerifyingKey& key : keys_) {
    if (auto text = audit::OpenNote(note, key); text.ok()) {
      return text;
    }
  }
  return audit::OpenNote(note, current());
}

}  // namespace nacre::audit
