#include <algorithm>
#include <array>
#include <map>

#include "runtime/plot/marks.h"
#include "runtime/plot/pictures.h"
#include "runtime/plot/time_axis.h"

namespace nacre::plot {
namespace {

constexpr double kLeft = 244;  // of the time axis
constexpr double kRight = kWidth - kMargin - 10;
constexpr size_t kColumns = 120;  // of a picture that counts
constexpr double kColumnWidth = (kRight - kLeft) / kColumns;
constexpr size_t kTurnsWithMark = 150;
constexpr size_t kEngineSpansSingle = 600;

struct ToolRow {
  std::string name;
  std::vector<const TracedCall*> calls;
};

// By first use; the rare ones together in the last.
std::vector<ToolRow> RowsOf(const SessionTrace& trace) {
  std::map<std::string, size_t> counts;
  for (const TracedCall& call : trace.calls) {
    ++counts[call.tool];
  }
  std::vector<std::pair<size_t, std::string>> busiest;
  for (const auto& [tool, count] : counts) {
    busiest.emplace_back(count, tool);
  }
  std::sort(busiest.rbegin(), busiest.rend());
  std::map<std::string, size_t> row_of;
  const size_t own = busiest.size() > kToolRowsMax ? kToolRowsMax - 1 : busiest.size();
  for (size_t i = 0; i < own; ++i) {
    row_of[busiest[i].second] = SIZE_MAX;
  }
  std::vector<ToolRow> rows;
  ToolRow others;
  for (const TracedCall& call : trace.calls) {
    const auto found = row_of.find(call.tool);
    if (found == row_of.end()) {
      others.calls.push_back(&call);
      continue;
    }
    if (found->second == SIZE_MAX) {
      found->second = rows.size();
      rows.push_back({.name = call.tool, .calls = {}});
    }
    rows[found->second].calls.push_back(&call);
  }
  if (!others.calls.empty()) {
    others.name = std::to_string(busiest.size() - own) + " other tools";
    rows.push_back(std::move(others));
  }
  return rows;
}

std::string TooltipOf(const TracedCall& call, const SessionTrace& trace) {
  std::string text = call.tool + ": " + call.verdict;
  if (!call.rule.empty()) {
    text += " by rule " + call.rule;
  }
  if (call.verdict == "ask") {
    text += call.approved ? ", approved by " + call.approver : ", not approved: " + call.approver;
  }
  if (call.end == CallEnd::kRefused) {
    text += " (" + call.reason + ")";
  } else {
    text += ", " + std::string(EndText(call.end));
    if (!call.outcome.empty() && call.outcome != "exited") {
      text += ": " + call.outcome;
    }
    text += " after " + DurationText(call.span.end - call.span.begin);
  }
  text += " · at " + DurationText(call.span.begin - trace.span.begin) + ", record " +
          std::to_string(call.first_record);
  if (call.files_changed > 0) {
    text += " · " + Count(call.files_changed, "path") + " changed";
  }
  for (const std::string& label : call.labels_added) {
    text += " · brought " + label;
  }
  return call.arguments.empty() ? text : text + " · " + call.arguments;
}

std::vector<Span> BusyOf(const SessionTrace& trace) {
  std::vector<Span> busy = trace.engine;
  for (const TracedTurn& turn : trace.turns) {
    busy.push_back(turn.span);
  }
  for (const TracedCall& call : trace.calls) {
    busy.push_back(call.span);
  }
  std::sort(busy.begin(), busy.end(),
            [](const Span& a, const Span& b) { return a.begin < b.begin; });
  return busy;
}

class Timeline final {
 public:
  Timeline(const SessionTrace& trace, const Evidence& evidence)
      : trace_(trace),
        evidence_(evidence),
        axis_(trace.span, BusyOf(trace), kLeft, kRight),
        counted_(trace.calls.size() > kSingleCallsMax),
        rows_(RowsOf(trace)) {}

  Picture Draw() {
    Picture picture;
    picture.title = "Session " + (trace_.session.empty() ? "(unnamed)" : trace_.session);
    double y = DrawHeading(&marks_, picture.title, Lines(), Notes()) + 8;
    DrawCallLegend(&marks_, y, counted_);
    y += 42;
    const double top = y;
    y = DrawTurns(y);
    y = DrawEngine(y);
    for (const ToolRow& row : rows_) {
      y = counted_ ? DrawCounted(row, y) : DrawSingle(row, y);
    }
    if (rows_.empty()) {
      marks_.Text((kLeft + kRight) / 2, y + 18, "No call was made.", "dim", Svg::Anchor::kMiddle);
      y += 30;
    }
    y = DrawLabels(y);
    Svg grid;
    axis_.DrawGrid(&grid, top, y);
    marks_.Text(kRight, y + 34, "since " + DateTimeText(trace_.span.begin) + " UTC", "small",
                Svg::Anchor::kEnd);
    marks_.Text(kMargin, y + 60, Fit(FootLine(evidence_, FootOf(trace_)), kWidth - 2 * kMargin, 11),
                "small");
    picture.height = y + 78;
    picture.body = bands_.body() + grid.body() + marks_.body();
    picture.marks = marks_.marks() + grid.marks();
    picture.description = Lines().back();
    Summarise(&picture.summary, picture.marks);
    return picture;
  }

 private:
  uint64_t CountEnd(CallEnd end) const {
    return static_cast<uint64_t>(
        std::count_if(trace_.calls.begin(), trace_.calls.end(),
                      [&](const TracedCall& call) { return call.end == end; }));
  }

  std::vector<std::string> Lines() const {
    std::string about = DateTimeText(trace_.span.begin) + " UTC · " +
                        DurationText(trace_.span.end - trace_.span.begin);
    for (const auto& [name, value] :
         {std::pair("policy ", &trace_.policy), std::pair("model ", &trace_.model),
          std::pair("", &trace_.workspace)}) {
      if (!value->empty()) {
        about += std::string(" · ") + name + *value;
      }
    }
    std::string counts = Count(trace_.turns.size(), "turn") + " · " +
                         Count(trace_.calls.size(), "call") + " · " +
                         std::to_string(CountEnd(CallEnd::kRefused)) + " refused · " +
                         std::to_string(CountEnd(CallEnd::kFailed)) + " with an error · " +
                         std::to_string(CountEnd(CallEnd::kStopped)) + " ended by the sandbox";
    if (trace_.malformed_calls > 0) {
      counts += " · " + std::to_string(trace_.malformed_calls) + " malformed";
    }
    return {about, counts};
  }

  std::vector<std::string> Notes() const {
    std::vector<std::string> notes;
    if (counted_) {
      notes.push_back("Counted, not drawn one by one: a bar is the calls of an interval of about " +
                      DurationText(std::max<int64_t>(
                          1, axis_.InstantAt(kLeft + kColumnWidth) - axis_.InstantAt(kLeft))) +
                      ". Each row has its own scale.");
    }
    if (trace_.cut) {
      notes.push_back("Only the first " + Count(trace_.records, "record") +
                      " of the session are shown.");
    }
    if (trace_.clock_set_back > 0) {
      notes.push_back(
          "The clock was set back during this session: such records are shown at the latest time "
          "before.");
    }
    return notes;
  }

  void RowName(double y, double height, const std::string& name, const std::string& detail,
               bool band) {
    if (band) {
      bands_.Rect({.x = kMargin - 8, .y = y, .width = kWidth - 2 * (kMargin - 8), .height = height},
                  "band");
    }
    const double room = kLeft - kMargin - 16 - (detail.empty() ? 0 : TextWidth(detail, 11) + 8);
    marks_.Text(kMargin, y + height / 2 + 4, Fit(name, room, 12), "name", Svg::Anchor::kStart,
                name);
    if (!detail.empty()) {
      marks_.Text(kLeft - 12, y + height / 2 + 4, detail, "small", Svg::Anchor::kEnd);
    }
  }

  // How many spans touch each column, and which part of it they fill.
  struct Column {
    size_t count = 0;
    double filled = 0;
  };
  std::vector<Column> ColumnsOf(const std::vector<Span>& spans) const {
    std::vector<Column> columns(kColumns);
    for (const Span& span : spans) {
      const double from = axis_.At(span.begin);
      const double to = std::max(axis_.At(span.end), from);
      for (size_t i = ColumnAt(from); i <= ColumnAt(to); ++i) {
        const double left = kLeft + static_cast<double>(i) * kColumnWidth;
        ++columns[i].count;
        columns[i].filled +=
            std::max(0.0, std::min(to, left + kColumnWidth) - std::max(from, left));
      }
    }
    return columns;
  }
  static size_t ColumnAt(double x) {
    return std::min(kColumns - 1, static_cast<size_t>(std::max(0.0, (x - kLeft) / kColumnWidth)));
  }

  double DrawTurns(double y) {
    constexpr double kHeight = 26;
    RowName(y, kHeight, "turns", std::to_string(trace_.turns.size()), false);
    if (trace_.turns.size() > kTurnsWithMark) {
      std::vector<Span> spans;
      for (const TracedTurn& turn : trace_.turns) {
        spans.push_back(turn.span);
      }
      DrawColumns(ColumnsOf(spans), y + 4, kHeight - 8, "turn", "turn");
      return y + kHeight + 2;
    }
    for (size_t i = 0; i < trace_.turns.size(); ++i) {
      const TracedTurn& turn = trace_.turns[i];
      const double x = axis_.At(turn.span.begin);
      const double width = std::max(3.0, axis_.At(turn.span.end) - x - 1);
      const std::string name =
          std::to_string(i + 1) + " " + (turn.state.empty() ? "not finished" : turn.state);
      marks_.Rect({.x = x, .y = y + 4, .width = width, .height = kHeight - 8, .radius = 3}, "turn",
                  "turn " + name + " after " + DurationText(turn.span.end - turn.span.begin));
      if (width > 30) {
        const bool fits = TextWidth(name, 11) <= width - 10;
        marks_.Text(x + 6, y + kHeight / 2 + 4, fits ? name : std::to_string(i + 1), "turntext");
      }
    }
    return y + kHeight + 2;
  }

  double DrawEngine(double y) {
    constexpr double kHeight = 26;
    RowName(y, kHeight, "engine", std::to_string(trace_.engine.size()), true);
    if (counted_ || trace_.engine.size() > kEngineSpansSingle) {
      DrawColumns(ColumnsOf(trace_.engine), y + 3, kHeight - 6, "engine", "step of the engine");
      return y + kHeight + 2;
    }
    for (size_t i = 0; i < trace_.engine.size(); ++i) {
      const Span& span = trace_.engine[i];
      const double x = axis_.At(span.begin);
      marks_.Rect(
          {.x = x, .y = y + 8, .width = std::max(2.0, axis_.At(span.end) - x), .height = 10},
          "engine", "the engine, for " + DurationText(span.end - span.begin));
    }
    return y + kHeight + 2;
  }

  void DrawColumns(const std::vector<Column>& columns, double y, double height,
                   std::string_view style, std::string_view what) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].count == 0) {
        continue;
      }
      const double share = std::min(1.0, columns[i].filled / kColumnWidth);
      const double tall = std::max(2.0, height * share);
      marks_.Rect({.x = kLeft + static_cast<double>(i) * kColumnWidth,
                   .y = y + height - tall,
                   .width = kColumnWidth - 1,
                   .height = tall},
                  style,
                  IntervalText(i) + ": " +
                      Count(columns[i].count, what == "turn" ? "turn" : "engine step") + ", " +
                      std::to_string(static_cast<int>(share * 100 + 0.5)) + " % of the time");
    }
  }

  std::string IntervalText(size_t column) const {
    const double x = kLeft + static_cast<double>(column) * kColumnWidth;
    return DurationText(axis_.InstantAt(x) - trace_.span.begin) + " to " +
           DurationText(axis_.InstantAt(x + kColumnWidth) - trace_.span.begin);
  }

  double DrawSingle(const ToolRow& row, double y) {
    constexpr double kHeight = 28;
    RowName(y, kHeight, row.name, std::to_string(row.calls.size()), Odd());
    for (const TracedCall* call : row.calls) {
      const double x = axis_.At(call->span.begin);
      const double width = std::min(axis_.At(call->span.end), kRight - 8) - x;
      DrawCall(&marks_, std::min(x, kRight - 8), y + kHeight / 2, width, call->end, call->approved,
               TooltipOf(*call, trace_));
    }
    return y + kHeight + 2;
  }

  double DrawCounted(const ToolRow& row, double y) {
    constexpr double kHeight = 42;
    constexpr std::array kOrder = {CallEnd::kAnswered, CallEnd::kUnknown, CallEnd::kFailed,
                                   CallEnd::kStopped, CallEnd::kRefused};
    std::vector<std::array<uint64_t, 5>> columns(kColumns);
    uint64_t tallest = 1;
    for (const TracedCall* call : row.calls) {
      auto& column = columns[ColumnAt(axis_.At(call->span.begin))];
      ++column[static_cast<size_t>(call->end)];
      uint64_t sum = 0;
      for (const uint64_t count : column) {
        sum += count;
      }
      tallest = std::max(tallest, sum);
    }
    RowName(y, kHeight, row.name, std::to_string(row.calls.size()), Odd());
    for (size_t i = 0; i < kColumns; ++i) {
      double bottom = y + kHeight - 4;
      std::string tooltip = row.name + ", " + IntervalText(i) + ":";
      for (const CallEnd end : kOrder) {
        if (const uint64_t count = columns[i][static_cast<size_t>(end)]; count > 0) {
          tooltip += " " + std::to_string(count) + " " + std::string(EndText(end)) + ";";
        }
      }
      tooltip.pop_back();
      double room = kHeight - 8;
      for (const CallEnd end : kOrder) {
        const uint64_t count = columns[i][static_cast<size_t>(end)];
        if (count == 0) {
          continue;
        }
        // A single refusal among thousands must be seen.
        const double least = end == CallEnd::kAnswered ? 1 : 3.5;
        const double tall =
            std::min(room, std::max(least, (kHeight - 8) * static_cast<double>(count) /
                                               static_cast<double>(tallest)));
        bottom -= tall;
        room -= tall;
        marks_.Rect({.x = kLeft + static_cast<double>(i) * kColumnWidth,
                     .y = bottom,
                     .width = kColumnWidth - 1,
                     .height = tall},
                    BarStyle(end), tooltip);
        room = std::max(room, 3.5);
      }
    }
    marks_.Text(kLeft - 12, y + kHeight - 4, "tallest: " + std::to_string(tallest), "small",
                Svg::Anchor::kEnd);
    return y + kHeight + 2;
  }

  double DrawLabels(double y) {
    constexpr double kHeight = 22;
    std::vector<std::string> names;
    for (const TracedLabel& label : trace_.labels) {
      if (std::find(names.begin(), names.end(), label.label) == names.end()) {
        names.push_back(label.label);
      }
    }
    if (names.empty()) {
      return y;
    }
    y += 20;
    marks_.Text(kMargin, y + 4, "labels of the context", "h2");
    y += 12;
    for (size_t i = 0; i < std::min(names.size(), kLabelRowsMax); ++i) {
      RowName(y, kHeight, names[i], {}, i % 2 == 0);
      const std::string_view style = names[i].starts_with("integrity:")         ? "label3"
                                     : names[i].starts_with("confidentiality:") ? "label2"
                                                                                : "label";
      size_t spans = 0;
      for (const TracedLabel& label : trace_.labels) {
        if (label.label != names[i] || ++spans > 100) {
          continue;
        }
        const double x = axis_.At(label.span.begin);
        const double width = std::max(3.0, axis_.At(label.span.end) - x);
        const std::string by = label.by.empty() ? "" : "by " + label.by;
        marks_.Rect({.x = std::min(x, kRight - 3),
                     .y = y + 3,
                     .width = width,
                     .height = kHeight - 6,
                     .radius = 3},
                    style,
                    label.label + (by.empty() ? "" : ", brought " + by) + ", from " +
                        DurationText(label.span.begin - trace_.span.begin) + " to " +
                        DurationText(label.span.end - trace_.span.begin));
        if (width > 60 && !by.empty()) {
          marks_.Text(x + 6, y + kHeight / 2 + 4, Fit(by, width - 10, 11), "labeltext");
        }
      }
      y += kHeight + 2;
    }
    if (names.size() > kLabelRowsMax) {
      marks_.Text(kMargin, y + 14, "and " + Count(names.size() - kLabelRowsMax, "more label"),
                  "small");
      y += 22;
    }
    return y;
  }

  bool Odd() { return (++row_ % 2) == 0; }

  void Summarise(OrderedJson* summary, size_t marks) const {
    *summary = {{"plot", "session"},
                {"session", trace_.session},
                {"records", trace_.records},
                {"turns", trace_.turns.size()},
                {"engine_steps", trace_.engine.size()},
                {"calls", trace_.calls.size()},
                {"refused", CountEnd(CallEnd::kRefused)},
                {"failed", CountEnd(CallEnd::kFailed)},
                {"stopped", CountEnd(CallEnd::kStopped)},
                {"labels", trace_.labels.size()},
                {"counted", counted_},
                {"complete", !trace_.cut},
                {"marks", marks}};
  }

  const SessionTrace& trace_;
  const Evidence& evidence_;
  const TimeAxis axis_;
  const bool counted_;
  const std::vector<ToolRow> rows_;
  int row_ = 0;
  Svg bands_;  // behind the grid
  Svg marks_;
};

}  // namespace

Picture PlotTimeline(const SessionTrace& trace, const Evidence& evidence) {
  return Timeline(trace, evidence).Draw();
}

}  // namespace nacre::plot
