// The values that one argument can have, cut into finitely many classes: values of one class are the
// same to every condition that is listed here as exact. Classes are numbered such that a condition holds
// for ranges of numbers: folders in the order of a walk, hosts by their labels from the last.
//
//   absent · null · object · array · false · true · numbers, by the bounds that conditions name ·
//   texts that are no paths · "/" · "/workspace" · what else lies in it · "/workspace/src" · ...
//
// Texts that a condition names are classes of their own. What a class cannot tell (regular
// expressions, most globs, lengths) is known of these, and of the other classes it is open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "policy/policy.h"

namespace nacre::policy {

struct ClassRange {
  uint32_t first = 0;
  uint32_t last = 0;  // included
};

class ValueClasses final {
 public:
  // `is_path`: an argument that names a file, whose values are normal absolute paths. `schema`: of the
  // argument, or null. `folders`: further ones to be told apart, normal.
  ValueClasses(const std::vector<const ArgumentMatcher*>& conditions, bool is_path,
               const Json* schema, const std::vector<std::string>& folders);

  static constexpr uint32_t kAbsent = 0;
  static constexpr uint32_t kNull = 1;
  static constexpr uint32_t kObject = 2;
  static constexpr uint32_t kArray = 3;
  static constexpr uint32_t kFalse = 4;
  static constexpr uint32_t kTrue = 5;

  uint32_t greatest() const { return first_text_ + static_cast<uint32_t>(entries_.size()); }
  bool is_path() const { return is_path_; }
  // Classes that the schema leaves, and that have a value.
  const std::vector<ClassRange>& domain() const { return domain_; }

  ClassRange numbers() const { return {kTrue + 1, first_text_ - 1}; }
  ClassRange texts() const { return {first_text_, greatest()}; }
  ClassRange no_paths() const { return {first_text_, first_text_ + no_paths_}; }

  // Where the values stand that the condition names; nullopt when these cannot tell: numbers beyond 2^53.
  std::optional<std::vector<ClassRange>> Named(const std::vector<Json>& values) const;
  std::optional<std::vector<ClassRange>> Between(int64_t minimum, int64_t maximum) const;
  // The folder and all below; one that was listed.
  ClassRange Under(const std::string& folder) const;

  // null: absent.
  uint32_t ClassOf(const Json* value) const;
  struct Text {
    uint32_t number = 0;
    std::string text;
    bool named = false;     // one text, as opposed to others in a folder
    ClassRange below = {};  // of a folder
  };
  // In order; named texts and folders.
  const std::vector<Text>& entries() const { return entries_; }
  // Some value of the class that is no text other than a named one; nullopt for kAbsent.
  std::optional<Json> Example(uint32_t number) const;

 private:
  std::optional<std::string> Canonical(const std::string& text) const;
  void CutTexts(const std::vector<const ArgumentMatcher*>& conditions, const Json* schema,
                const std::vector<std::string>& folders);
  void CutNumbers(const std::vector<const ArgumentMatcher*>& conditions);
  void Restrict(const Json* schema);

  bool is_path_;
  std::vector<double> points_;
  uint32_t first_text_ = 0;  // others that are no paths
  uint32_t no_paths_ = 0;    // named texts that are no paths, first in entries_
  std::vector<Text> entries_;
  std::unordered_map<std::string, uint32_t> named_;    // index in entries_
  std::unordered_map<std::string, uint32_t> folders_;  // the same
  std::vector<ClassRange> domain_;
};

// The hosts that texts name: no host for certain, another, and those below and at each that a condition
// names.
class HostClasses final {
 public:
  explicit HostClasses(const std::vector<const ArgumentMatcher*>& conditions);

  static constexpr uint32_t kUnsure = 0;
  uint32_t greatest() const { return 1 + 2 * static_cast<uint32_t>(hosts_.size()); }
  ClassRange RangeOf(const std::string& pattern) const;  // one that was listed
  uint32_t ClassOf(std::string_view text) const;
  std::string Example(uint32_t number) const;

 private:
  std::vector<std::string> hosts_;  // without "*.", by their labels from the last
  std::vector<uint32_t> last_;      // class of the last below
  std::unordered_map<std::string, uint32_t> index_;
};

}  // namespace nacre::policy
