// fs.search: the lines of files that hold a text.
#include <fcntl.h>
#include <re2/re2.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/file.h"
#include "tools/builtin/common/glob.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"
#include "tools/builtin/common/walk.h"

namespace nacre::tools::builtin {
namespace {

constexpr uint64_t kLimitDefault = 200;
constexpr uint64_t kLimitMax = 1000;
constexpr size_t kLineBytesShownMax = 300;
constexpr size_t kFileBytesMax = 64U << 20;
constexpr int64_t kPatternMemoryBytesMax = 8 << 20;
constexpr size_t kSkippedShownMax = 20;

RE2::Options PatternOptions(const sdk::Arguments& arguments) {
  RE2::Options options;
  options.set_literal(!arguments.value("regex", false));
  options.set_case_sensitive(!arguments.value("ignore_case", false));
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemoryBytesMax);
  return options;
}

class Search final {
 public:
  explicit Search(const sdk::Arguments& arguments)
      : expression_(arguments.at("pattern").get<std::string>(), PatternOptions(arguments)),
        limit_(std::clamp<uint64_t>(arguments.value("limit", kLimitDefault), 1, kLimitMax)) {
    if (!expression_.ok()) {
      throw sdk::ToolError("bad regular expression: " +
                           ShownName(Cut(expression_.error(), 200, "...")));
    }
    if (expression_.pattern().empty()) {
      throw sdk::ToolError("pattern is empty");
    }
  }

  // A file that cannot be opened (no permission, gone meanwhile) is counted, not an end.
  void File(const std::string& path) {
    try {
      FileOrThrow(path);
    } catch (const sdk::ToolError&) {
      ++unreadable_files_;
    }
  }

  void FileOrThrow(const std::string& path) {
    const RegularFile file = OpenRegularFile(path);
    std::string content = ReadSome(file.fd.get(), kBinaryProbeBytes, path);
    if (IsBinary(content)) {
      return;
    }
    if (file.size > kFileBytesMax) {
      Skip(path);
      return;
    }
    content += ReadSome(file.fd.get(), file.size - std::min(file.size, content.size()), path);
    const uint64_t matches_before = matches_;
    uint64_t number = 0;
    for (const std::string_view line : SplitLines(content)) {
      ++number;
      if (RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), expression_)) {
        Match(path, number, line);
      }
    }
    files_ += matches_ > matches_before ? 1 : 0;
  }

  std::string Text(uint64_t unreadable_directories) {
    std::string header =
        Count(matches_, "match", "matches") + " in " + Count(files_, "file", "files");
    if (matches_ > lines_.size()) {
      header += " (first " + std::to_string(lines_.size()) + " shown)";
    }
    std::vector<std::string> all = {header};
    all.insert(all.end(), lines_.begin(), lines_.end());
    all.insert(all.end(), skipped_.begin(), skipped_.end());
    if (unreadable_files_ > 0) {
      all.push_back("(" + Count(unreadable_files_, "file", "files") + " could not be read)");
    }
    if (unreadable_directories > 0) {
      all.push_back(UnreadableNote(unreadable_directories));
    }
    return JoinLines(all);
  }

 private:
  void Match(const std::string& path, uint64_t number, std::string_view line) {
    ++matches_;
    if (lines_.size() >= limit_) {
      return;
    }
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    lines_.push_back(ShownPath(path) + ":" + std::to_string(number) + ": " +
                     Cut(line, kLineBytesShownMax, "..."));
  }

  void Skip(const std::string& path) {
    if (skipped_.size() < kSkippedShownMax) {
      skipped_.push_back("(skipped: " + ShownPath(path) + " is larger than 64 MiB)");
    }
  }

  RE2 expression_;
  uint64_t limit_;
  uint64_t matches_ = 0;
  uint64_t files_ = 0;
  uint64_t unreadable_files_ = 0;
  std::vector<std::string> lines_;
  std::vector<std::string> skipped_;
};

bool IsDirectory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    ThrowErrno(errno, path, "file or directory");
  }
  return S_ISDIR(info.st_mode);
}

class FsSearch final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const std::string path = PathArgument(arguments, "path", ".");
    const auto names = arguments.value("files", std::string("*"));
    Search search(arguments);
    if (!IsDirectory(path)) {
      search.FileOrThrow(path);
      return {search.Text(0)};
    }
    const uint64_t unreadable = Walk(path, WalkDepth::kWholeTree, [&](const WalkEntry& entry) {
      const std::string name = entry.path.substr(entry.path.rfind('/') + 1);
      if (S_ISREG(entry.info.st_mode) && GlobMatches(names, name)) {
        search.File(path + "/" + entry.path);
      }
    });
    return {search.Text(unreadable)};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::FsSearch(), argc, argv);
}
