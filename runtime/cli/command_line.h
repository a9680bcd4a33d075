// What holds for the command line of every command: which values an option may have, and how wrong usage is told.
#pragma once

#include "runtime/cli/command.h"

namespace nacre::cli {

// Refuses, for `command` and all below it, an empty value of an option or a positional: "$UNSET" in a script must not
// read as "not given", which would turn off what the option was for. Only the words of a program's own line may be
// empty (`sandbox exec`). Numbers that do not fit are refused too, where CLI11 would wrap or saturate them.
// After all options are there, before parsing.
void RefuseUnusableValues(CLI::App& command);
// CLI11 takes the word after "--option=" for its value. Throws CLI::ParseError.
void RefuseEmptyAssignments(int argc, char** argv);

// Prints what CLI11 threw: help, or what is wrong, as JSON when the line has --json. Answers the exit code.
int FailUsage(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv);

}  // namespace nacre::cli
