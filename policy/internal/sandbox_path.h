// Paths as the sandbox sees them, by their text alone: the workspace is /workspace, and the current
// directory of every tool.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nacre::policy {

inline constexpr std::string_view kWorkspaceRoot = "/workspace";

// True for an absolute path without "." or ".." or empty segments, trailing slash or NUL.
bool IsNormalPath(std::string_view path);

// Resolves ".", ".." and doubled slashes; a relative path counts from the workspace. nullopt for
// text that is no path: empty, or holding NUL.
std::optional<std::string> NormalisePath(std::string_view path);

// True when `path` is `directory` or below it, whole segments compared: "/workspace-evil" is not
// under "/workspace". Both normal.
bool IsUnder(std::string_view path, std::string_view directory);

// "src/a.c" for "/workspace/src/a.c", "" for "/workspace", nullopt for what is outside.
std::optional<std::string> WorkspaceRelative(std::string_view path);

}  // namespace nacre::policy
