#include <algorithm>
#include <optional>
#include <vector>

#include "nacre/sdk/schema.h"
#include "runtime/agent/quarantine.h"
#include "runtime/agent/tool_call.h"
#include "sandbox/spec_check.h"

namespace nacre::agent {
namespace {

constexpr size_t kArgumentsBytesMax = 256U << 10;
constexpr int kArgumentsDepthMax = 8;
constexpr size_t kPathBytesMax = 4096;  // PATH_MAX

// Joins and resolves ".", ".." and doubled slashes; ".." stops at the root, as in the kernel.
std::string ResolveLexically(const std::string& base, const std::string& path) {
  std::vector<std::string> segments;
  const auto walk = [&segments](const std::string& text) {
    size_t start = 0;
    while (start <= text.size()) {
      const size_t end = std::min(text.find('/', start), text.size());
      const std::string segment = text.substr(start, end - start);
      if (segment == "..") {
        if (!segments.empty()) {
          segments.pop_back();
        }
      } else if (!segment.empty() && segment != ".") {
        segments.push_back(segment);
      }
      start = end + 1;
    }
  };
  if (path.empty() || path.front() != '/') {
    walk(base);
  }
  walk(path);
  std::string resolved;
  for (const std::string& segment : segments) {
    resolved += "/" + segment;
  }
  return resolved.empty() ? "/" : resolved;
}

// Below /proc and /dev, names such as /proc/self/cwd lead anywhere: a path through them is another name for a file that
// rules, sources and labels know by its own.
bool LeadsAnywhere(const std::string& path) {
  if (sandbox::IsBelow(path, "/dev/fd")) {
    return true;
  }
  if (!sandbox::IsBelow(path, "/proc")) {
    return false;
  }
  for (const char* name : {"/cwd/", "/root/", "/fd/", "/exe/", "/map_files/"}) {
    if ((path + '/').find(name) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string NormalizePath(const std::string& path, const PathContext& context) {
  std::string expanded = path;
  if (!context.home.empty() && (path == "~" || path.starts_with("~/"))) {
    expanded = context.home + path.substr(1);
  }
  const std::string resolved = ResolveLexically(kWorkspaceTarget, expanded);
  // People name files as their own shell shows them. "/" as a workspace would swallow everything.
  if (context.workspace.size() > 1 && !sandbox::IsBelow(resolved, kWorkspaceTarget) &&
      sandbox::IsBelow(resolved, context.workspace)) {
    return kWorkspaceTarget + resolved.substr(context.workspace.size());
  }
  return resolved;
}

std::variant<ToolCall, BadToolCall> ParseToolCall(const inference::EmittedCall& emitted,
                                                  const tools::Registry& registry,
                                                  const PathContext& context,
                                                  const Quarantine* quarantine) {
  const tools::Manifest* tool = registry.Find(emitted.name);
  if (tool == nullptr) {
    std::string known;
    for (const tools::Manifest& manifest : registry.all()) {
      if (!manifest.runtime || quarantine != nullptr) {
        known += (known.empty() ? "" : ", ") + manifest.name;
      }
    }
    return BadToolCall{"there is no tool \"" + emitted.name.substr(0, 64) + "\"; there are " +
                       known};
  }
  Result<Json> arguments = ParseJson(
      emitted.arguments_json, {.bytes_max = kArgumentsBytesMax, .depth_max = kArgumentsDepthMax});
  if (!arguments.ok()) {
    return BadToolCall{"arguments of " + tool->name + ": " + arguments.error().message};
  }
  ToolCall call{tool, {tool->name, std::move(arguments).value(), {}}};
  std::vector<policy::WithheldArgument>& withheld = call.request.withheld;
  if (quarantine != nullptr) {
    auto placed = PutInPlace(call.request.arguments, *quarantine, kArgumentsBytesMax);
    if (!placed.ok()) {
      return BadToolCall{"arguments of " + tool->name + ": " + placed.error().message};
    }
    withheld = std::move(placed).value();
  }
  const auto bad = [&](const std::string& problem) {
    // What is wrong with a text that the model may not read could tell it what the text is.
    return BadToolCall{"arguments of " + tool->name + ": " +
                       (withheld.empty() ? problem
                                         : "with " + ShownHandles(withheld) +
                                               " in place they are not what the tool takes")};
  };
  if (const std::optional<std::string> problem =
          sdk::Validate(tool->parameters, call.request.arguments);
      problem.has_value()) {
    return bad(*problem);
  }
  for (const tools::PathParameter& parameter : tool->paths) {
    // An absent optional path means the workspace itself, as the tools read it.
    const std::string path = StringMember(call.request.arguments, parameter.key, ".");
    if (path.size() > kPathBytesMax || path.find('\0') != std::string::npos) {
      return bad('/' + parameter.key + ": expected a path of at most " +
                 std::to_string(kPathBytesMax) + " bytes without NUL");
    }
    const std::string normalized = NormalizePath(path, context);
    if (LeadsAnywhere(normalized)) {
      return bad('/' + parameter.key +
                 ": a path through /proc or /dev/fd; name the file by its own path");
    }
    call.request.arguments[parameter.key] = normalized;
    call.request.paths.push_back(
        {parameter.key, normalized,
         parameter.written ? policy::PathAccess::kWrite : policy::PathAccess::kRead});
  }
  return call;
}

}  // namespace nacre::agent
