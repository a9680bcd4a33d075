#include "runtime/inference/energy_meter.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/support/child.h"
#include "tests/support/powercap.h"

namespace nacre::inference {

TEST_CASE("packages and their memory are counted once each, and nothing else is") {
  testing::Powercap powercap;
  powercap.Zone("intel-rapl", "", 0, 1);  // the kind itself, which has no name in truth
  powercap.Zone("intel-rapl:0", "package-0", 1000, 1'000'000);
  powercap.Zone("intel-rapl:0:0", "core", 500, 1'000'000);
  powercap.Zone("intel-rapl:0:1", "dram", 100, 1'000'000);
  powercap.Zone("intel-rapl:1", "psys", 5000, 1'000'000);
  powercap.Zone("intel-rapl-mmio:0", "package-0", 1000, 1'000'000);
  const auto meter = EnergyMeter::Open(powercap.path()).value();
  EnergyMeter::Span span(meter.get());
  powercap.Set("intel-rapl:0", 1700);
  powercap.Set("intel-rapl:0:0", 1200);
  powercap.Set("intel-rapl:0:1", 130);
  powercap.Set("intel-rapl:1", 9000);
  powercap.Set("intel-rapl-mmio:0", 1700);
  CHECK(span.End() == 730);
}

TEST_CASE("a counter that goes round has counted on") {
  testing::Powercap powercap;
  powercap.Zone("intel-rapl:0", "package-0", 990, 1000);
  const auto meter = EnergyMeter::Open(powercap.path()).value();
  EnergyMeter::Span span(meter.get());
  powercap.Set("intel-rapl:0", 15);
  CHECK(span.End() == 25);
}

TEST_CASE("what is used while several ask is divided, and while none asks is nobody's") {
  testing::Powercap powercap;
  powercap.Zone("intel-rapl:0", "package-0", 0, 1'000'000);
  const auto meter = EnergyMeter::Open(powercap.path()).value();
  powercap.Set("intel-rapl:0", 1000);  // nobody's
  EnergyMeter::Span first(meter.get());
  powercap.Set("intel-rapl:0", 1100);
  EnergyMeter::Span second(meter.get());
  powercap.Set("intel-rapl:0", 1401);
  const uint64_t of_first = first.End().value();
  powercap.Set("intel-rapl:0", 1500);
  const uint64_t of_second = second.End().value();
  powercap.Set("intel-rapl:0", 2000);  // nobody's
  CHECK(of_first == 100 + 150);
  CHECK(of_second == 151 + 99);
  EnergyMeter::Span third(meter.get());
  CHECK(third.End() == 0);
}

TEST_CASE("a counter that can no longer be read leaves nothing known") {
  testing::Powercap powercap;
  powercap.Zone("intel-rapl:0", "package-0", 0, 1000);
  const auto meter = EnergyMeter::Open(powercap.path()).value();
  for (const char* bad : {"", "many", "-1", "1001"}) {
    EnergyMeter::Span span(meter.get());
    powercap.Put("intel-rapl:0/energy_uj", bad);
    CHECK_FALSE(span.End().has_value());
    powercap.Set("intel-rapl:0", 10);
  }
  EnergyMeter::Span span(nullptr);
  CHECK_FALSE(span.End().has_value());
}

TEST_CASE("no counter, one that holds no number, and one that may not be read: each says so") {
  testing::Powercap powercap;
  const Error none = EnergyMeter::Open(powercap.path()).error();
  CHECK(none.code == ErrorCode::kNotFound);
  CHECK_THAT(none.message, Catch::Contains("has no energy counter"));
  CHECK(EnergyMeter::Open(powercap.path() + "/nothing").error().code == ErrorCode::kNotFound);

  powercap.Zone("intel-rapl:0", "package-0", 0, 1000);
  powercap.Put("intel-rapl:0/energy_uj", "a lot");
  CHECK(EnergyMeter::Open(powercap.path()).error().code == ErrorCode::kDataLoss);

  powercap.Set("intel-rapl:0", 10);
  REQUIRE(::chmod(powercap.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((powercap.path() + "/intel-rapl:0").c_str(), 0755) == 0);
  REQUIRE(::chmod((powercap.path() + "/intel-rapl:0/name").c_str(), 0644) == 0);
  REQUIRE(::chmod((powercap.path() + "/intel-rapl:0/energy_uj").c_str(), 0400) == 0);
  const std::string said = InChild([&]() -> std::string {
    // Root may read everything; an ordinary owner may not read what nobody may.
    if (::geteuid() == 0 ? ::setgid(64321) != 0 || ::setuid(64321) != 0
                         : ::chmod((powercap.path() + "/intel-rapl:0/energy_uj").c_str(), 0) != 0) {
      return "this test could not give up its rights";
    }
    return EnergyMeter::Open(powercap.path()).error().message;
  });
  CHECK_THAT(said, Catch::Contains("this user may not read the energy counter") &&
                       Catch::Contains("chgrp"));
}

}  // namespace nacre::inference
