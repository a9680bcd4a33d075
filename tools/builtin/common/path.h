// Paths as arguments and as they are shown: relative to the workspace, which is the current
// directory, and free of what could pass for other text.
#pragma once

#include <string>
#include <string_view>

#include "nacre/sdk/tool.h"

namespace nacre::tools::builtin {

// The string argument, or `fallback` when it is absent. Throws ToolError when that is empty or
// holds a NUL byte, which the kernel would take for its end.
std::string PathArgument(const sdk::Arguments& arguments, const char* key,
                         const std::string& fallback = {});

// "src/a.c" for "./src//a.c" and for its absolute path; "." for the workspace itself.
std::string ShownPath(const std::string& path);

// Control characters as U+FFFD: a name may hold a newline, but must not look like two entries.
std::string ShownName(std::string_view name);

// Always throws ToolError, for what failed with `errnum`: "no such file: PATH", "read-only: PATH".
// `kind` is what was expected there: "file", "directory".
[[noreturn]] void ThrowErrno(int errnum, const std::string& path, const char* kind = "file");

}  // namespace nacre::tools::builtin
