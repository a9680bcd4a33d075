#include "sandbox/workspace/line_diff.h"

#include <algorithm>

namespace nacre::sandbox {
namespace {

constexpr size_t kTextBytesMax = 1 << 20;
constexpr int kEditsMax = 1000;  // the trace takes its square: 4 MB
constexpr size_t kAround = 3;

using Lines = std::vector<std::string_view>;

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

// Myers' greedy search, forwards; the furthest reaching points of each round are kept for the way back.
void AppendMiddle(const Lines& a, const Lines& b, std::vector<LineEdit>& edits) {
  const int n = static_cast<int>(a.size());
  const int m = static_cast<int>(b.size());
  const int bound = std::min(n + m, kEditsMax);
  std::vector<std::vector<int>> trace;
  std::vector<int> furthest(static_cast<size_t>(2 * bound + 3), 0);
  const auto at = [bound](int k) { return static_cast<size_t>(k + bound + 1); };
  int found = -1;
  for (int d = 0; d <= bound && found < 0; ++d) {
    for (int k = -d; k <= d; k += 2) {
      int x = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)])
                  ? furthest[at(k + 1)]
                  : furthest[at(k - 1)] + 1;
      while (x < n && x - k < m && a[static_cast<size_t>(x)] == b[static_cast<size_t>(x - k)]) {
        ++x;
      }
      furthest[at(k)] = x;
      if (x >= n && x - k >= m) {
        found = d;
        break;
      }
    }
    // What round d may look back at: k from -d to d.
    trace.emplace_back(furthest.begin() + (bound + 1 - d), furthest.begin() + (bound + 2 + d));
  }
  if (found < 0) {
    for (const std::string_view line : a) {
      edits.push_back({LineEdit::Kind::kRemoved, line});
    }
    for (const std::string_view line : b) {
      edits.push_back({LineEdit::Kind::kAdded, line});
    }
    return;
  }
  std::vector<LineEdit> backwards;
  int x = n;
  int y = m;
  for (int d = found; d > 0; --d) {
    const std::vector<int>& before = trace[static_cast<size_t>(d - 1)];
    const auto reached = [&before, d](int k) {
      return k < -(d - 1) || k > d - 1 ? -1 : before[static_cast<size_t>(k + d - 1)];
    };
    const int k = x - y;
    const bool added = k == -d || (k != d && reached(k - 1) < reached(k + 1));
    const int from_k = added ? k + 1 : k - 1;
    const int from_x = reached(from_k);
    const int from_y = from_x - from_k;
    while (x > from_x + (added ? 0 : 1) && y > from_y + (added ? 1 : 0)) {
      backwards.push_back({LineEdit::Kind::kKept, a[static_cast<size_t>(--x)]});
      --y;
    }
    if (added) {
      backwards.push_back({LineEdit::Kind::kAdded, b[static_cast<size_t>(--y)]});
    } else {
      backwards.push_back({LineEdit::Kind::kRemoved, a[static_cast<size_t>(--x)]});
    }
  }
  while (x > 0 && y > 0) {
    backwards.push_back({LineEdit::Kind::kKept, a[static_cast<size_t>(--x)]});
    --y;
  }
  edits.insert(edits.end(), backwards.rbegin(), backwards.rend());
}

}  // namespace

std::optional<std::vector<LineEdit>> DiffLines(std::string_view before, std::string_view after) {
  for (const std::string_view text : {before, after}) {
    if (text.size() > kTextBytesMax || text.find('\0') != std::string_view::npos) {
      return std::nullopt;
    }
  }
  const Lines a = Split(before);
  const Lines b = Split(after);
  const size_t shorter = std::min(a.size(), b.size());
  size_t head = 0;
  while (head < shorter && a[head] == b[head]) {
    ++head;
  }
  size_t tail = 0;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  std::vector<LineEdit> edits;
  for (size_t i = 0; i < head; ++i) {
    edits.push_back({LineEdit::Kind::kKept, a[i]});
  }
  const auto middle = [head, tail](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  AppendMiddle(middle(a), middle(b), edits);
  for (size_t i = a.size() - tail; i < a.size(); ++i) {
    edits.push_back({LineEdit::Kind::kKept, a[i]});
  }
  return edits;
}

LineCounts CountLines(const std::vector<LineEdit>& edits) {
  LineCounts counts;
  for (const LineEdit& edit : edits) {
    counts.added += edit.kind == LineEdit::Kind::kAdded ? 1 : 0;
    counts.removed += edit.kind == LineEdit::Kind::kRemoved ? 1 : 0;
  }
  return counts;
}

std::string UnifiedHunks(const std::vector<LineEdit>& edits) {
  std::string text;
  size_t before_line = 1;
  size_t after_line = 1;
  size_t i = 0;
  while (i < edits.size()) {
    // To the next change, less what stands around it.
    size_t first = i;
    while (first < edits.size() && edits[first].kind == LineEdit::Kind::kKept) {
      ++first;
    }
    if (first == edits.size()) {
      break;
    }
    const size_t start = first - std::min(kAround, first - i);
    before_line += start - i;
    after_line += start - i;
    size_t end = first;
    for (size_t kept = 0, at = first; at < edits.size() && kept <= 2 * kAround; ++at) {
      kept = edits[at].kind == LineEdit::Kind::kKept ? kept + 1 : 0;
      end = kept == 0 ? at + 1 : end;
    }
    end = std::min(end + kAround, edits.size());
    size_t before_count = 0;
    size_t after_count = 0;
    std::string lines;
    for (size_t at = start; at < end; ++at) {
      const LineEdit& edit = edits[at];
      before_count += edit.kind != LineEdit::Kind::kAdded ? 1 : 0;
      after_count += edit.kind != LineEdit::Kind::kRemoved ? 1 : 0;
      lines += edit.kind == LineEdit::Kind::kKept      ? ' '
               : edit.kind == LineEdit::Kind::kRemoved ? '-'
                                                       : '+';
      lines += edit.line;
      if (!edit.line.ends_with('\n')) {
        lines += "\n\\ No newline at end of file\n";
      }
    }
    const auto range = [](size_t line, size_t count) {
      return std::to_string(count == 0 ? line - 1 : line) +
             (count == 1 ? "" : "," + std::to_string(count));
    };
    text += "@@ -" + range(before_line, before_count) + " +" + range(after_line, after_count) +
            " @@\n" + lines;
    before_line += before_count;
    after_line += after_count;
    i = end;
  }
  return text;
}

}  // namespace nacre::sandbox
