// A pretended /sys/class/powercap, for what reads energy counters.
#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::testing {

// As the kernel shows it.
class Powercap {
 public:
  void Zone(const std::string& zone, const std::string& name, uint64_t energy, uint64_t range) {
    REQUIRE(MakeDirectories(path() + "/" + zone).ok());
    Put(zone + "/name", name);
    Put(zone + "/max_energy_range_uj", std::to_string(range));
    Set(zone, energy);
  }
  void Set(const std::string& zone, uint64_t energy) {
    // In place: the kernel's file stays the same one.
    Put(zone + "/energy_uj", std::to_string(energy));
  }
  void Put(const std::string& file, const std::string& text) {
    FILE* out = std::fopen((path() + "/" + file).c_str(), "w");
    REQUIRE(out != nullptr);
    std::fputs((text + "\n").c_str(), out);
    std::fclose(out);
  }
  const std::string& path() const { return directory_.path(); }

 private:
  TempDir directory_ = TempDir::Create().value();
};

}  // namespace nacre::testing
