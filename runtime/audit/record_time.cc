#include "runtime/audit/record_time.h"

#include <charconv>
#include <chrono>

namespace nacre::audit {

int64_t MillisOf(std::string_view time) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (time.size() != kForm.size()) {
    return -1;
  }
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? time[i] < '0' || time[i] > '9' : time[i] != kForm[i]) {
      return -1;
    }
  }
  const auto number = [&](size_t at, size_t size) {
    int value = 0;
    std::from_chars(time.data() + at, time.data() + at + size, value);
    return value;
  };
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): calendar literals
  const year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                            day(static_cast<unsigned>(number(8, 2))));
  if (!date.ok()) {
    return -1;
  }
  return duration_cast<milliseconds>(sys_days(date).time_since_epoch()).count() +
         ((number(11, 2) * 60LL + number(14, 2)) * 60 + number(17, 2)) * 1000 + number(20, 3);
}

}  // namespace nacre::audit
