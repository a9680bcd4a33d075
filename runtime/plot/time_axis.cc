#include "runtime/plot/time_axis.h"

#include <algorithm>

namespace nacre::plot {
namespace {

constexpr size_t kCutsMax = 24;  // of the longest waits
constexpr double kCutWidth = 22;

// Waits that are long beside all work: those are cut out.
std::vector<Span> LongWaits(const Span& whole, const std::vector<Span>& busy) {
  std::vector<Span> waits;
  int64_t end = whole.begin;
  int64_t total = whole.end - whole.begin;
  for (const Span& span : busy) {
    if (span.begin > end) {
      waits.push_back({.begin = end, .end = span.begin});
    }
    end = std::max(end, span.end);
  }
  const auto length = [](const Span& span) { return span.end - span.begin; };
  std::sort(waits.begin(), waits.end(),
            [&](const Span& a, const Span& b) { return length(a) > length(b); });
  std::vector<Span> cut;
  for (const Span& wait : waits) {
    constexpr int64_t kShortestMs = 2000;
    if (cut.size() == kCutsMax || length(wait) < kShortestMs || length(wait) * 8 < total) {
      break;
    }
    cut.push_back(wait);
    total -= length(wait);
  }
  std::sort(cut.begin(), cut.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  return cut;
}

// The smallest usual step with at most so many of them.
int64_t StepFor(int64_t length, int64_t steps) {
  for (const int64_t step :
       {1LL,          2LL,          5LL,         10LL,        20LL,        50LL,
        100LL,        200LL,        500LL,       1000LL,      2000LL,      5000LL,
        10'000LL,     15'000LL,     30'000LL,    60'000LL,    120'000LL,   300'000LL,
        600'000LL,    900'000LL,    1'800'000LL, 3'600'000LL, 7'200'000LL, 14'400'000LL,
        21'600'000LL, 43'200'000LL, 86'400'000LL}) {
    if (length / step <= steps) {
      return step;
    }
  }
  constexpr int64_t kDayMs = 86'400'000;
  return (length / steps / kDayMs + 1) * kDayMs;
}

}  // namespace

TimeAxis::TimeAxis(const Span& whole, const std::vector<Span>& busy, double left, double right)
    : origin_(whole.begin) {
  const std::vector<Span> cut = LongWaits(whole, busy);
  const double cut_width = std::min(
      kCutWidth, (right - left) / 4 / static_cast<double>(std::max<size_t>(1, cut.size())));
  int64_t shown = whole.end - whole.begin;
  for (const Span& wait : cut) {
    shown -= wait.end - wait.begin;
  }
  const double width = right - left - cut_width * static_cast<double>(cut.size());
  // A piece without length still gets a place.
  const double floor = std::min(8.0, width / 4 / static_cast<double>(cut.size() + 1));
  const double scale = (width - floor * static_cast<double>(cut.size() + 1)) /
                       static_cast<double>(std::max<int64_t>(1, shown));
  double x = left;
  int64_t begin = whole.begin;
  for (size_t i = 0; i <= cut.size(); ++i) {
    const int64_t end = i < cut.size() ? cut[i].begin : std::max(whole.end, begin);
    const double next =
        i < cut.size() ? x + floor + static_cast<double>(end - begin) * scale : right;
    pieces_.push_back({.time = {.begin = begin, .end = end}, .left = x, .right = next});
    if (i < cut.size()) {
      begin = cut[i].end;
      x = next + cut_width;
    }
  }
}

double TimeAxis::At(int64_t millis) const {
  for (const Piece& piece : pieces_) {
    if (millis < piece.time.begin) {
      return piece.left;  // in a cut, or before everything
    }
    if (millis <= piece.time.end) {
      const auto length =
          static_cast<double>(std::max<int64_t>(1, piece.time.end - piece.time.begin));
      return piece.left +
             (piece.right - piece.left) * static_cast<double>(millis - piece.time.begin) / length;
    }
  }
  return pieces_.back().right;
}

int64_t TimeAxis::InstantAt(double x) const {
  for (const Piece& piece : pieces_) {
    if (x <= piece.right) {
      const double part =
          std::clamp((x - piece.left) / std::max(1e-9, piece.right - piece.left), 0.0, 1.0);
      return piece.time.begin +
             static_cast<int64_t>(part * static_cast<double>(piece.time.end - piece.time.begin));
    }
  }
  return pieces_.back().time.end;
}

void TimeAxis::DrawGrid(Svg* svg, double top, double bottom) const {
  int64_t shown = 0;
  for (const Piece& piece : pieces_) {
    shown += piece.time.end - piece.time.begin;
  }
  const int64_t step = StepFor(std::max<int64_t>(1, shown), 10);
  double free_from = 0;  // labels do not overlap
  for (const Piece& piece : pieces_) {
    bool first = true;
    // From the first multiple of the step in it.
    for (int64_t since = (piece.time.begin - origin_ + step - 1) / step * step;
         origin_ + since <= piece.time.end; since += step) {
      const double x = At(origin_ + since);
      svg->Line(x, top, x, bottom, "grid");
      const std::string label = DurationText(since);
      const double half = TextWidth(label, 11) / 2;
      if (x - half >= free_from && x + half <= kWidth) {
        svg->Text(x, bottom + 16, label, "small", Svg::Anchor::kMiddle);
        free_from = x + half + 8;
      }
      first = false;
    }
    if (first && piece.time.begin > origin_) {  // too short for a tick: its beginning
      const std::string label = DurationText(piece.time.begin - origin_);
      const double half = TextWidth(label, 11) / 2;
      if (piece.left - half >= free_from && piece.left + half <= kWidth) {
        svg->Text(piece.left, bottom + 16, label, "small", Svg::Anchor::kMiddle);
        free_from = piece.left + half + 8;
      }
    }
  }
  svg->Line(pieces_.front().left, bottom, pieces_.back().right, bottom, "axis");
  free_from = 0;
  for (size_t i = 0; i + 1 < pieces_.size(); ++i) {
    const Piece& before = pieces_[i];
    const Piece& after = pieces_[i + 1];
    const int64_t waited = after.time.begin - before.time.end;
    const std::string label = DurationText(waited) + " idle";
    svg->Rect(
        {.x = before.right, .y = top, .width = after.left - before.right, .height = bottom - top},
        "cut", label + ", from " + DateTimeText(before.time.end) + " UTC");
    const double middle = (before.right + after.left) / 2;
    const double half = TextWidth(label, 11) / 2;
    if (middle - half >= free_from && middle + half <= kWidth) {
      svg->Text(middle, top - 5, label, "small", Svg::Anchor::kMiddle);
      free_from = middle + half + 8;
    }
  }
}

}  // namespace nacre::plot
