#include "policy/internal/node_reader.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/units.h"
#include "policy/internal/display.h"

namespace nacre::policy {
namespace {

constexpr size_t kIdentifierBytesMax = 64;
constexpr size_t kFewKeys = 16;  // of a map: each is compared with each

const char* KindName(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return "a value";
    case YamlNode::Kind::kSequence:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

std::string NotEnforced(std::string_view what) {
  return "this version does not enforce \"" + std::string(what) + "\", so it refuses the policy";
}

bool LooksLikeNumber(std::string_view text) {
  return !text.empty() &&
         (text[0] == '-' || std::isdigit(static_cast<unsigned char>(text[0])) != 0);
}

}  // namespace

bool IsIdentifier(std::string_view text) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= kIdentifierBytesMax && plain(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

Json ScalarValue(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) {
    return nullptr;
  }
  if (!node.quoted && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  if (!node.quoted && LooksLikeNumber(node.text)) {
    const Result<Json> number = ParseJson(node.text, {.bytes_max = 64, .depth_max = 1});
    if (number.ok() && number.value().is_number()) {
      return number.value();
    }
  }
  return std::string(node.text);
}

bool NodeReader::IsMap(const YamlNode& node, const KeyPath& path) const {
  if (node.kind != YamlNode::Kind::kMap) {
    Report(node, path, std::string("expected a map of keys, found ") + KindName(node));
  }
  return node.kind == YamlNode::Kind::kMap;
}

const YamlNode* NodeReader::MapOfAnyKeys(const YamlNode& node, const KeyPath& path) const {
  if (!IsMap(node, path)) {
    return nullptr;
  }
  const auto report = [&](const YamlNode& key) {
    Report(key, path.Key(key.text), "duplicate key");
  };
  if (node.keys.size() <= kFewKeys) {
    for (const YamlNode* key = node.keys.begin(); key != node.keys.end(); ++key) {
      if (std::any_of(node.keys.begin(), key,
                      [&](const YamlNode& earlier) { return earlier.text == key->text; })) {
        report(*key);
      }
    }
    return &node;
  }
  std::set<std::string_view> seen;
  for (const YamlNode& key : node.keys) {
    if (!seen.insert(key.text).second) {
      report(key);
    }
  }
  return &node;
}

const YamlNode* NodeReader::Map(const YamlNode& node, const KeyPath& path, const Keys& keys) const {
  if (!IsMap(node, path)) {
    return nullptr;
  }
  for (const YamlNode* at = node.keys.begin(); at != node.keys.end(); ++at) {
    const YamlNode& key = *at;
    const bool known = Contains(keys.known, key.text);
    // Each is compared with each, while it could be shown: few are known, and of others 20 are shown.
    const bool repeated =
        !problems_.full() && std::any_of(node.keys.begin(), at, [&](const YamlNode& earlier) {
          return earlier.text == key.text;
        });
    if (known && !repeated) {
      continue;
    }
    const KeyPath key_path = path.Key(key.text);
    if (repeated) {
      Report(key, key_path, "duplicate key");
    } else if (problems_.full()) {
      Report(key, key_path, "unknown key");
    } else if (Contains(keys.not_enforced, key.text)) {
      Report(key, key_path, NotEnforced(key.text));
    } else {
      Report(key, key_path, "unknown key", Nearest(key.text, keys.known));
    }
  }
  return &node;
}

const YamlNode* NodeReader::Find(const YamlNode& map, std::string_view key) {
  for (size_t i = 0; i < map.items.size(); ++i) {
    if (map.keys[i].text == key) {
      return &map.items[i];
    }
  }
  return nullptr;
}

bool NodeReader::Needs(const YamlNode& map, const KeyPath& path, const std::string& what,
                       std::initializer_list<const char*> keys) const {
  bool all = true;
  for (const char* key : keys) {
    if (Find(map, key) == nullptr) {
      Report(map, path, what + " needs \"" + key + "\"");
      all = false;
    }
  }
  return all;
}

const YamlNode* NodeReader::List(const YamlNode& node, const KeyPath& path,
                                 size_t items_max) const {
  if (node.kind != YamlNode::Kind::kSequence) {
    Report(node, path, std::string("expected a list, found ") + KindName(node));
    return nullptr;
  }
  if (node.items.size() > items_max) {
    Report(node, path, "more than " + std::to_string(items_max) + " entries");
    return nullptr;
  }
  return &node;
}

std::optional<std::string> NodeReader::Text(const YamlNode& node, const KeyPath& path,
                                            size_t bytes_max) const {
  if (node.kind != YamlNode::Kind::kScalar) {
    Report(node, path, std::string("expected a text, found ") + KindName(node));
    return std::nullopt;
  }
  if (node.text.empty()) {
    Report(node, path, "empty");
    return std::nullopt;
  }
  if (node.text.size() > bytes_max) {
    Report(node, path, "longer than " + std::to_string(bytes_max) + " bytes");
    return std::nullopt;
  }
  return std::string(node.text);
}

std::vector<std::pair<std::string, const YamlNode*>> NodeReader::OneOrMore(const YamlNode& node,
                                                                           const KeyPath& path,
                                                                           size_t items_max) const {
  if (node.kind == YamlNode::Kind::kScalar) {
    return {{path.Text(), &node}};
  }
  std::vector<std::pair<std::string, const YamlNode*>> items;
  if (const YamlNode* list = List(node, path, items_max)) {
    if (list->items.empty()) {
      Report(node, path, "empty");
    }
    for (size_t i = 0; i < list->items.size(); ++i) {
      items.emplace_back(path.Item(i).Text(), &list->items[i]);
    }
  }
  return items;
}

std::optional<std::string> NodeReader::Identifier(const YamlNode& node, const KeyPath& path,
                                                  const std::string& what) const {
  auto text = Text(node, path, std::string::npos);  // what is one is shorter
  if (text.has_value() && !IsIdentifier(*text)) {
    Report(node, path, what + " is at most 64 of a-z, 0-9, \".\", \"_\" and \"-\"");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> NodeReader::Reason(const YamlNode& node, const KeyPath& path) const {
  auto text = Text(node, path, kReasonBytesMax);
  if (text.has_value() && ShownText(*text) != *text) {
    Report(node, path, "a reason is one line of visible characters");
    return std::nullopt;
  }
  return text;
}

std::optional<Verdict> NodeReader::VerdictOf(const YamlNode& node, const KeyPath& path) const {
  const auto choice = Choice(node, path, {"allow", "ask", "deny"});
  if (!choice.has_value()) {
    return std::nullopt;
  }
  return *choice == "allow" ? Verdict::kAllow : *choice == "ask" ? Verdict::kAsk : Verdict::kDeny;
}

void NodeReader::CheckVersion(const YamlNode& document, const std::string& version,
                              const std::string& what) const {
  const YamlNode* stated = Find(document, "nacre");
  if (stated == nullptr || stated->text != version) {
    Report(stated == nullptr ? document : *stated, "nacre",
           what + " begins with \"nacre: " + version + "\"");
  }
}

std::optional<std::string> NodeReader::Choice(const YamlNode& node, const KeyPath& path,
                                              const std::vector<std::string>& choices) const {
  if (node.kind != YamlNode::Kind::kScalar) {
    Report(node, path,
           "expected one of " + Join(choices) + ", found " + std::string(KindName(node)));
    return std::nullopt;
  }
  if (Contains(choices, node.text)) {
    return std::string(node.text);
  }
  Report(node, path, ShownValue(node.text) + " is not one of " + Join(choices),
         Nearest(node.text, choices));
  return std::nullopt;
}

std::optional<bool> NodeReader::Boolean(const YamlNode& node, const KeyPath& path) const {
  const Json value = ScalarValue(node);
  if (!value.is_boolean()) {
    Report(node, path, "expected true or false");
    return std::nullopt;
  }
  return value.get<bool>();
}

std::optional<int64_t> NodeReader::Integer(const YamlNode& node, const KeyPath& path,
                                           const Range<int64_t>& range) const {
  const Json value = ScalarValue(node);
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  if (!fits) {
    Report(node, path, "expected a whole number");
    return std::nullopt;
  }
  const auto number = value.get<int64_t>();
  if (number < range.minimum || number > range.maximum) {
    Report(node, path,
           std::to_string(number) + " is not between " + std::to_string(range.minimum) + " and " +
               std::to_string(range.maximum));
    return std::nullopt;
  }
  return number;
}

std::optional<std::chrono::milliseconds> NodeReader::Duration(
    const YamlNode& node, const KeyPath& path,
    const Range<std::chrono::milliseconds>& range) const {
  const auto duration = node.kind == YamlNode::Kind::kScalar
                            ? ParseDuration(node.text)
                            : std::optional<std::chrono::milliseconds>();
  if (!duration.has_value()) {
    Report(node, path, "expected a duration with its unit, such as 500ms, 30s, 10m or 1h");
    return std::nullopt;
  }
  if (*duration < range.minimum || *duration > range.maximum) {
    Report(node, path,
           FormatDuration(*duration) + " is not between " + FormatDuration(range.minimum) +
               " and " + FormatDuration(range.maximum));
    return std::nullopt;
  }
  return duration;
}

std::optional<uint64_t> NodeReader::Size(const YamlNode& node, const KeyPath& path,
                                         const Range<uint64_t>& range) const {
  const auto size =
      node.kind == YamlNode::Kind::kScalar ? ParseSize(node.text) : std::optional<uint64_t>();
  if (!size.has_value()) {
    Report(node, path, "expected a size with its unit, such as 64KiB, 512MiB or 2GiB");
    return std::nullopt;
  }
  if (*size < range.minimum || *size > range.maximum) {
    Report(node, path,
           FormatSize(*size) + " is not between " + FormatSize(range.minimum) + " and " +
               FormatSize(range.maximum));
    return std::nullopt;
  }
  return size;
}

}  // namespace nacre::policy
