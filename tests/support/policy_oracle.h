// The oracle: what docs/policy-reference.md says about a call, as slow and obvious code. It asks every
// condition of every rule, and shares with the engine only the values and how a host is read.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/internal/host.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy::oracle {

struct Expected {
  Verdict verdict = Verdict::kDeny;
  std::string rule = "default";
};

inline std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text) {
    if (c == '/') {
      parts.push_back(std::exchange(part, {}));
    } else {
      part += c;
    }
  }
  if (!text.empty()) {
    parts.push_back(part);
  }
  return parts;
}

// For the globs of tests/support/random_policy.h: ASCII, without sets.
inline bool SegmentFits(const std::string& glob, size_t g, const std::string& name, size_t n) {
  if (g == glob.size()) {
    return n == name.size();
  }
  if (glob[g] == '*') {
    return SegmentFits(glob, g + 1, name, n) ||
           (n < name.size() && SegmentFits(glob, g, name, n + 1));
  }
  return n < name.size() && (glob[g] == '?' || glob[g] == name[n]) &&
         SegmentFits(glob, g + 1, name, n + 1);
}

inline bool GlobFits(const std::vector<std::string>& glob, size_t g,
                     const std::vector<std::string>& path, size_t p) {
  if (g == glob.size()) {
    return p == path.size();
  }
  if (glob[g] == "**") {
    return GlobFits(glob, g + 1, path, p) || (p < path.size() && GlobFits(glob, g, path, p + 1));
  }
  return p < path.size() && SegmentFits(glob[g], 0, path[p], 0) &&
         GlobFits(glob, g + 1, path, p + 1);
}

// Absolute and free of ".", ".." and "//", counted from the workspace; nullopt for no path.
inline std::optional<std::vector<std::string>> Normal(const std::string& text) {
  if (text.empty() || text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  std::vector<std::string> folders;
  for (const std::string& part : Split(text[0] == '/' ? text : "/workspace/" + text)) {
    if (part == ".." && !folders.empty()) {
      folders.pop_back();
    } else if (part != ".." && part != "." && !part.empty()) {
      folders.push_back(part);
    }
  }
  return folders;
}

inline bool Begins(const std::vector<std::string>& path, const std::vector<std::string>& folder) {
  return path.size() >= folder.size() &&
         std::vector<std::string>(path.begin(), path.begin() + static_cast<long>(folder.size())) ==
             folder;
}

// "src/a" of /workspace/src/a, "" of /workspace; nullopt outside.
inline std::optional<std::string> InWorkspace(const std::string& path) {
  if (path == "/workspace") {
    return "";
  }
  return path.rfind("/workspace/", 0) == 0 ? std::optional(path.substr(11)) : std::nullopt;
}

// Beyond what int64_t holds, which nlohmann takes for negative.
inline bool Huge(const Json& value) {
  return value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX};
}

enum class Met { kNo, kYes, kWrongType, kUnsure };

inline Met Ask(const ArgumentMatcher& matcher, const Json& value, const PathArgument* path) {
  using Kind = ArgumentMatcher::Kind;
  const auto met = [](bool yes) { return yes ? Met::kYes : Met::kNo; };
  const std::string text = path != nullptr     ? path->path
                           : value.is_string() ? value.get<std::string>()
                                               : std::string();
  const bool is_text = path != nullptr || value.is_string();
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      if (value.is_null() || value.is_array() || value.is_object()) {
        return Met::kWrongType;
      }
      for (const Json& wanted : matcher.values) {
        if (path == nullptr || !wanted.is_string() ||
            wanted.get<std::string>().rfind('/', 0) == 0) {
          if (wanted == (path != nullptr ? Json(text) : value) &&
              (wanted.is_number_float() || value.is_number_float() ||
               Huge(wanted) == Huge(value))) {
            return Met::kYes;
          }
        } else if (const auto inside = InWorkspace(text)) {
          if (wanted.get<std::string>() == (inside->empty() ? "." : *inside)) {
            return Met::kYes;
          }
        }
      }
      return Met::kNo;
    case Kind::kMaxItems:
      return value.is_array() ? met(static_cast<int64_t>(value.size()) <= matcher.maximum)
                              : Met::kWrongType;
    case Kind::kRange:
      return value.is_number() ? met(!Huge(value) && value >= Json(matcher.minimum) &&
                                     value <= Json(matcher.maximum))
                               : Met::kWrongType;
    default:
      break;
  }
  if (!is_text) {
    return Met::kWrongType;
  }
  if (matcher.kind == Kind::kMaxLength) {
    return met(static_cast<int64_t>(text.size()) <= matcher.maximum);
  }
  if (matcher.kind == Kind::kMatches) {
    return met(re2::RE2::FullMatch(text, matcher.text));
  }
  if (matcher.kind == Kind::kUnder) {
    const auto normal = Normal(text);
    return normal.has_value() ? met(Begins(*normal, *Normal(matcher.text))) : Met::kWrongType;
  }
  if (matcher.kind == Kind::kGlob) {
    if (path == nullptr || matcher.text[0] == '/') {
      return met(GlobFits(Split(matcher.text), 0, Split(text), 0));
    }
    const auto inside = InWorkspace(text);
    return met(inside.has_value() && GlobFits(Split(matcher.text), 0, Split(*inside), 0));
  }
  const auto host = HostOf(text);
  for (const Json& pattern : matcher.values) {
    if (host.has_value() && HostMatches(pattern.get<std::string>(), *host)) {
      return Met::kYes;
    }
  }
  return host.has_value() ? Met::kNo : Met::kUnsure;
}

inline bool Holds(const ArgumentMatcher& matcher, const Request& request, const Json* value,
                  size_t step, const std::string& at) {
  if (value == nullptr) {
    return false;
  }
  if (step == matcher.steps.size()) {
    const PathArgument* path = nullptr;
    for (const PathArgument& each : request.paths) {
      path = each.key == at ? &each : path;
    }
    const Met met = Ask(matcher, *value, path);
    return met == (matcher.negated ? Met::kNo : Met::kYes) ||
           (met == Met::kUnsure && matcher.holds_when_unsure);
  }
  const PathStep& here = matcher.steps[step];
  if (here.kind == PathStep::Kind::kMember) {
    const bool there = value->is_object() && value->contains(here.name);
    return Holds(matcher, request, there ? &(*value)[here.name] : nullptr, step + 1,
                 at.empty() ? here.name : at + "." + here.name);
  }
  const size_t size = value->is_array() ? value->size() : 0;
  size_t met = 0;
  for (size_t i = 0; i < size; ++i) {
    const bool asked = here.kind != PathStep::Kind::kIndex || here.index == i;
    met += asked &&
           Holds(matcher, request, &(*value)[i], step + 1, at + "[" + std::to_string(i) + "]");
  }
  return here.kind == PathStep::Kind::kEvery ? size > 0 && met == size : met > 0;
}

inline bool SpeaksOf(const ToolRule& rule, const std::string& tool) {
  for (const std::string& name : rule.tools) {
    const bool prefix = name.size() > 2 && name.substr(name.size() - 2) == ".*";
    const std::string stem = name.substr(0, name.size() - 1);
    if (name == "*") {
      return true;
    }
    if (prefix ? tool.size() > stem.size() && tool.substr(0, stem.size()) == stem : name == tool) {
      return true;
    }
  }
  return false;
}

// A hidden folder hides what is in it.
inline bool Covered(const std::vector<std::string>& globs, const std::string& inside) {
  std::vector<std::string> above;
  for (const std::string& part : Split(inside)) {
    above.push_back(part);
    for (const std::string& glob : globs) {
      if (GlobFits(Split(glob), 0, above, 0)) {
        return true;
      }
    }
  }
  return false;
}

inline Expected Judge(const PolicyDocument& policy, const Request& request) {
  for (const PathArgument& path : request.paths) {
    const auto inside = InWorkspace(path.path);
    if (!inside.has_value()) {
      continue;
    }
    if (policy.grant.workspace == WorkspaceMode::kNone) {
      return {Verdict::kDeny, "workspace.mode"};
    }
    if (Covered(policy.grant.hide, *inside)) {
      return {Verdict::kDeny, "workspace.hide"};
    }
    if (path.access == PathAccess::kWrite && Covered(policy.grant.protect, *inside)) {
      return {Verdict::kDeny, "workspace.protect"};
    }
    if (path.access == PathAccess::kWrite && policy.grant.workspace == WorkspaceMode::kReadOnly) {
      return {Verdict::kDeny, "workspace.mode"};
    }
  }
  for (const Verdict verdict : {Verdict::kDeny, Verdict::kAsk, Verdict::kAllow}) {
    for (const ToolRule& rule : policy.tools) {
      bool matches = rule.verdict == verdict && SpeaksOf(rule, request.tool);
      for (const ArgumentMatcher& matcher : rule.arguments) {
        matches = matches && Holds(matcher, request, &request.arguments, 0, "");
      }
      if (matches) {
        return {verdict, "tools." + rule.id};
      }
    }
  }
  return {};
}

}  // namespace nacre::policy::oracle
