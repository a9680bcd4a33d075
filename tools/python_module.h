// The module that tools in Python import: sdk/python/nacre_tool.py, compiled into the runtime so that it
// always speaks the runtime's protocol.
#pragma once

#include <string>

namespace nacre::tools {

// Its name, a newline and its source, as sandbox/interpreter/python.h wants them. Pure.
std::string PythonToolModule();

}  // namespace nacre::tools
