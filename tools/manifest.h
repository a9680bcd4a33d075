// Manifest: what a tool says of itself (tool.yaml beside its program). Read at start, strict and
// bounded; a tool can only ask for things here, the policy decides what it gets.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace nacre::tools {

enum class Effect { kRead = 0, kWrite, kExecute };  // the strongest effect a call can have
const char* EffectName(Effect effect);

// What runs the program. kNone: the kernel, as it is.
enum class Interpreter { kNone = 0, kPython3 };

enum class HostService { kMemory = 0 };  // what a tool may ask the runtime for over its channel

struct PathParameter {
  std::string key;
  bool written = false;  // the call changes what it names

  friend bool operator==(const PathParameter&, const PathParameter&) = default;
};

// What the tool says for the policy's data flows (docs/information-flow.md), in the policy's words.
// Nothing said: its effect alone, and the policy's sources for its results.
struct FlowSection {
  std::vector<std::string> effects;                        // of: read, fetch, write, delete, ...
  std::vector<std::pair<std::string, std::string>> roles;  // argument and role
  std::optional<bool> result_trusted;                      // the whole of it, but for the fields
  bool result_echo = false;                                // it only repeats the arguments
  std::string result_format;                               // "", "json", "yaml"
  std::vector<std::string> trusted_fields;                 // keys that it vouches for
  std::vector<std::string> untrusted_fields;               // its own keys, of others' values
  bool keys_trusted = false;

  friend bool operator==(const FlowSection&, const FlowSection&) = default;
};

struct Manifest {
  std::string name;         // "fs.read": letters, digits, '_' and '.', at most 64
  std::string description;  // for the model
  // JSON Schema of the arguments, the subset that sdk/schema.h checks. Property order is kept: the
  // grammar emits keys in this order.
  OrderedJson parameters;
  std::vector<PathParameter> paths;  // properties of format "path" (read) or "path-write"
  Effect effect = Effect::kExecute;
  bool idempotent = false;  // safe to run again when a crash left its outcome unknown
  std::vector<HostService> host_services;
  std::string program;  // absolute path on the host
  Interpreter interpreter = Interpreter::kNone;
  bool builtin = false;
  bool runtime =
      false;  // done by the runtime itself: there is no program, and nothing of it in a sandbox
  FlowSection flow = {};
};

// `directory` holds tool.yaml and the program it names. Errors name file, line and key.
Result<Manifest> LoadManifest(const std::string& directory);

}  // namespace nacre::tools
