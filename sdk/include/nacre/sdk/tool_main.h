// ToolMain: the whole main() of a tool program.
//
// Inside nacre it takes one request from the runtime, calls the tool, and sends the result. The
// channel (standard input, and descriptor 3 for answers) is moved out of reach first: programs that
// the tool starts inherit neither, and cannot attach to the tool either.
//
// By hand:   word_count --call '{"path": "README.md"}'
// calls the tool once with these arguments, prints the text, and exits 0, or 1 when it is an error.
// Memory is then empty and forgotten at the end; tool.yaml is not read, so arguments are unchecked.
#pragma once

#include "nacre/sdk/tool.h"

namespace nacre::sdk {

// Returns the exit status for main(). Never throws. Call it before starting threads.
int ToolMain(Tool& tool, int argc, char** argv);

inline int ToolMain(Tool&& tool, int argc, char** argv) {
  return ToolMain(tool, argc, argv);
}

}  // namespace nacre::sdk
