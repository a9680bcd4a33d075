#include "runtime/inference/energy_meter.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "base/file.h"

namespace nacre::inference {
namespace {

constexpr size_t kValueBytesMax = 64;
constexpr std::string_view kZone = "intel-rapl:";  // the kernel's name for AMD's as well

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end != text.data() ? std::optional(number) : std::nullopt;
}

std::optional<uint64_t> Read(const UniqueFd& file) {
  const Result<std::string> text = ReadAt(file.get(), 0, kValueBytesMax);
  return text.ok() ? Number(text.value()) : std::nullopt;
}

// A processor is a zone "intel-rapl:0"; below it, "intel-rapl:0:1" is a part of it, but for the memory's. "psys" is
// the whole machine, with its processors in it: where there is one, it would count these twice.
bool IsCounted(const std::string& zone, std::string_view kind) {
  const bool below = zone.find(':', kZone.size()) != std::string::npos;
  return below ? kind == "dram\n" : kind.starts_with("package");
}

}  // namespace

Result<EnergyMeter::Counter> EnergyMeter::OpenCounter(const std::string& zone) {
  const std::string path = zone + "/energy_uj";
  Counter counter;
  counter.file = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!counter.file.valid()) {
    if (errno == EACCES || errno == EPERM) {
      return Error{ErrorCode::kPermissionDenied,
                   "this user may not read the energy counter " + path +
                       ": let root give it to your group (chgrp and chmod g+r), or run as root"};
    }
    return SysError("open " + path, errno);
  }
  const std::optional<uint64_t> range =
      Number(NACRE_TRY(ReadFile(zone + "/max_energy_range_uj", kValueBytesMax)));
  const std::optional<uint64_t> now = Read(counter.file);
  if (!range.has_value() || !now.has_value() || *now > *range) {
    return Error{ErrorCode::kDataLoss, "the energy counter " + path + " holds no energy"};
  }
  counter.range = *range;
  counter.last = *now;
  return counter;
}

Result<std::unique_ptr<EnergyMeter>> EnergyMeter::Open(const std::string& powercap) {
  std::unique_ptr<EnergyMeter> meter(new EnergyMeter());
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(powercap, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string zone = entry->path().filename().string();
    const Result<std::string> kind = ReadFile(entry->path().string() + "/name", kValueBytesMax);
    if (zone.starts_with(kZone) && kind.ok() && IsCounted(zone, kind.value())) {
      meter->counters_.push_back(NACRE_TRY(OpenCounter(entry->path().string())));
    }
  }
  if (meter->counters_.empty()) {
    return Error{ErrorCode::kNotFound,
                 "this machine has no energy counter: " + powercap +
                     " has no package of intel-rapl (modprobe intel_rapl_msr; in a virtual "
                     "machine there is none)"};
  }
  return meter;
}

void EnergyMeter::Share() {
  uint64_t used = 0;
  bool lost = false;
  for (Counter& counter : counters_) {
    const std::optional<uint64_t> now = Read(counter.file);
    if (!now.has_value() || *now > counter.range) {
      lost = true;
      continue;
    }
    used += *now >= counter.last ? *now - counter.last : counter.range - counter.last + *now;
    counter.last = *now;
  }
  uint64_t left = running_.size();
  for (Span* span : running_) {
    const uint64_t part = used / left--;
    span->used_ += part;
    used -= part;
    span->lost_ = span->lost_ || lost;
  }
}

EnergyMeter::Span::Span(EnergyMeter* meter) : meter_(meter) {
  if (meter_ != nullptr) {
    const std::lock_guard<std::mutex> lock(meter_->mutex_);
    meter_->Share();
    meter_->running_.push_back(this);
  }
}

std::optional<uint64_t> EnergyMeter::Span::End() {
  if (meter_ == nullptr) {
    return std::nullopt;
  }
  const std::lock_guard<std::mutex> lock(meter_->mutex_);
  meter_->Share();
  meter_->running_.erase(std::find(meter_->running_.begin(), meter_->running_.end(), this));
  meter_ = nullptr;
  return lost_ ? std::nullopt : std::optional(used_);
}

}  // namespace nacre::inference
