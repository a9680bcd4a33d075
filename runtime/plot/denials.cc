#include <algorithm>
#include <array>
#include <vector>

#include "runtime/plot/marks.h"
#include "runtime/plot/pictures.h"

namespace nacre::plot {
namespace {

constexpr double kLeft = 330;
constexpr double kTotalsWidth = 130;
constexpr double kRight = kWidth - kMargin - kTotalsWidth;
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kColumnsAtMost = 62;

struct Row {
  std::string rule;
  std::string tooltip;
  std::vector<uint64_t> cells;
  uint64_t total = 0;
};

struct Table {
  int64_t first_day = 0;
  int64_t days_per_column = 1;
  std::vector<Row> rows;
  std::vector<uint64_t> column_totals;
  uint64_t largest = 0;
  size_t rules = 0;
};

std::string DayText(int64_t day) {
  return DateTimeText(day * kDayMs).substr(0, 10);
}

std::string NameOf(const std::string& rule) {
  return rule.empty() ? "(no rule)" : rule;
}

Table Tabulate(const DenialCounts& counts) {
  Table table;
  int64_t last_day = INT64_MIN;
  table.first_day = INT64_MAX;
  std::vector<std::pair<uint64_t, const std::string*>> order;
  for (const auto& [rule, denials] : counts.rules) {
    order.emplace_back(denials.total, &rule);
    table.first_day = std::min(table.first_day, denials.by_day.begin()->first);
    last_day = std::max(last_day, denials.by_day.rbegin()->first);
  }
  table.rules = order.size();
  if (order.empty()) {
    return table;
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : *a.second < *b.second;
  });
  const int64_t days = last_day - table.first_day + 1;
  for (const int64_t each : {1, 7, 30, 365}) {
    table.days_per_column = each;
    if ((days + each - 1) / each <= kColumnsAtMost) {
      break;
    }
  }
  // A hostile log may name any time.
  table.days_per_column =
      std::max(table.days_per_column, (days + kColumnsAtMost - 1) / kColumnsAtMost);
  const auto columns =
      static_cast<size_t>((days + table.days_per_column - 1) / table.days_per_column);
  table.column_totals.resize(columns);
  const size_t own = order.size() > kRuleRowsMax ? kRuleRowsMax - 1 : order.size();
  for (size_t i = 0; i < order.size(); ++i) {
    const DenialsOfRule& denials = counts.rules.at(*order[i].second);
    if (i < own) {
      Row row{
          .rule = NameOf(*order[i].second), .tooltip = {}, .cells = std::vector<uint64_t>(columns)};
      row.tooltip = row.rule + ": " + Count(denials.total, "refusal");
      if (denials.not_approved > 0) {
        row.tooltip += ", of them " + std::to_string(denials.not_approved) + " not approved";
      }
      for (const auto& [tool, count] : denials.by_tool) {
        row.tooltip +=
            " · " + (tool.empty() ? "(unknown tool)" : tool) + " " + std::to_string(count);
      }
      if (!denials.reason.empty()) {
        row.tooltip += " · " + denials.reason;
      }
      table.rows.push_back(std::move(row));
    } else if (i == own) {
      const std::string name = std::to_string(order.size() - own) + " other rules";
      table.rows.push_back(
          {.rule = name, .tooltip = name, .cells = std::vector<uint64_t>(columns)});
    }
    Row& row = table.rows[std::min(i, own)];
    row.total += denials.total;
    for (const auto& [day, count] : denials.by_day) {
      const auto column = static_cast<size_t>((day - table.first_day) / table.days_per_column);
      row.cells[column] += count;
      table.column_totals[column] += count;
      table.largest = std::max(table.largest, row.cells[column]);
    }
  }
  return table;
}

// 1 to 5: equal steps of the logarithm, so that one and a thousand are both seen.
int ClassOf(uint64_t count, uint64_t largest) {
  int steps = 1;
  for (uint64_t bound = 1; steps < 5; ++steps) {
    const uint64_t next = largest <= 5 ? bound + 1
                                       : bound * (largest <= 50    ? 2
                                                  : largest <= 500 ? 4
                                                                   : 8);
    if (count < next) {
      break;
    }
    bound = next;
  }
  return steps;
}

}  // namespace

Picture PlotDenials(const DenialCounts& counts, const Evidence& evidence) {
  const Table table = Tabulate(counts);
  Picture picture;
  picture.title = "Refused calls by rule and day";
  Svg svg;
  std::string about = Count(counts.total, "refusal") + " of " +
                      Count(counts.decisions, "decision") + " by " + Count(table.rules, "rule");
  if (!counts.since.empty() || !counts.until.empty()) {
    about += " ·" + (counts.since.empty() ? "" : " from " + counts.since) +
             (counts.until.empty() ? "" : " to before " + counts.until);
  }
  std::vector<std::string> notes;
  if (table.days_per_column > 1) {
    notes.push_back("A column is " + std::to_string(table.days_per_column) +
                    " days, from the date above it on.");
  }
  if (counts.uncounted > 0) {
    notes.push_back(Count(counts.uncounted, "refusal") + " by still more rules are not shown.");
  }
  double y = DrawHeading(
      &svg, picture.title,
      {about, "Denied by a rule, or asked of a person and not approved. Days are UTC."}, notes);
  if (table.rows.empty()) {
    svg.Rect({.x = kMargin, .y = y + 10, .width = kWidth - 2 * kMargin, .height = 90, .radius = 6},
             "band");
    svg.Text(kWidth / 2, y + 60,
             counts.decisions == 0 ? "No decision was recorded in this time."
                                   : "No call was refused in this time.",
             "h2", Svg::Anchor::kMiddle);
    y += 120;
  } else {
    const auto columns = static_cast<double>(table.column_totals.size());
    const double cell = std::min(64.0, (kRight - kLeft) / columns);
    constexpr double kHeight = 26;
    // Legend: what the colours count.
    double x = kMargin;
    y += 14;
    svg.Text(x, y + 4, "refusals:", "small");
    x += 62;
    for (int each = 1; each <= 5; ++each) {
      uint64_t from = 0;
      uint64_t to = 0;
      for (uint64_t count = 1; count <= std::min<uint64_t>(table.largest, 100'000); ++count) {
        if (ClassOf(count, table.largest) == each) {
          from = from == 0 ? count : from;
          to = count;
        }
      }
      if (from == 0) {
        continue;
      }
      if (each == 5) {
        to = table.largest;
      }
      const std::string range =
          from == to ? std::to_string(from) : std::to_string(from) + "–" + std::to_string(to);
      svg.Rect({.x = x, .y = y - 7, .width = 16, .height = 14, .radius = 2},
               "q" + std::to_string(each));
      svg.Text(x + 22, y + 4, range, "small");
      x += 34 + TextWidth(range, 11);
    }
    y += 24;
    // Totals of the columns.
    constexpr double kTotalsHeight = 44;
    const uint64_t tallest =
        *std::max_element(table.column_totals.begin(), table.column_totals.end());
    for (size_t i = 0; i < table.column_totals.size(); ++i) {
      const double tall = kTotalsHeight * static_cast<double>(table.column_totals[i]) /
                          static_cast<double>(tallest);
      if (tall > 0) {
        svg.Rect({.x = kLeft + static_cast<double>(i) * cell + 1,
                  .y = y + kTotalsHeight - std::max(1.5, tall),
                  .width = std::max(1.0, cell - 2),
                  .height = std::max(1.5, tall)},
                 "denybar",
                 DayText(table.first_day + static_cast<int64_t>(i) * table.days_per_column) + ": " +
                     Count(table.column_totals[i], "refusal"));
      }
    }
    svg.Text(kLeft - 12, y + kTotalsHeight - 4, "all rules, tallest " + std::to_string(tallest),
             "small", Svg::Anchor::kEnd);
    y += kTotalsHeight + 4;
    double free_from = 0;
    for (size_t i = 0; i < table.column_totals.size(); ++i) {
      const std::string day =
          DayText(table.first_day + static_cast<int64_t>(i) * table.days_per_column);
      const double middle = kLeft + (static_cast<double>(i) + 0.5) * cell;
      const std::string text =
          i == 0 || day.ends_with("-01") || table.days_per_column > 1 ? day : day.substr(5);
      const double half = TextWidth(text, 11) / 2;
      if (middle - half >= free_from) {
        svg.Text(middle, y + 14, text, "small", Svg::Anchor::kMiddle);
        free_from = middle + half + 6;
      }
    }
    y += 22;
    uint64_t largest_row = 1;
    for (const Row& row : table.rows) {
      largest_row = std::max(largest_row, row.total);
    }
    for (const Row& row : table.rows) {
      svg.Text(kLeft - 12, y + kHeight / 2 + 4, Fit(row.rule, kLeft - kMargin - 16, 12), "name",
               Svg::Anchor::kEnd, row.tooltip);
      for (size_t i = 0; i < row.cells.size(); ++i) {
        const Svg::Box box{.x = kLeft + static_cast<double>(i) * cell + 1,
                           .y = y + 1,
                           .width = std::max(1.0, cell - 2),
                           .height = kHeight - 2,
                           .radius = 2};
        if (row.cells[i] == 0) {
          svg.Rect(box, "q0");
          continue;
        }
        const std::string level = std::to_string(ClassOf(row.cells[i], table.largest));
        svg.Rect(box, "q" + level,
                 DayText(table.first_day + static_cast<int64_t>(i) * table.days_per_column) + ": " +
                     Count(row.cells[i], "refusal") + " · " + row.tooltip);
        const std::string number = std::to_string(row.cells[i]);
        if (TextWidth(number, 11) < cell - 3) {
          svg.Text(box.x + box.width / 2, y + kHeight / 2 + 4, number, "t" + level,
                   Svg::Anchor::kMiddle);
        }
      }
      const double after = kLeft + columns * cell + 12;
      const double wide =
          (kTotalsWidth - 60) * static_cast<double>(row.total) / static_cast<double>(largest_row);
      svg.Rect({.x = after, .y = y + 6, .width = std::max(1.5, wide), .height = kHeight - 12},
               "denybar", row.tooltip);
      svg.Text(after + std::max(1.5, wide) + 6, y + kHeight / 2 + 4, std::to_string(row.total),
               "small");
      y += kHeight;
    }
    y += 12;
  }
  svg.Text(kMargin, y + 24,
           Fit(FootLine(evidence, Count(counts.decisions, "decision")), kWidth - 2 * kMargin, 11),
           "small");
  picture.height = y + 42;
  picture.body = svg.body();
  picture.marks = svg.marks();
  picture.description = about;
  OrderedJson rules = OrderedJson::array();
  for (const auto& [rule, denials] : counts.rules) {
    OrderedJson days = OrderedJson::object();
    for (const auto& [day, count] : denials.by_day) {
      days[DayText(day)] = count;
    }
    rules.push_back({{"rule", rule},
                     {"refused", denials.total},
                     {"not_approved", denials.not_approved},
                     {"days", days}});
  }
  picture.summary = {{"plot", "denials"},
                     {"decisions", counts.decisions},
                     {"refused", counts.total},
                     {"rules", std::move(rules)},
                     {"days_per_column", table.days_per_column},
                     {"complete", counts.uncounted == 0},
                     {"marks", picture.marks}};
  return picture;
}

}  // namespace nacre::plot
