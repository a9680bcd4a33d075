// EnergyMeter: what this machine's processors and memory used while an engine computed, from the kernel's counters
// (RAPL, Documentation/power/powercap/powercap.rst). Where there is none there is no meter: nothing is estimated.
//
// The counters are the whole machine's: a request is also charged with what other programs used meanwhile. What is used
// while several requests run is divided evenly among them, so that their sum is what the counters say; what is used
// while none runs is charged to none.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::inference {

// Thread-safe.
class EnergyMeter final {
 public:
  static constexpr const char* kPowercap = "/sys/class/powercap";

  // kNotFound: this machine has no counter. kPermissionDenied: it has one that this user may not read.
  static Result<std::unique_ptr<EnergyMeter>> Open(const std::string& powercap = kPowercap);

  // One request, from here to End(). A counter that goes round twice in one request (it does so after some 20 minutes
  // under full load at the earliest) is not noticed.
  class Span final {
   public:
    explicit Span(EnergyMeter* meter);  // null: measures nothing
    ~Span() { End(); }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

    // In millionths of a joule. Nothing where there is no meter, or where it could not be read. Once.
    std::optional<uint64_t> End();

   private:
    friend class EnergyMeter;
    EnergyMeter* meter_;
    uint64_t used_ = 0;
    bool lost_ = false;  // a counter could not be read
  };

 private:
  struct Counter {
    UniqueFd file;
    uint64_t range = 0;  // it goes from this back to 0
    uint64_t last = 0;
  };

  EnergyMeter() = default;
  static Result<Counter> OpenCounter(const std::string& zone);
  // What was used since the last time goes to the spans that are running.
  void Share();

  std::mutex mutex_;
  std::vector<Counter> counters_;
  std::vector<Span*> running_;
};

}  // namespace nacre::inference
