#include "policy/internal/call_origins.h"

#include <algorithm>

#include "policy/provenance.h"

namespace nacre::policy {
namespace {

constexpr size_t kArgumentOriginsMax = 256;
constexpr size_t kShownValueBytesMax = 120;
constexpr int kArgumentDepthMax = 16;

bool IsMemberName(const std::string& key) {
  return std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void AddValues(const Json& value, int depth, std::vector<std::string>& values) {
  if (values.size() > kArgumentOriginsMax || depth > kArgumentDepthMax) {
    return;
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      if (!IsMemberName(key)) {
        values.push_back(key);
      }
      AddValues(member, depth + 1, values);
    }
  } else if (value.is_array()) {
    for (const Json& item : value) {
      AddValues(item, depth + 1, values);
    }
  } else if (value.is_string()) {
    values.push_back(value.get<std::string>());
  } else if (value.is_number() || value.is_boolean()) {
    values.push_back(DumpJson(value));
  }
}

}  // namespace

std::vector<std::string> ValuesOf(const Json& argument) {
  std::vector<std::string> values;
  AddValues(argument, 0, values);
  return values;
}

void CallOrigins::Look(const std::string& argument, ArgumentRole role, const Json& value,
                       const Asked& asked) {
  const auto look = [&](ArgumentRole part, const std::string& text) {
    for (const Origin origin : asked(part, text)) {
      Add(argument, part, text, origin);
    }
  };
  if (role == ArgumentRole::kOption) {
    return;
  }
  const bool has_links = role == ArgumentRole::kTitle || role == ArgumentRole::kBody;
  const std::vector<std::string> values = ValuesOf(value);
  for (const std::string& text : values) {
    any_value_ = true;
    look(role, text);
    const std::vector<std::string> places = has_links ? PlacesIn(text) : std::vector<std::string>();
    for (const std::string& place : places) {
      look(ArgumentRole::kLink, place);
    }
    if (places.size() > kPlacesMax) {
      AddUnknown(argument, ArgumentRole::kLink, "(too many places)");
    }
  }
  if (values.size() > kArgumentOriginsMax) {
    AddUnknown(argument, role, "(too many values)");
    if (has_links) {
      AddUnknown(argument, ArgumentRole::kLink, "(too many values)");
    }
  }
}

void CallOrigins::AddUnknown(const std::string& argument, ArgumentRole role,
                             const std::string& value) {
  for (size_t origin = 0; origin < kOrigins; ++origin) {
    Add(argument, role, value, static_cast<Origin>(origin));
  }
}

void CallOrigins::Finish(const ToolTraits& tool) {
  if (tool.HasEffect() && !any_value_) {
    Add("(the call)", ArgumentRole::kSetting, "without a value", Origin::kDerived);
  }
}

void CallOrigins::Add(const std::string& argument, ArgumentRole role, const std::string& value,
                      Origin origin) {
  // Made from what was read: as good as that.
  if (origin == Origin::kDerived && vouched_) {
    origin = Origin::kTrusted;
  }
  // More than a person could look at: a flow looks for a role and an origin, so one of each stands for the rest.
  const auto says_it = [&](const ArgumentOrigin& known) {
    return known.role == role && known.origin == origin;
  };
  if (facts_.arguments.size() >= kArgumentOriginsMax &&
      std::any_of(facts_.arguments.begin(), facts_.arguments.end(), says_it)) {
    return;
  }
  facts_.arguments.push_back({argument, role, value.substr(0, kShownValueBytesMax), origin});
}

}  // namespace nacre::policy
