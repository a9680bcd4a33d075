#include "runtime/plot/marks.h"

#include <algorithm>
#include <array>

#include "runtime/plot/pictures.h"

namespace nacre::plot {
namespace {

std::string Point(double x, double y) {
  return Number(x) + " " + Number(y);
}

std::string Polygon(const std::vector<std::pair<double, double>>& points) {
  std::string path;
  for (const auto& [x, y] : points) {
    path += (path.empty() ? "M" : "L") + Point(x, y);
  }
  return path + "Z";
}

std::string Cross(double x, double y) {
  constexpr double kArm = 7;
  constexpr double kIn = 2.6;
  std::vector<std::pair<double, double>> points;
  const std::array<std::pair<double, double>, 12> unit = {{{0, -kIn},
                                                           {kArm - kIn, -kArm},
                                                           {kArm, -kArm + kIn},
                                                           {kIn, 0},
                                                           {kArm, kArm - kIn},
                                                           {kArm - kIn, kArm},
                                                           {0, kIn},
                                                           {-kArm + kIn, kArm},
                                                           {-kArm, kArm - kIn},
                                                           {-kIn, 0},
                                                           {-kArm, -kArm + kIn},
                                                           {-kArm + kIn, -kArm}}};
  for (const auto& [dx, dy] : unit) {
    points.emplace_back(x + dx, y + dy);
  }
  return Polygon(points);
}

std::string Ring(double x, double y) {
  constexpr double kRadius = 9;
  const std::string arc = "a9 9 0 1 0 ";
  return "M" + Point(x - kRadius, y) + arc + "18 0" + arc + "-18 0Z";
}

}  // namespace

double DrawHeading(Svg* svg, std::string_view title, const std::vector<std::string>& lines,
                   const std::vector<std::string>& notes) {
  const double room = kWidth - 2 * kMargin;
  svg->Text(kMargin, 38, Fit(title, room, 20), "h1");
  double y = 38;
  for (const std::string& line : lines) {
    y += 20;
    svg->Text(kMargin, y, Fit(line, room, 12), "dim");
  }
  for (const std::string& note : notes) {
    y += 20;
    svg->Text(kMargin, y, Fit(note, room, 12), "note");
  }
  return y + 14;
}

std::string_view BarStyle(CallEnd end) {
  return end == CallEnd::kRefused   ? "denybar"
         : end == CallEnd::kFailed  ? "failed"
         : end == CallEnd::kStopped ? "stopped"
         : end == CallEnd::kUnknown ? "unended"
                                    : "allow";
}

std::string_view EndText(CallEnd end) {
  return end == CallEnd::kRefused   ? "refused"
         : end == CallEnd::kFailed  ? "answered with an error"
         : end == CallEnd::kStopped ? "ended by the sandbox"
         : end == CallEnd::kUnknown ? "no end recorded"
                                    : "answered";
}

void DrawCall(Svg* svg, double x, double y, double width, CallEnd end, bool approved,
              std::string_view tooltip) {
  constexpr double kHalf = 7;
  if (end == CallEnd::kRefused) {
    svg->Path(Cross(x, y), "deny", tooltip);
    return;
  }
  svg->Rect(
      {.x = x, .y = y - kHalf, .width = std::max(5.0, width), .height = 2 * kHalf, .radius = 2},
      BarStyle(end), tooltip);
  const double right = x + std::max(5.0, width);
  if (end == CallEnd::kFailed) {
    svg->Path(Polygon({{right - 5, y + kHalf}, {right + 7, y + kHalf}, {right + 1, y - kHalf - 2}}),
              "failed");
  } else if (end == CallEnd::kStopped) {
    svg->Path(Polygon({{right - 8, y}, {right, y - 9}, {right + 8, y}, {right, y + 9}}), "stopped");
  }
  if (approved) {
    svg->Path(Ring(x + 2.5, y), "askyes");
  }
}

void DrawCallLegend(Svg* svg, double y, bool counted) {
  struct Item {
    std::string_view text;
    CallEnd end;
    bool approved;
  };
  double x = kMargin;
  for (const Item& item : {Item{"answered", CallEnd::kAnswered, false},
                           Item{"answered with an error", CallEnd::kFailed, false},
                           Item{"ended by the sandbox", CallEnd::kStopped, false},
                           Item{"denied or not approved", CallEnd::kRefused, false},
                           Item{"no end recorded", CallEnd::kUnknown, false},
                           Item{"approved by a person", CallEnd::kAnswered, true}}) {
    if (counted && item.approved) {
      continue;
    }
    if (counted) {
      svg->Rect({.x = x, .y = y - 7, .width = 12, .height = 14}, BarStyle(item.end));
    } else {
      DrawCall(svg, x + (item.end == CallEnd::kRefused ? 7 : 4), y, 8, item.end, item.approved, {});
    }
    svg->Text(x + 24, y + 4, item.text, "small");
    x += 24 + TextWidth(item.text, 11) + 20;
  }
  svg->Rect({.x = x, .y = y - 7, .width = 12, .height = 14, .radius = 2}, "engine");
  svg->Text(x + 18, y + 4, counted ? "engine: share of the time" : "the engine computes", "small");
}

std::string FootLine(const Evidence& evidence, const std::string& records) {
  return records + " of the log " + evidence.log + ", which is signed up to record " +
         std::to_string(evidence.signed_records) + ". All times are UTC.";
}

std::string FootOf(const SessionTrace& trace) {
  return Count(trace.records, "record") + ", " + std::to_string(trace.first_record) + " to " +
         std::to_string(trace.last_record) + ",";
}

}  // namespace nacre::plot
