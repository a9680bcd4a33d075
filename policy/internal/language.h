// Language: every key of `nacre: policy/1`, in one table. The loader accepts the keys, choices and
// bounds that stand here and no others; the reference and the JSON Schema (policy/language_docs.h)
// are printed from the same table, so neither can say what the loader does not do.
//
// The table is a list of maps. A field whose value is itself a map names it in `inner`: `tools` is a
// list of the map "rule", `workspace.commit` is the map "workspace.commit".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/internal/node_reader.h"

namespace nacre::policy {

// How many there may be, and how long. What is longer is refused with a sentence.
inline constexpr size_t kExtendsMax = 8;
inline constexpr size_t kGlobsMax = 256;           // of hide, and of protect
inline constexpr size_t kLayerRulesMax = 100'000;  // of one file
inline constexpr size_t kNameBytesMax = 512;       // a name or glob, outside of rules
inline constexpr size_t kToolsMax = 32;            // of a rule
inline constexpr size_t kArgumentsMax = 32;        // of a rule
inline constexpr size_t kChoicesMax = 1000;        // of one_of and host_in
inline constexpr size_t kMatcherTextBytesMax = 4096;
inline constexpr size_t kApproversMax = 16;  // of a rule
inline constexpr size_t kAccountBytesMax = 64;
inline constexpr size_t kRatesMax = 256;         // of budgets.rates, in one file
inline constexpr size_t kDataEntriesMax = 1000;  // of data.sources, and of data.flows
inline constexpr size_t kDataNamesMax = 64;      // in one list of a data section

struct Field {
  enum class Type {
    kNotEnforced = 0,  // of the language, and refused by this version
    kVersion,          // "policy/1"
    kIdentifier,
    kReason,
    kText,
    kChoice,
    kBoolean,
    kInteger,
    kDuration,     // bounds in milliseconds
    kSeconds,      // a duration of whole seconds; bounds in milliseconds
    kSize,         // bounds in bytes
    kTool,         // "fs.read", "fs.*", "*"
    kGlob,         // from the workspace
    kSandboxGlob,  // absolute, as the tools see it
    kSandboxPath,
    kHost,
    kCategory,
    kAccount,  // a user of the host
    kRegex,
    kValue,      // a text, a number, true or false
    kRange,      // [least, greatest]
    kMap,        // the map `inner`
    kArguments,  // any paths of arguments, each with a value or the map `inner`
    kFlowTo      // a list of tools and "network", or the map `inner`
  };
  enum class Many { kOne = 0, kList, kOneOrMore };
  // Which of two values grants less: what a tenant's policy may change the value to.
  enum class Narrower {
    kNone = 0,  // not a setting, or one that a tenant may not give
    kSmaller,
    kGreater,
    kEarlier,  // the choice that stands earlier in `choices`
    kLater
  };

  std::string map;  // where it stands: "" is the document
  std::string key;
  Type type = Type::kNotEnforced;
  Many many = Many::kOne;
  size_t items_max = 0;  // kList, kOneOrMore, kArguments
  int64_t minimum = 0;
  int64_t maximum = 0;  // of texts: bytes
  std::vector<std::string> choices;
  bool required = false;
  std::string initial;  // what holds where the key is absent, as it would be written
  Narrower narrower = Narrower::kNone;
  std::string inner;
  std::string meaning;  // one line of Markdown
};

// All fields, map by map, in the order of the reference.
const std::vector<Field>& LanguageFields();
// The fields of one map. The map and the field must be in the table.
const std::vector<const Field*>& FieldsOf(std::string_view map);
const Field& FieldOf(std::string_view map, std::string_view key);
// The keys of a map for NodeReader::Map.
const NodeReader::Keys& KeysOf(std::string_view map);
// "workspace.mode"; "mode" of a field of the document itself.
std::string PathOf(const Field& field);

}  // namespace nacre::policy
