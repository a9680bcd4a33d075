// fs.read: the lines of a text file.
#include <algorithm>

#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/file.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

constexpr uint64_t kLinesShownDefault = 2000;
constexpr size_t kBytesShownMax = 64U << 10;
constexpr size_t kLineBytesShownMax = 4096;
constexpr size_t kChunkBytes = 64U << 10;

// Sees the whole file, piece by piece, and keeps the wanted lines.
class LineWindow final {
 public:
  LineWindow(uint64_t first, uint64_t count) : first_(first), count_(count) {}

  void Feed(std::string_view bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      AddToLine(bytes.substr(0, end));
      if (end == std::string_view::npos) {
        return;
      }
      EndLine();
      bytes.remove_prefix(end + 1);
    }
  }
  // The last line may lack its end.
  void Finish() {
    if (in_line_) {
      EndLine();
    }
  }

  uint64_t bytes() const { return bytes_; }
  uint64_t lines() const { return lines_; }
  const std::vector<std::string>& shown() const { return shown_; }

 private:
  void AddToLine(std::string_view part) {
    in_line_ = true;
    line_bytes_ += part.size();
    // One byte more than is shown, so that the cut can tell where a character ends.
    line_.append(part.substr(0, kLineBytesShownMax + 1 - line_.size()));
  }

  void EndLine() {
    ++lines_;
    if (lines_ >= first_ && shown_.size() < count_ && !full_) {
      const size_t kept = CutSize(line_, kLineBytesShownMax);
      if (kept < line_bytes_) {
        line_.resize(kept);
        line_ += " (" + Count(line_bytes_ - kept, "more byte)", "more bytes)");
      }
      shown_bytes_ += line_.size() + 1;
      full_ = shown_bytes_ > kBytesShownMax;
      if (!full_) {
        shown_.push_back(line_);
      }
    }
    line_.clear();
    line_bytes_ = 0;
    in_line_ = false;
  }

  uint64_t first_;
  uint64_t count_;
  uint64_t bytes_ = 0;
  uint64_t lines_ = 0;
  std::string line_;  // the beginning of the line that is being read
  uint64_t line_bytes_ = 0;
  bool in_line_ = false;
  std::vector<std::string> shown_;
  size_t shown_bytes_ = 0;
  bool full_ = false;
};

std::string Text(const LineWindow& window, uint64_t first, const std::string& path) {
  const uint64_t shown = window.shown().size();
  std::string header =
      Count(window.lines(), "line", "lines") + ", " + Count(window.bytes(), "byte", "bytes");
  if (window.lines() == 0) {
    return header;
  }
  if (first > window.lines()) {
    throw sdk::ToolError("line " + std::to_string(first) + " is after the end of " +
                         ShownPath(path) + " (" + Count(window.lines(), "line", "lines") + ")");
  }
  if (shown < window.lines()) {
    header +=
        " (lines " + std::to_string(first) + "-" + std::to_string(first + shown - 1) + " shown)";
  }
  return header + "\n" + JoinLines(window.shown());
}

class FsRead final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const std::string path = PathArgument(arguments, "path");
    const auto first = std::max<uint64_t>(arguments.value("start_line", uint64_t{1}), 1);
    const auto count = std::clamp<uint64_t>(arguments.value("max_lines", kLinesShownDefault), 1,
                                            kLinesShownDefault);
    const RegularFile file = OpenRegularFile(path);
    LineWindow window(first, count);
    std::string chunk = ReadSome(file.fd.get(), kChunkBytes, path);
    if (IsBinary(chunk)) {
      throw sdk::ToolError("not text: " + ShownPath(path) + " (" +
                           Count(file.size, "byte", "bytes") + ")");
    }
    for (; !chunk.empty(); chunk = ReadSome(file.fd.get(), kChunkBytes, path)) {
      window.Feed(chunk);
    }
    window.Finish();
    return {Text(window, first, path)};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::FsRead(), argc, argv);
}
