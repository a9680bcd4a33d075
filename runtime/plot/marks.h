// What the pictures share: heading, foot, legend, and the marks that stand for how a call ended.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/plot/session_trace.h"
#include "runtime/plot/svg.h"

namespace nacre::plot {

constexpr double kMargin = 24;

// Title and lines below it; answers where the picture goes on.
double DrawHeading(Svg* svg, std::string_view title, const std::vector<std::string>& lines,
                   const std::vector<std::string>& notes);

// A call of this end, beginning at x and `width` wide, centred on y. Ends differ in shape, not in colour only.
void DrawCall(Svg* svg, double x, double y, double width, CallEnd end, bool approved,
              std::string_view tooltip);
// The class of a bar that counts calls of this end.
std::string_view BarStyle(CallEnd end);
// "answered", "denied or not approved", ...
std::string_view EndText(CallEnd end);

void DrawCallLegend(Svg* svg, double y, bool counted);

std::string FootOf(const SessionTrace& trace);

}  // namespace nacre::plot
