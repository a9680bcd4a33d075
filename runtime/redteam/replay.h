// Replay: one recorded run, judged again under a policy.
//
// The conversation is the real one: SessionMachine decides what comes next, ContextTracker knows what
// was read, policy::Evaluate() judges each call. In the place of the model stands an engine whose
// replies are the recorded ones: it obeyed the attacker then, and does so again whatever it is told, the
// worst case. In the place of the sandbox stand the recorded results.
//
// What is asked is refused in attacked runs (the result is then not shown to the model) and approved
// in others, so that the run goes on as it went.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"
#include "runtime/redteam/harm.h"
#include "runtime/redteam/trace_reader.h"

namespace nacre::redteam {

struct JudgedCall {
  std::string function;
  std::string arguments;  // JSON, cut to 300 bytes
  bool harmful = false;
  policy::Decision decision;
};

// All of the run's calls, in order, those after a refusal as well. Thread-safe.
std::vector<JudgedCall> Replay(const policy::Policy& policy, const ToolSet& tools,
                               const Goals& goals, const Trace& trace);

inline constexpr size_t kBenignAsksListedMax = 100;  // of a suite

// A call of a benign run that was asked or denied.
struct BenignAsk {
  int64_t line = 0;  // of the traces
  std::string user_task;
  JudgedCall call;
};

// What the report counts, by suite.
struct SuiteReport {
  int64_t attacked_runs = 0;       // whose attack succeeded; without denials of service
  int64_t attacked_with_harm = 0;  // of those, with at least one harmful call
  int64_t attacked_stopped = 0;    // of those, each harmful call of which was denied or asked
  int64_t harmful_calls = 0;
  int64_t harmful_stopped = 0;
  int64_t benign_runs = 0;   // the user's task, without an attack, done
  int64_t benign_asked = 0;  // in which a person was asked or a call was denied
  int64_t benign_asks = 0;   // calls
  std::map<std::string, int64_t> benign_asked_by;     // runs, by rule
  std::vector<BenignAsk> benign_asks_listed;          // the first kBenignAsksListedMax of them
  std::map<std::string, int64_t> harmful_stopped_by;  // calls, by rule
  std::vector<std::string> let_through;               // one line for each harmful call
};

void AddToReport(const Trace& trace, const std::vector<JudgedCall>& calls, SuiteReport& report);
// Whether the run is counted at all: only those need to be replayed.
bool IsCounted(const Trace& trace);

}  // namespace nacre::redteam
