// YamlTree: a YAML document as a bounded tree with positions. yaml_tree.cc is the one file of policy
// that knows libyaml, whose events it takes (yaml-cpp needs eight times as long for a policy of ten
// thousand rules); everything above works on this value.
//
// It is the part of YAML that means the same to every reader: one document of maps, lists and
// scalars, without anchors, aliases, tags, directives or keys that are no scalars. So a "billion
// laughs" stops at its first anchor. The text is at most 32 MiB of UTF-8 without control characters,
// 32 levels deep, with 3,000,000 nodes. Time and memory are linear.
//
// One addition: an argument path may stand unquoted inside { }, where YAML would end the key at its
// bracket: `args: {argv[0]: {one_of: [wc]}}`.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nacre::policy {

struct YamlNode {
  enum class Kind { kNull = 0, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  std::string text;             // kScalar
  bool quoted = false;          // kScalar: quoted or a block, so always a string
  std::vector<YamlNode> keys;   // kMap: scalars, as written; may repeat
  std::vector<YamlNode> items;  // kSequence: the elements; kMap: the values, beside `keys`
  int line = 1;                 // both count from 1; of a null value: where its key stands
  int column = 1;               // in characters
};

struct YamlProblem {
  int line = 1;
  int column = 1;
  std::string what;
};

struct YamlLimits {
  size_t bytes_max = 32U << 20;
  size_t nodes_max = 3'000'000;
};

// Throws std::bad_alloc at most. An empty document is a null node.
std::variant<YamlNode, YamlProblem> ParseYaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace nacre::policy
