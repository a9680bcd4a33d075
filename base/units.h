// Durations and sizes as people write them: "30s", "512MiB".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nacre {

// A whole number and ms, s, m, h or d. nullopt for anything else, or what does not fit.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// A whole number and B, kB, MB, GB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
std::optional<uint64_t> ParseSize(std::string_view text);

// The shortest exact form: "30s", "1500ms", "10m"; "512MiB", "1000B".
std::string FormatDuration(std::chrono::milliseconds duration);
std::string FormatSize(uint64_t bytes);

}  // namespace nacre
