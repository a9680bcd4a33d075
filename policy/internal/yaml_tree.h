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

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nacre::policy {

struct YamlNode;

// Nodes that stand one behind the other and are kept elsewhere.
class YamlNodes {
 public:
  YamlNodes() = default;
  YamlNodes(const YamlNode* first, size_t size) : first_(first), size_(size) {}
  YamlNodes(const std::vector<YamlNode>& nodes);  // NOLINT(google-explicit-constructor)

  const YamlNode* begin() const { return first_; }
  const YamlNode* end() const;
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const YamlNode& operator[](size_t index) const;

 private:
  const YamlNode* first_ = nullptr;
  size_t size_ = 0;
};

// Borrows its text and what it holds from its tree. A copy is as cheap as a view.
struct YamlNode {
  enum class Kind : uint8_t { kNull = 0, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  bool quoted = false;    // kScalar: quoted or a block, so always a string
  int line = 1;           // both count from 1; of a null value: where its key stands
  int column = 1;         // in characters
  std::string_view text;  // kScalar
  YamlNodes keys;         // kMap: scalars, as written; may repeat
  YamlNodes items;        // kSequence: the elements; kMap: the values, beside `keys`
};

inline YamlNodes::YamlNodes(const std::vector<YamlNode>& nodes)
    : first_(nodes.data()), size_(nodes.size()) {}
inline const YamlNode* YamlNodes::end() const {
  return first_ + size_;
}
inline const YamlNode& YamlNodes::operator[](size_t index) const {
  return first_[index];
}

// A document: the node at its top, and the memory of all nodes and texts, which is taken and given back
// in few large pieces.
class YamlTree {
 public:
  YamlTree(const YamlNode& root, std::unique_ptr<std::pmr::monotonic_buffer_resource> kept)
      : root_(root), kept_(std::move(kept)) {}

  const YamlNode& root() const { return root_; }

 private:
  YamlNode root_;
  std::unique_ptr<std::pmr::monotonic_buffer_resource> kept_;
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

// Throws std::bad_alloc at most. Nothing borrows from `text` afterwards. An empty document is a null node.
std::variant<YamlTree, YamlProblem> ParseYaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace nacre::policy
