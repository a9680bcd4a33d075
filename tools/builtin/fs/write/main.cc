// fs.write: creates, replaces or extends a file.
#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/file.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

constexpr uint64_t kAppendedFileBytesMax = 64U << 20;

std::string WithFinalNewline(std::string text) {
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  return text;
}

// The whole file is written anew, so that a crash leaves the old or the new one.
std::string ExistingContent(const std::string& path, const Existing& existing) {
  if (!existing.exists) {
    return "";
  }
  if (existing.size > kAppendedFileBytesMax) {
    throw sdk::ToolError("too large to append to: " + ShownPath(path) + " (" +
                         Count(existing.size, "byte", "bytes") + ")");
  }
  const RegularFile file = OpenRegularFile(path);
  return WithFinalNewline(ReadSome(file.fd.get(), kAppendedFileBytesMax, path));
}

class FsWrite final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const std::string path = PathArgument(arguments, "path");
    const std::string content = WithFinalNewline(arguments.at("content").get<std::string>());
    const bool append = arguments.value("append", false);
    const Existing existing = InspectForWriting(path);
    ReplaceFile(path, append ? ExistingContent(path, existing) + content : content, existing);
    const char* done = append ? "appended to " : existing.exists ? "replaced " : "wrote ";
    return {done + ShownPath(path) + ": " + Count(CountLines(content), "line", "lines") + ", " +
            Count(content.size(), "byte", "bytes")};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::FsWrite(), argc, argv);
}
