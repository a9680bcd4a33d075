// The engine of a replay: it says what the model said then, whatever it is told.
#pragma once

#include <memory>

#include "runtime/inference/engine.h"
#include "runtime/redteam/trace_reader.h"

namespace nacre::redteam {

// The recorded calls, one a reply, then an answer. Borrows the trace. Not thread-safe.
std::unique_ptr<inference::Engine> RecordedEngine(const Trace& trace);

}  // namespace nacre::redteam
