// Rates: how often calls of some tools may run, for how long, and with how much (budgets.rates). Like a flow, a rate can
// only narrow what a rule allows.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "policy/decision.h"
#include "policy/policy.h"
#include "policy/request.h"

namespace nacre::policy {

// What calls that ran used together.
struct CallUse {
  uint64_t calls = 0;
  std::chrono::microseconds wall{0};  // of those that ended
  uint64_t bytes_out = 0;

  CallUse& operator+=(const CallUse& other);
};

// The calls that ran, by tool.
using CallCounts = std::map<std::string, CallUse>;

// Of each span that a rate speaks of: of this turn and session, and of all sessions in the last minute,
// hour and day.
using CallHistory = std::map<CallRate::Per, CallCounts>;

// What a call is given to carry out: the bytes of its arguments as compact JSON.
uint64_t ArgumentBytes(const Json& arguments);

// Whether the rate counts calls of the tool.
bool RateCovers(const CallRate& rate, const std::string& tool);

// Of a rate that covers the call's tool: why the call may not run, as one clause ("2 of 2 calls in this minute have
// run"); nullopt when it may. A call that is running is not stopped when its time is used up. Bytes are not passed by calls
// one after the other; of two that wait for a yes at the same time each is judged as if the other were not.
std::optional<std::string> RateUsedUp(const CallRate& rate, const Request& request,
                                      const CallHistory& history);

// A decision that is not deny becomes deny by the first rate, in order, that is used up: rule "budgets.ID", reason
// "REASON: 2 of 2 calls in this minute have run".
void NarrowByRate(const Budgets& budgets, const Request& request, const CallHistory& history,
                  Decision& decision);

// Whether any rate for this tool looks at that span.
bool AsksForSpan(const Budgets& budgets, const std::string& tool, CallRate::Per span);

}  // namespace nacre::policy
