#include "policy/internal/problems.h"

#include "policy/internal/display.h"

namespace nacre::policy {
namespace {

constexpr size_t kShownMax = 20;

}  // namespace

bool Problems::full() const {
  return lines_.size() >= kShownMax;
}

void Problems::Add(const SourceLocation& where, const std::string& key_path,
                   const std::string& what, const std::string& suggestion) {
  if (full()) {
    ++left_out_;
    return;
  }
  std::string line = ToText(where) + ": ";
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
