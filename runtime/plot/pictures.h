// The pictures of `nacre audit plot`: pure functions of what the records say.
#pragma once

#include <string>

#include "runtime/plot/denial_counts.h"
#include "runtime/plot/session_trace.h"
#include "runtime/plot/svg.h"

namespace nacre::plot {

// Calls that are drawn one by one; more are counted in intervals, and the picture says so.
constexpr size_t kSingleCallsMax = 240;
// Tools with a row of their own, the busiest ones; the others share one.
constexpr size_t kToolRowsMax = 14;
// Rows of labels; the others are only counted.
constexpr size_t kLabelRowsMax = 12;
// Rows of rules in the picture of denials; the others share one.
constexpr size_t kRuleRowsMax = 24;

// What a picture says of the records that it was drawn from.
struct Evidence {
  std::string log;              // its name
  uint64_t signed_records = 0;  // under the newest signature
};

// When the engine, the tools and the person had their turns, what was decided, how calls ended, and which
// labels the context had.
Picture PlotTimeline(const SessionTrace& trace, const Evidence& evidence);
// Who got data from where: sources, the context, sinks.
Picture PlotFlow(const SessionTrace& trace, const Evidence& evidence);
// Which rule denied how often on which day.
Picture PlotDenials(const DenialCounts& counts, const Evidence& evidence);

// The line at the foot of each picture.
std::string FootLine(const Evidence& evidence, const std::string& records);

}  // namespace nacre::plot
