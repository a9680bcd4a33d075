#include "policy/internal/schema_check.h"

#include <algorithm>
#include <utility>

#include "policy/internal/display.h"
#include "policy/internal/matcher.h"
#include "policy/internal/problems.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

constexpr int kRangeBytes = 16;  // of the least and greatest text that a pattern matches

std::string Quoted(const std::string& text) {
  return "\"" + text + "\"";
}

// "a text", as people say it; "" where the schema is silent.
std::string TypeName(const Json& schema) {
  const std::string type = StringMember(schema, "type");
  return type == "string"    ? "a text"
         : type == "integer" ? "a whole number"
         : type == "number"  ? "a number"
         : type == "boolean" ? "true or false"
         : type == "array"   ? "a list"
         : type == "object"  ? "a map"
                             : "";
}

bool IsNumber(const Json& schema) {
  const std::string type = StringMember(schema, "type");
  return type == "integer" || type == "number";
}

size_t Characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

class Check {
 public:
  Check(const std::string& tool, const ArgumentMatcher& matcher) : tool_(tool), matcher_(matcher) {}

  std::vector<Misfit> Find(const Json& schema) {
    if (const Json* leaf = Follow(schema)) {
      CheckType(*leaf);
      if (misfits_.empty()) {
        CheckBounds(*leaf);
        CheckValues(*leaf);
        CheckPathPattern(*leaf);
      }
    }
    return std::move(misfits_);
  }

 private:
  void Add(std::string what, std::string suggestion = {}, std::optional<size_t> value = {}) {
    misfits_.push_back({std::move(what), std::move(suggestion), false, value});
  }
  void AddOfPath(std::string what, std::string suggestion = {}) {
    misfits_.push_back({std::move(what), std::move(suggestion), true, {}});
  }
  // "fs.list's sort"
  std::string Argument() const { return tool_ + "'s " + matcher_.path; }

  // What the schema says of the argument; null when there is none, or it is silent.
  const Json* Follow(const Json& schema) {
    const Json* at = &schema;
    for (size_t i = 0; i < matcher_.steps.size(); ++i) {
      const PathStep& step = matcher_.steps[i];
      const bool member = step.kind == PathStep::Kind::kMember;
      const std::string type = StringMember(*at, "type");
      if (!type.empty() && type != (member ? "object" : "array")) {
        AddOfPath(tool_ + "'s " + PathText(matcher_.steps, i) + " is " + TypeName(*at) +
                  (member ? ", and has no members" : ", and no list"));
        return nullptr;
      }
      const Json* inner = FindMember(*at, member ? "properties" : "items");
      if (inner == nullptr) {
        return nullptr;
      }
      if (member) {
        const Json* property = FindMember(*inner, step.name);
        if (property == nullptr) {
          AddOfPath(Quoted(tool_) + " has no argument " + Quoted(matcher_.path),
                    i == 0 && FindMember(*inner, matcher_.path) != nullptr
                        ? MemberPath("", matcher_.path)  // its dot is no step
                        : NearestProperty(*inner, i));
          return nullptr;
        }
        at = property;
        continue;
      }
      const int64_t items_max = IntMember(*at, "maxItems", INT64_MAX);
      if (step.kind == PathStep::Kind::kIndex && static_cast<int64_t>(step.index) >= items_max) {
        AddOfPath(tool_ + "'s " + PathText(matcher_.steps, i) + " has at most " +
                  std::to_string(items_max) + " elements");
        return nullptr;
      }
      at = inner;
    }
    return at;
  }

  // The whole path with the property that step `at` was probably meant to name.
  std::string NearestProperty(const Json& properties, size_t at) const {
    std::vector<std::string> names;
    for (const auto& [name, schema] : properties.items()) {
      names.push_back(name);
    }
    std::vector<PathStep> steps = matcher_.steps;
    steps[at].name = Nearest(steps[at].name, names);
    return steps[at].name.empty() ? "" : PathText(steps, steps.size());
  }

  void CheckType(const Json& leaf) {
    const std::string type = StringMember(leaf, "type");
    if (type.empty()) {
      return;
    }
    std::string needed;
    switch (matcher_.kind) {
      case Kind::kEquals:
      case Kind::kOneOf:
        return;  // value by value
      case Kind::kHostIn:
      case Kind::kUnder:
      case Kind::kGlob:
      case Kind::kMatches:
      case Kind::kMaxLength:
        needed = type == "string" ? "" : "a text";
        break;
      case Kind::kMaxItems:
        needed = type == "array" ? "" : "a list";
        break;
      case Kind::kRange:
        needed = IsNumber(leaf) ? "" : "a number";
        break;
    }
    if (!needed.empty()) {
      Add(Argument() + " is " + TypeName(leaf) + ", and " + MatcherName(matcher_.kind) +
          " speaks of " + needed);
    }
  }

  void CheckBounds(const Json& leaf) {
    const int64_t least = IntMember(leaf,
                                    matcher_.kind == Kind::kMaxLength  ? "minLength"
                                    : matcher_.kind == Kind::kMaxItems ? "minItems"
                                                                       : "minimum",
                                    INT64_MIN);
    const int64_t most =
        IntMember(leaf, matcher_.kind == Kind::kMaxItems ? "maxItems" : "maximum", INT64_MAX);
    const bool counts = matcher_.kind == Kind::kMaxLength || matcher_.kind == Kind::kMaxItems;
    if (matcher_.negated) {
      // What always holds is never met under `not`. (max_length counts bytes, so it is left out.)
      if (matcher_.kind == Kind::kRange && matcher_.minimum <= least && matcher_.maximum >= most) {
        Add(Argument() + " is always between " + std::to_string(least) + " and " +
            std::to_string(most));
      } else if (matcher_.kind == Kind::kMaxItems && matcher_.maximum >= most) {
        Add(Argument() + " always has at most " + std::to_string(most) + " elements");
      }
    } else if (counts && matcher_.maximum < least) {
      Add(Argument() + " has at least " + std::to_string(least) +
          (matcher_.kind == Kind::kMaxLength ? " characters" : " elements"));
    } else if (matcher_.kind == Kind::kRange && matcher_.maximum < least) {
      Add(Argument() + " is at least " + std::to_string(least));
    } else if (matcher_.kind == Kind::kRange && matcher_.minimum > most) {
      Add(Argument() + " is at most " + std::to_string(most));
    }
  }

  void CheckValues(const Json& leaf) {
    const Json* choices = FindMember(leaf, "enum");
    if (matcher_.kind == Kind::kEquals || matcher_.kind == Kind::kOneOf) {
      for (size_t i = 0; i < matcher_.values.size(); ++i) {
        CheckValue(leaf, choices, i);
      }
    } else if (choices != nullptr && std::none_of(choices->begin(), choices->end(),
                                                  [&](const Json& c) { return Met(c); })) {
      Add("none of " + Argument() + ", which are " + List(*choices) + ", meets this");
    }
  }

  // A path is compared as a whole, from "/": a pattern that no such text matches would never hold, and under
  // `not` always.
  void CheckPathPattern(const Json& leaf) {
    const std::string format = StringMember(leaf, "format");
    std::string least;
    std::string most;
    if (matcher_.kind == Kind::kMatches && (format == "path" || format == "path-write") &&
        matcher_.regex->PossibleMatchRange(&least, &most, kRangeBytes) &&
        (most < "/" || least >= "0")) {  // "0" comes after all that begins with "/"
      // An anchor is no part of a path.
      const std::string below = matcher_.text.substr(matcher_.text.rfind('^', 0) == 0 ? 1 : 0);
      const bool several = below.find('|') != std::string::npos;
      Add(Argument() + " is compared as a full path, which never matches this",
          std::string(kWorkspaceRoot) + "/" + (several ? "(" + below + ")" : below));
    }
  }

  // Whether the argument would meet the condition if it were `value`.
  bool Met(const Json& value) const {
    ArgumentMatcher alone = matcher_;
    alone.path = "value";
    alone.steps = {{PathStep::Kind::kMember, "value", 0}};
    return Holds(alone, {.tool = tool_, .arguments = {{"value", value}}, .paths = {}});
  }

  static std::string List(const Json& choices) {
    std::string text;
    for (const Json& choice : choices) {
      text += (text.empty() ? "" : ", ") +
              (choice.is_string() ? choice.get<std::string>() : DumpJson(choice));
    }
    return text;
  }

  void CheckValue(const Json& leaf, const Json* choices, size_t index) {
    const Json& value = matcher_.values[index];
    const auto at = matcher_.kind == Kind::kOneOf ? std::optional<size_t>(index) : std::nullopt;
    const std::string type = StringMember(leaf, "type");
    const bool fits = type.empty() || (type == "string" && value.is_string()) ||
                      (type == "boolean" && value.is_boolean()) ||
                      (type == "integer" && value.is_number_integer()) ||
                      (type == "number" && value.is_number());
    if (!fits) {
      Add(Argument() + " is " + TypeName(leaf) + ", and never " + ShownValue(value), "", at);
      return;
    }
    if (choices != nullptr) {
      if (std::find(choices->begin(), choices->end(), value) == choices->end()) {
        Add(Argument() + " is one of " + List(*choices) + ", and never " + ShownValue(value),
            NearestChoice(*choices, value), at);
      }
      return;
    }
    if (value.is_string()) {
      const auto length = static_cast<int64_t>(Characters(value.get_ref<const std::string&>()));
      const int64_t most = IntMember(leaf, "maxLength", INT64_MAX);
      if (length > most) {
        Add(Argument() + " has at most " + std::to_string(most) + " characters", "", at);
      }
    } else if (value.is_number_integer()) {
      const auto number = value.get<int64_t>();
      const int64_t least = IntMember(leaf, "minimum", INT64_MIN);
      const int64_t most = IntMember(leaf, "maximum", INT64_MAX);
      if (number < least) {
        Add(Argument() + " is at least " + std::to_string(least), "", at);
      } else if (number > most) {
        Add(Argument() + " is at most " + std::to_string(most), "", at);
      }
    }
  }

  static std::string NearestChoice(const Json& choices, const Json& value) {
    if (!value.is_string()) {
      return "";
    }
    std::vector<std::string> names;
    for (const Json& choice : choices) {
      names.push_back(choice.is_string() ? choice.get<std::string>() : DumpJson(choice));
    }
    return Nearest(value.get_ref<const std::string&>(), names);
  }

  const std::string& tool_;
  const ArgumentMatcher& matcher_;
  std::vector<Misfit> misfits_;
};

}  // namespace

std::vector<Misfit> FindMisfits(const std::string& tool, const Json& schema,
                                const ArgumentMatcher& matcher) {
  return Check(tool, matcher).Find(schema);
}

}  // namespace nacre::policy
