// Rates: how often calls of some tools may run (budgets.rates). Like a flow, a rate can only narrow
// what a rule allows.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "policy/decision.h"
#include "policy/policy.h"

namespace nacre::policy {

// The calls that ran, by tool.
using CallCounts = std::map<std::string, uint64_t>;

// Of each span that a rate speaks of: of this turn and session, and of all sessions in the last minute,
// hour and day.
using CallHistory = std::map<CallRate::Per, CallCounts>;

// Whether the rate counts calls of the tool.
bool RateCovers(const CallRate& rate, const std::string& tool);

// A decision that is not deny becomes deny by the first rate, in order, whose calls are used up:
// rule "budgets.ID", reason "REASON: 2 of 2 calls in this minute have run".
void NarrowByRate(const Budgets& budgets, const std::string& tool, const CallHistory& history,
                  Decision& decision);

// Whether any rate for this tool looks at that span.
bool AsksForSpan(const Budgets& budgets, const std::string& tool, CallRate::Per span);

}  // namespace nacre::policy
