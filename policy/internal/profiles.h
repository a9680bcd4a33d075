// The shipped profiles' texts, built into the binary from policy/profiles/*.yaml.
#pragma once

#include <span>
#include <string_view>

namespace nacre::policy {

struct ProfileText {
  std::string_view name;  // "coding"
  std::string_view text;
};

// Each before those that extend it.
std::span<const ProfileText> ProfileTexts();

}  // namespace nacre::policy
