// How many records `nacre policy replay` judges in a minute of one core's time: the program itself, on a log
// made for it.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace nacre::bench {

// A log of so many decisions whose arguments are sealed in it, as of a policy with `audit.content: full`, 100
// of each session; judged by the shipped policy `coding`. {"replay_records", "replay_records_per_minute",
// "replay_wall_s"}; the rate is of processor time. Aborts the process when anything fails.
OrderedJson MeasureReplay(const std::string& program, uint64_t records);

}  // namespace nacre::bench
