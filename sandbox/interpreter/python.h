// How Python is started so that a warm sandbox can start it before the call is there.
//
//   spec.argv = interpreter::PythonCommand(module);
//   spec.interpreter_arguments = spec.argv.size();
//   spec.argv.push_back("/nacre/tool/tool.py");
//
// The same command cold and warm, isolated from its surroundings: no variable, no user's packages, no
// .pth file and no sitecustomize has a part in it; what is importable are the standard library, the
// system's packages and the script's own folder, never the working directory.
//
// Python only: Node starts threads before its first line of script, and Landlock and seccomp would
// hold the one that takes the call, not the others.
#pragma once

#include <string>
#include <vector>

namespace nacre::sandbox::interpreter {

inline constexpr const char* kPythonProgram = "/usr/bin/python3";

// `module`: the name of a module, a newline and its source, which scripts can import then; or "".
// Trusted, and the same for all calls: it is run before the sandbox of a call is locked. Pure.
std::vector<std::string> PythonCommand(std::string module);

}  // namespace nacre::sandbox::interpreter
