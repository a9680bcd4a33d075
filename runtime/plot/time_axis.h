// TimeAxis: where on a line an instant is. Where nothing happened for long the line is cut, and says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/plot/session_trace.h"
#include "runtime/plot/svg.h"

namespace nacre::plot {

// Immutable, so thread-safe.
class TimeAxis final {
 public:
  // `busy`: when something happened, ascending. `whole` holds all of them.
  TimeAxis(const Span& whole, const std::vector<Span>& busy, double left, double right);

  // Between left and right, also for an instant outside.
  double At(int64_t millis) const;
  // The instant at a place: the inverse of At().
  int64_t InstantAt(double x) const;

  // Grid, ticks since the beginning, and the cuts, behind what is drawn between top and bottom.
  void DrawGrid(Svg* svg, double top, double bottom) const;

  size_t cuts() const { return pieces_.size() - 1; }

 private:
  struct Piece {
    Span time;
    double left = 0;
    double right = 0;
  };

  int64_t origin_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace nacre::plot
