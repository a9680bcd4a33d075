// What the policy is asked to judge: one tool call, already parsed into a bounded, typed value.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "policy/flow.h"

namespace nacre::policy {

enum class PathAccess { kRead = 0, kWrite };

// PathArgument::followed where links lead nobody knows where.
inline constexpr const char* kNowhereKnown = "?";

// An argument that names a file, normalised: absolute in the sandbox, no "." or "..", no doubled
// slash.
struct PathArgument {
  std::string key;   // "path"
  std::string path;  // "/workspace/src/a.c"
  PathAccess access = PathAccess::kRead;
  // What earlier sessions left known of what lies there, or below: only this may be more delicate than what
  // sources and this session's own writes say.
  Label label = Label::Clean();
  // Where links of the workspace lead the path, normalised as well; empty: to itself. A rule speaks of a file, not of
  // the name that a call opens it by.
  std::string followed = {};

  friend bool operator==(const PathArgument&, const PathArgument&) = default;
};

// An argument that holds a text which was withheld from the model: it wrote the handle, and the text was
// put in its place before the call was judged.
struct WithheldArgument {
  std::string key;     // of the argument itself, wherever in it the text stands: "argv"
  std::string handle;  // "$r1"
  Label label;         // of the text

  friend bool operator==(const WithheldArgument&, const WithheldArgument&) = default;
};

struct Request {
  std::string tool;
  Json arguments = Json::object();  // path arguments stand in it in their normalised form
  std::vector<PathArgument> paths;
  // What is known of its data (policy/context_tracker). Without it, no flow rule can match but one that
  // speaks of the tool alone.
  FlowFacts flow = {};
  std::vector<WithheldArgument> withheld = {};
  // What earlier sessions left known of data that no argument names: notes that it was answered, and all files
  // of the workspace where it runs a program, which may read any.
  Label unnamed = Label::Clean();
};

}  // namespace nacre::policy
