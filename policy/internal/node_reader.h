// NodeReader: typed reads of a YamlNode. Each says what is wrong at file:line:column with the key
// path, and then answers nullopt (or null), so that the reader above can go on to the next key.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "policy/decision.h"
#include "policy/internal/key_path.h"
#include "policy/internal/problems.h"
#include "policy/internal/yaml_tree.h"

namespace nacre::policy {

inline constexpr size_t kReasonBytesMax = 200;

// One scalar as the typed value it stands for: plain true, false and JSON numbers are these;
// everything else is a string ("yes", "0644" and anything quoted). Null for an absent value.
Json ScalarValue(const YamlNode& node);

// Identifiers of rules and policies: a-z 0-9 . _ - with a letter or digit first, at most 64.
bool IsIdentifier(std::string_view text);

class NodeReader {
 public:
  // `file` as it stands in messages. Problems are added to `problems`, which must outlive this.
  NodeReader(std::string file, Problems& problems) : file_(std::move(file)), problems_(problems) {}

  SourceLocation Where(const YamlNode& node) const { return {file_, node.line, node.column}; }
  void Report(const YamlNode& at, const KeyPath& path, const std::string& what,
              const std::string& suggestion = {}) const {
    problems_.Add(problems_.full() ? SourceLocation() : Where(at),
                  problems_.full() ? std::string() : path.Text(), what, suggestion);
  }

  // The same where what was read is known, and its node is not.
  void ReportAt(const SourceLocation& where, const KeyPath& path, const std::string& what) const {
    problems_.Add(where, path.Text(), what);
  }

  struct Keys {
    std::vector<std::string> known;
    // Of the language, but not enforced by this version, so refused: a policy must not promise
    // more than is kept.
    std::vector<std::string> not_enforced;
  };
  // The node if it is a map, with every duplicate, unknown and refused key reported; else nullptr.
  const YamlNode* Map(const YamlNode& node, const KeyPath& path, const Keys& keys) const;
  // The same with any keys.
  const YamlNode* MapOfAnyKeys(const YamlNode& node, const KeyPath& path) const;
  // The value of the first such key, or nullptr.
  static const YamlNode* Find(const YamlNode& map, std::string_view key);
  // Whether it has all of these keys; each that is missing is reported: "a case needs "name"".
  bool Needs(const YamlNode& map, const KeyPath& path, const std::string& what,
             std::initializer_list<const char*> keys) const;

  // A list of at most `items_max`, else nullptr.
  const YamlNode* List(const YamlNode& node, const KeyPath& path, size_t items_max) const;
  // A list that is not empty, or one value instead of a list of one: `tool: a`, `tool: [a, b]`. Each
  // with its path; none when something was wrong.
  std::vector<std::pair<std::string, const YamlNode*>> OneOrMore(const YamlNode& node,
                                                                 const KeyPath& path,
                                                                 size_t items_max) const;

  std::optional<std::string> Text(const YamlNode& node, const KeyPath& path,
                                  size_t bytes_max) const;
  // An IsIdentifier(); `what` as in "an id is at most ...".
  std::optional<std::string> Identifier(const YamlNode& node, const KeyPath& path,
                                        const std::string& what) const;
  // Why a rule is there: one line of visible characters.
  std::optional<std::string> Reason(const YamlNode& node, const KeyPath& path) const;
  std::optional<Verdict> VerdictOf(const YamlNode& node, const KeyPath& path) const;
  // Of a document: says so when it is not of this version. `what` as in "a file of cases".
  void CheckVersion(const YamlNode& document, const std::string& version,
                    const std::string& what) const;
  std::optional<std::string> Choice(const YamlNode& node, const KeyPath& path,
                                    const std::vector<std::string>& choices) const;
  std::optional<bool> Boolean(const YamlNode& node, const KeyPath& path) const;
  template <typename T>
  struct Range {
    T minimum;
    T maximum;
  };
  std::optional<int64_t> Integer(const YamlNode& node, const KeyPath& path,
                                 const Range<int64_t>& range) const;
  std::optional<std::chrono::milliseconds> Duration(
      const YamlNode& node, const KeyPath& path,
      const Range<std::chrono::milliseconds>& range) const;
  std::optional<uint64_t> Size(const YamlNode& node, const KeyPath& path,
                               const Range<uint64_t>& range) const;

 private:
  bool IsMap(const YamlNode& node, const KeyPath& path) const;

  std::string file_;
  Problems& problems_;
};

}  // namespace nacre::policy
