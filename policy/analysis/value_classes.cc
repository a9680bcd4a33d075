#include "policy/analysis/value_classes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "policy/internal/host.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

// Beyond, a double does not tell whole numbers apart.
constexpr double kExactMax = 9'007'199'254'740'992.0;

bool IsChoice(const ArgumentMatcher& condition) {
  return condition.kind == Kind::kEquals || condition.kind == Kind::kOneOf;
}

// A number that is compared as a double exactly.
std::optional<double> Exact(const Json& value) {
  if (!value.is_number()) {
    return std::nullopt;
  }
  const auto number = value.get<double>();
  return std::abs(number) < kExactMax ? std::optional<double>(number) : std::nullopt;
}

std::optional<double> Exact(int64_t number) {
  return Exact(Json(number));
}

// Sorts as a walk does: a folder, then all that is in it.
std::string PathKey(std::string path) {
  std::replace(path.begin(), path.end(), '/', '\0');
  return path == std::string(1, '\0') ? std::string() : path;
}

// The same for hosts: "com\0example\0api".
std::string HostKey(std::string_view host) {
  std::string key;
  for (const std::string_view label : HostLabels(host)) {
    key += key.empty() ? "" : std::string(1, '\0');
    key += label;
  }
  return key;
}

bool KeyBelow(const std::string& key, const std::string& above) {
  return above.empty() || (key.compare(0, above.size(), above) == 0 &&
                           (key.size() == above.size() || key[above.size()] == '\0'));
}

void AddMerged(std::vector<ClassRange>& ranges, ClassRange range) {
  if (!ranges.empty() && ranges.back().last + 1 == range.first) {
    ranges.back().last = range.last;
  } else {
    ranges.push_back(range);
  }
}

std::vector<ClassRange> Merged(std::set<uint32_t> numbers) {
  std::vector<ClassRange> ranges;
  for (const uint32_t number : numbers) {
    AddMerged(ranges, {number, number});
  }
  return ranges;
}

}  // namespace

ValueClasses::ValueClasses(const std::vector<const ArgumentMatcher*>& conditions, bool is_path,
                           const Json* schema, const std::vector<std::string>& folders)
    : is_path_(is_path) {
  CutNumbers(conditions);
  first_text_ = kTrue + 1 + 2 * static_cast<uint32_t>(points_.size()) + 1;
  CutTexts(conditions, schema, folders);
  Restrict(schema);
}

// What a value of the policy is compared with: of a path argument, the whole path. nullopt: nothing.
std::optional<std::string> ValueClasses::Canonical(const std::string& text) const {
  if (!is_path_) {
    return text;
  }
  const std::string path = text == "." ? std::string(kWorkspaceRoot)
                           : !text.empty() && text.front() == '/'
                               ? text
                               : std::string(kWorkspaceRoot) + "/" + text;
  return IsNormalPath(path) ? std::optional<std::string>(path) : std::nullopt;
}

void ValueClasses::CutNumbers(const std::vector<const ArgumentMatcher*>& conditions) {
  std::set<double> points;
  const auto add = [&](std::optional<double> point) {
    if (point.has_value()) {
      points.insert(*point);
    }
  };
  for (const ArgumentMatcher* condition : conditions) {
    if (condition->kind == Kind::kRange) {
      add(Exact(condition->minimum));
      add(Exact(condition->maximum));
    }
    for (const Json& value : IsChoice(*condition) ? condition->values : std::vector<Json>()) {
      add(Exact(value));
    }
  }
  points_.assign(points.begin(), points.end());
}

void ValueClasses::CutTexts(const std::vector<const ArgumentMatcher*>& conditions,
                            const Json* schema, const std::vector<std::string>& folders) {
  std::set<std::string> named;
  const auto name = [&](const Json& value) {
    if (value.is_string()) {
      if (auto text = Canonical(value.get_ref<const std::string&>())) {
        named.insert(std::move(*text));
      }
    }
  };
  std::set<std::string> all_folders(folders.begin(), folders.end());
  all_folders.insert({"/", std::string(kWorkspaceRoot)});
  for (const ArgumentMatcher* condition : conditions) {
    if (IsChoice(*condition)) {
      std::for_each(condition->values.begin(), condition->values.end(), name);
    } else if (condition->kind == Kind::kUnder) {
      all_folders.insert(condition->text);
    }
  }
  const Json* choices = schema != nullptr ? FindMember(*schema, "enum") : nullptr;
  if (choices != nullptr && choices->is_array()) {
    std::for_each(choices->begin(), choices->end(), name);
  }
  // Folders before the texts that name them; texts by the path that they name.
  std::map<std::pair<std::string, std::string>, bool> sorted;
  for (const std::string& folder : all_folders) {
    sorted[{PathKey(folder), ""}] = false;
  }
  std::vector<std::string> no_paths;
  for (const std::string& text : named) {
    if (const auto path = NormalisePath(text)) {
      sorted[{PathKey(*path), text}] = true;
    } else {
      no_paths.push_back(text);
    }
  }
  no_paths_ = static_cast<uint32_t>(no_paths.size());
  const auto number = [&] { return first_text_ + 1 + static_cast<uint32_t>(entries_.size()); };
  for (std::string& text : no_paths) {
    named_.emplace(text, static_cast<uint32_t>(entries_.size()));
    entries_.push_back({number(), std::move(text), /*named=*/true});
  }
  std::vector<std::pair<std::string, size_t>> open;  // folders around, with their entries
  const auto close = [&](const std::string& key, bool all) {
    while (!open.empty() && (all || !KeyBelow(key, open.back().first))) {
      entries_[open.back().second].below.last = number() - 1;
      open.pop_back();
    }
  };
  for (const auto& [keys, is_named] : sorted) {
    close(keys.first, false);
    const auto index = static_cast<uint32_t>(entries_.size());
    if (is_named) {
      named_.emplace(keys.second, index);
      entries_.push_back({number(), keys.second, /*named=*/true});
      continue;
    }
    std::string folder = keys.first.empty() ? "/" : keys.first;
    std::replace(folder.begin(), folder.end(), '\0', '/');
    folders_.emplace(folder, index);
    open.emplace_back(keys.first, index);
    entries_.push_back({number(), std::move(folder), /*named=*/false, {number(), number()}});
  }
  close("", true);
}

void ValueClasses::Restrict(const Json* schema) {
  if (is_path_) {
    domain_ = {{no_paths().last + 1, greatest()}};
    return;
  }
  const std::string type = schema != nullptr ? StringMember(*schema, "type") : "";
  const Json* choices = schema != nullptr ? FindMember(*schema, "enum") : nullptr;
  if (type == "string" && choices != nullptr && choices->is_array()) {
    const std::vector<Json> values(choices->begin(), choices->end());
    domain_ = *Named(values);
  } else if (type == "string") {
    domain_ = {texts()};
  } else if (type == "boolean") {
    domain_ = {{kFalse, kTrue}};
  } else if (type == "array") {
    domain_ = {{kArray, kArray}};
  } else if (type == "object") {
    domain_ = {{kObject, kObject}};
  } else if (type == "integer") {
    // Points and gaps take turns: the gap before point i is 2i.
    for (uint32_t i = 0; i <= 2 * points_.size(); ++i) {
      const size_t point = i / 2;
      const bool gap = i % 2 == 0;
      const bool whole = gap ? point == 0 || point == points_.size() ||
                                   std::floor(points_[point - 1]) + 1 < points_[point]
                             : points_[point] == std::floor(points_[point]);
      if (whole) {
        AddMerged(domain_, {numbers().first + i, numbers().first + i});
      }
    }
  } else if (type == "number") {
    domain_ = {numbers()};
  } else {
    domain_ = {{kNull, greatest()}};
  }
}

std::optional<std::vector<ClassRange>> ValueClasses::Named(const std::vector<Json>& values) const {
  std::set<uint32_t> numbers_named;
  for (const Json& value : values) {
    if (value.is_string()) {
      const auto text = Canonical(value.get_ref<const std::string&>());
      const auto found = text.has_value() ? named_.find(*text) : named_.end();
      if (found != named_.end()) {
        numbers_named.insert(entries_[found->second].number);
      }
    } else if (is_path_) {
      continue;  // a path is a text
    } else if (value.is_boolean()) {
      numbers_named.insert(value.get<bool>() ? kTrue : kFalse);
    } else if (value.is_number()) {
      if (!Exact(value).has_value()) {
        return std::nullopt;
      }
      numbers_named.insert(ClassOf(&value));
    }
  }
  return Merged(std::move(numbers_named));
}

std::optional<std::vector<ClassRange>> ValueClasses::Between(int64_t minimum,
                                                             int64_t maximum) const {
  if (!Exact(minimum).has_value() || !Exact(maximum).has_value()) {
    return std::nullopt;
  }
  const Json low(minimum);
  const Json high(maximum);
  return std::vector<ClassRange>{{ClassOf(&low), ClassOf(&high)}};
}

ClassRange ValueClasses::Under(const std::string& folder) const {
  return entries_[folders_.at(folder)].below;
}

uint32_t ValueClasses::ClassOf(const Json* value) const {
  if (value == nullptr) {
    return kAbsent;
  }
  if (value->is_null() || value->is_object() || value->is_array()) {
    return value->is_null() ? kNull : value->is_object() ? kObject : kArray;
  }
  if (value->is_boolean()) {
    return value->get<bool>() ? kTrue : kFalse;
  }
  if (value->is_number()) {
    const auto number = value->get<double>();
    const auto at = std::lower_bound(points_.begin(), points_.end(), number);
    const auto index = static_cast<uint32_t>(at - points_.begin());
    return numbers().first + 2 * index + (at != points_.end() && *at == number ? 1 : 0);
  }
  const auto& text = value->get_ref<const std::string&>();
  if (const auto found = named_.find(text); found != named_.end()) {
    return entries_[found->second].number;
  }
  std::optional<std::string> path = NormalisePath(text);
  if (!path.has_value()) {
    return first_text_;
  }
  for (;;) {
    if (const auto found = folders_.find(*path); found != folders_.end()) {
      return entries_[found->second].number;
    }
    const size_t slash = path->rfind('/');
    path->resize(std::max<size_t>(slash, 1));
  }
}

std::optional<Json> ValueClasses::Example(uint32_t number) const {
  switch (number) {
    case kAbsent:
      return std::nullopt;
    case kNull:
      return Json(nullptr);
    case kObject:
      return Json::object();
    case kArray:
      return Json::array();
    case kFalse:
    case kTrue:
      return Json(number == kTrue);
    default:
      break;
  }
  if (number < first_text_) {
    const uint32_t index = (number - numbers().first) / 2;
    if ((number - numbers().first) % 2 == 1) {
      const double point = points_[index];
      return point == std::floor(point) ? Json(static_cast<int64_t>(point)) : Json(point);
    }
    if (points_.empty()) {
      return Json(1);
    }
    if (index == 0) {
      return Json(static_cast<int64_t>(std::floor(points_[0])) - 1);
    }
    const double low = points_[index - 1];
    const double next = std::floor(low) + 1;
    if (index == points_.size() || next < points_[index]) {
      return Json(static_cast<int64_t>(next));
    }
    return Json((low + points_[index]) / 2);
  }
  if (number == first_text_) {
    return Json(std::string("\0", 1));  // holds NUL
  }
  const Text& entry = entries_[number - first_text_ - 1];
  return entry.named ? Json(entry.text) : Json(entry.text == "/" ? "/x" : entry.text + "/x");
}

HostClasses::HostClasses(const std::vector<const ArgumentMatcher*>& conditions) {
  std::map<std::string, std::string> sorted;
  for (const ArgumentMatcher* condition : conditions) {
    if (condition->kind != Kind::kHostIn) {
      continue;
    }
    for (const Json& value : condition->values) {
      const auto& pattern = value.get_ref<const std::string&>();
      const std::string host = pattern.substr(0, 2) == "*." ? pattern.substr(2) : pattern;
      sorted.emplace(HostKey(host), host);
    }
  }
  std::vector<std::pair<std::string, size_t>> open;
  const auto close = [&](const std::string& key, bool all) {
    while (!open.empty() && (all || !KeyBelow(key, open.back().first))) {
      last_[open.back().second] = greatest();
      open.pop_back();
    }
  };
  for (const auto& [key, host] : sorted) {
    close(key, false);
    open.emplace_back(key, hosts_.size());
    index_.emplace(host, static_cast<uint32_t>(hosts_.size()));
    hosts_.push_back(host);
    last_.push_back(0);
  }
  close("", true);
}

ClassRange HostClasses::RangeOf(const std::string& pattern) const {
  if (pattern.substr(0, 2) != "*.") {
    const uint32_t exact = 2 + 2 * index_.at(pattern);
    return {exact, exact};
  }
  const uint32_t index = index_.at(pattern.substr(2));
  return {3 + 2 * index, last_[index]};
}

uint32_t HostClasses::ClassOf(std::string_view text) const {
  const std::optional<std::string> host = HostOf(text);
  if (!host.has_value()) {
    return kUnsure;
  }
  if (const auto found = index_.find(*host); found != index_.end()) {
    return 2 + 2 * found->second;
  }
  if (HostLabels(*host).size() > 1) {
    for (size_t dot = host->find('.'); dot != std::string::npos; dot = host->find('.', dot + 1)) {
      if (const auto found = index_.find(host->substr(dot + 1)); found != index_.end()) {
        return 3 + 2 * found->second;
      }
    }
  }
  return 1;
}

std::string HostClasses::Example(uint32_t number) const {
  if (number == kUnsure) {
    return "https://a@b/";
  }
  if (number == 1) {
    return "other.invalid";
  }
  const std::string& host = hosts_[(number - 2) / 2];
  return number % 2 == 0 ? host : "x." + host;
}

}  // namespace nacre::policy
