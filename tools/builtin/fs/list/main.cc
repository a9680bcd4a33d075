// fs.list: what is in a directory.
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <optional>
#include <tuple>

#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/glob.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/size.h"
#include "tools/builtin/common/text.h"
#include "tools/builtin/common/walk.h"

namespace nacre::tools::builtin {
namespace {

constexpr uint64_t kLimitDefault = 1000;
constexpr uint64_t kLimitMax = 10'000;

enum class Order { kName = 0, kSize, kTime };

struct Request {
  std::string path;
  WalkDepth depth = WalkDepth::kOneLevel;
  std::string pattern;
  double above = -1;  // strictly larger than this
  double below = std::numeric_limits<double>::infinity();
  bool files_only = false;
  Order order = Order::kName;
  uint64_t limit = kLimitDefault;
};

Order ParseOrder(const std::string& text) {
  if (text == "size") {
    return Order::kSize;
  }
  if (text == "time") {
    return Order::kTime;
  }
  if (text != "name") {
    throw sdk::ToolError("sort: expected name, size or time");
  }
  return Order::kName;
}

Request ParseRequest(const sdk::Arguments& arguments) {
  Request request;
  request.path = PathArgument(arguments, "path", ".");
  request.depth =
      arguments.value("recursive", false) ? WalkDepth::kWholeTree : WalkDepth::kOneLevel;
  request.pattern = arguments.value("pattern", std::string("*"));
  if (arguments.contains("min_size")) {
    request.above = ParseSize(arguments["min_size"].get<std::string>());
  }
  if (arguments.contains("max_size")) {
    request.below = ParseSize(arguments["max_size"].get<std::string>());
  }
  request.order = ParseOrder(arguments.value("sort", std::string("name")));
  request.files_only = arguments.contains("min_size") || arguments.contains("max_size") ||
                       request.order == Order::kSize;
  request.limit = std::clamp<uint64_t>(arguments.value("limit", kLimitDefault), 1, kLimitMax);
  return request;
}

struct Found {
  std::string path;
  bool directory = false;
  bool link = false;
  int64_t size = 0;
  timespec modified{};
};

// Whether `left` is listed before `right`. By name, directories come first; by time, last, since
// the question is about files.
bool ListedBefore(Order order, const Found& left, const Found& right) {
  switch (order) {
    case Order::kSize:
      return std::tie(right.size, left.path) < std::tie(left.size, right.path);
    case Order::kTime:
      if (left.directory || right.directory) {
        return std::tie(left.directory, left.path) < std::tie(right.directory, right.path);
      }
      return std::tie(right.modified.tv_sec, right.modified.tv_nsec, left.path) <
             std::tie(left.modified.tv_sec, left.modified.tv_nsec, right.path);
    case Order::kName:
      break;
  }
  return std::tie(right.directory, left.path) < std::tie(left.directory, right.path);
}

// Counts everything, keeps the first `limit` in order: memory does not grow with the tree.
class Listing final {
 public:
  explicit Listing(const Request& request) : request_(request) {}

  void Add(const WalkEntry& entry) {
    Found found{.path = entry.path,
                .directory = S_ISDIR(entry.info.st_mode),
                .link = S_ISLNK(entry.info.st_mode),
                .size = entry.info.st_size,
                .modified = entry.info.st_mtim};
    const auto size = static_cast<double>(found.size);
    const std::string name = found.path.substr(found.path.rfind('/') + 1);
    if ((request_.files_only && found.directory) || !GlobMatches(request_.pattern, name) ||
        (request_.files_only && (size <= request_.above || size >= request_.below))) {
      return;
    }
    ++(found.directory ? directories_ : files_);
    const auto before = [this](const Found& left, const Found& right) {
      return ListedBefore(request_.order, left, right);
    };
    kept_.push_back(std::move(found));
    std::push_heap(kept_.begin(), kept_.end(), before);
    if (kept_.size() > request_.limit) {
      std::pop_heap(kept_.begin(), kept_.end(), before);
      kept_.pop_back();
    }
  }

  std::string Text(uint64_t unreadable) {
    std::sort(kept_.begin(), kept_.end(), [this](const Found& left, const Found& right) {
      return ListedBefore(request_.order, left, right);
    });
    std::vector<std::string> lines = {Count(files_, "file", "files") + ", " +
                                      Count(directories_, "directory", "directories")};
    if (files_ + directories_ > kept_.size()) {
      lines.front() += " (first " + std::to_string(kept_.size()) + " shown)";
    }
    for (const Found& found : kept_) {
      lines.push_back(Line(found));
    }
    if (unreadable > 0) {
      lines.push_back(UnreadableNote(unreadable));
    }
    return JoinLines(lines);
  }

 private:
  std::string Line(const Found& found) const {
    if (found.directory) {
      return ShownName(found.path) + "/";
    }
    if (found.link) {
      char target[PATH_MAX];
      const ssize_t size =
          ::readlink((request_.path + "/" + found.path).c_str(), target, sizeof target);
      return ShownName(found.path) + " -> " +
             (size < 0 ? "?" : ShownName({target, static_cast<size_t>(size)}));
    }
    return ShownName(found.path) + " " + std::to_string(found.size);
  }

  const Request& request_;
  std::vector<Found> kept_;
  uint64_t files_ = 0;
  uint64_t directories_ = 0;
};

class FsList final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const Request request = ParseRequest(arguments);
    Listing listing(request);
    const uint64_t unreadable =
        Walk(request.path, request.depth, [&](const WalkEntry& entry) { listing.Add(entry); });
    return {listing.Text(unreadable)};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::FsList(), argc, argv);
}
