#include "sandbox/workspace/change.h"

#include <array>

#include "base/digest.h"

namespace nacre::sandbox {
namespace {

constexpr std::array<const char*, 5> kTypeNames = {"none", "file", "directory", "symlink", "other"};

// The length of the valid UTF-8 character that begins at `at`, or 0.
size_t CharacterLength(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xC2 && first < 0xE0 ? 2
                        : first >= 0xE0 && first < 0xF0 ? 3
                        : first >= 0xF0 && first < 0xF5 ? 4
                                                        : 0;
  if (length == 0 || at + length > text.size()) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  // Overlong forms, surrogates, and what lies beyond Unicode.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
      (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

const char* EntryTypeName(EntryType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

bool SameContent(const EntryState& a, const EntryState& b) {
  return a.type == b.type && a.mode == b.mode && a.size == b.size && a.digest == b.digest &&
         a.target == b.target;
}

DiffCounts CountChanges(const std::vector<Change>& changes) {
  DiffCounts counts;
  for (const Change& change : changes) {
    if (change.created()) {
      ++counts.created;
    } else if (change.deleted()) {
      ++counts.deleted;
    } else if (!change.touched()) {
      ++counts.changed;
    }
  }
  return counts;
}

std::string EncodePath(std::string_view path) {
  std::string text;
  for (size_t i = 0; i < path.size();) {
    const size_t length = CharacterLength(path, i);
    const auto byte = static_cast<unsigned char>(path[i]);
    if (length == 0 || byte == '%' || byte < 0x20 || byte == 0x7F) {
      static constexpr char kDigits[] = "0123456789ABCDEF";
      text += '%';
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 0xFU];
      ++i;
    } else {
      text += path.substr(i, length);
      i += length;
    }
  }
  return text;
}

Result<std::string> DecodePath(std::string_view text) {
  std::string path;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      path += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error{ErrorCode::kDataLoss, "a path is not encoded as it should be"};
    }
    path += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return path;
}

OrderedJson EntryToJson(const EntryState& state) {
  OrderedJson json = {{"type", EntryTypeName(state.type)}};
  switch (state.type) {
    case EntryType::kFile:
      json["mode"] = state.mode;
      json["size"] = state.size;
      json["digest"] = state.digest;
      json["mtime_ns"] = state.mtime_ns;
      break;
    case EntryType::kDirectory:
      json["mode"] = state.mode;
      break;
    case EntryType::kSymlink:
      json["target"] = EncodePath(state.target);
      break;
    default:
      return json;
  }
  json["uid"] = state.uid;
  json["gid"] = state.gid;
  return json;
}

Result<EntryState> EntryFromJson(const Json& json) {
  EntryState state;
  const std::string type = StringMember(json, "type");
  for (size_t i = 0; i + 1 < kTypeNames.size(); ++i) {
    if (type == kTypeNames[i]) {
      state.type = static_cast<EntryType>(i);
    }
  }
  if (type != EntryTypeName(state.type)) {
    return Error{ErrorCode::kDataLoss, "an entry has no type"};
  }
  state.mode = static_cast<uint32_t>(IntMember(json, "mode")) & 07777U;
  state.size = static_cast<uint64_t>(IntMember(json, "size"));
  state.digest = StringMember(json, "digest");
  state.mtime_ns = IntMember(json, "mtime_ns");
  state.uid = static_cast<uint32_t>(IntMember(json, "uid"));
  state.gid = static_cast<uint32_t>(IntMember(json, "gid"));
  state.target = NACRE_TRY(DecodePath(StringMember(json, "target")));
  return state;
}

std::string DiffDigest(const std::vector<Change>& changes) {
  Sha256Stream digest;
  for (const Change& change : changes) {
    if (change.touched()) {
      continue;
    }
    OrderedJson line = {{"path", EncodePath(change.path)},
                        {"before", EntryToJson(change.before)},
                        {"after", EntryToJson(change.after)}};
    for (const char* side : {"before", "after"}) {
      for (const char* member : {"mtime_ns", "uid", "gid"}) {
        line[side].erase(member);
      }
    }
    digest.Update(DumpJson(line) + "\n");
  }
  return "sha256:" + ToHex(digest.Finish());
}

}  // namespace nacre::sandbox
