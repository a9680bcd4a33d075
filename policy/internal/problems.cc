#include "policy/internal/problems.h"

#include <algorithm>

#include "policy/internal/display.h"

namespace nacre::policy {
namespace {

constexpr size_t kShownMax = 20;
constexpr size_t kWordMax = 64;

// Levenshtein's distance, one row at a time.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > kWordMax) {
    return "";
  }
  size_t best = std::min<size_t>(2, std::max<size_t>(1, word.size() / 3)) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kWordMax || candidate == word) {
      continue;
    }
    const size_t distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

void Problems::Add(const SourceLocation& where, const std::string& key_path,
                   const std::string& what, const std::string& suggestion) {
  if (lines_.size() >= kShownMax) {
    ++left_out_;
    return;
  }
  std::string line = where.file + ":" + std::to_string(where.line) + ":" +
                     std::to_string(where.column) + ": ";
  if (!key_path.empty()) {
    line += key_path + ": ";
  }
  line += what;
  if (!suggestion.empty()) {
    line += "; did you mean \"" + suggestion + "\"?";
  }
  lines_.push_back(ShownText(line));
}

Error Problems::ToError() const {
  std::string text;
  for (const std::string& line : lines_) {
    text += (text.empty() ? "" : "\n") + line;
  }
  if (left_out_ > 0) {
    text += "\nand " + std::to_string(left_out_) + " more";
  }
  return {ErrorCode::kInvalidArgument, text};
}

}  // namespace nacre::policy
