// fs.edit: replaces text in a file.
#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/file.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

constexpr size_t kFileBytesMax = 16U << 20;
constexpr size_t kEditedBytesMax = 64U << 20;
constexpr size_t kShownTextBytesMax = 200;

std::string ReadText(const std::string& path) {
  const RegularFile file = OpenRegularFile(path);
  const std::string size = " (" + Count(file.size, "byte", "bytes") + ")";
  std::string content = ReadSome(file.fd.get(), kFileBytesMax + 1, path);
  if (IsBinary(content)) {
    throw sdk::ToolError("not text: " + ShownPath(path) + size);
  }
  if (content.size() > kFileBytesMax) {
    throw sdk::ToolError("too large to edit: " + ShownPath(path) + size);
  }
  return content;
}

struct Edited {
  std::string content;
  uint64_t replacements = 0;
};

Edited Replace(const std::string& content, const std::string& old, const std::string& replacement) {
  Edited edited;
  size_t from = 0;
  for (size_t at = content.find(old); at != std::string::npos; at = content.find(old, from)) {
    edited.content.append(content, from, at - from);
    edited.content += replacement;
    if (edited.content.size() > kEditedBytesMax) {
      throw sdk::ToolError("the edited file would be larger than 64 MiB");
    }
    from = at + old.size();
    ++edited.replacements;
  }
  edited.content.append(content, from);
  return edited;
}

class FsEdit final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    (void)context;
    const std::string path = PathArgument(arguments, "path");
    const auto old = arguments.at("old").get<std::string>();
    if (old.empty()) {
      throw sdk::ToolError("old is empty");
    }
    const Existing existing = InspectForWriting(path);
    const Edited edited = Replace(ReadText(path), old, arguments.at("new").get<std::string>());
    const std::string where = ShownPath(path) + ": " + Cut(old, kShownTextBytesMax, "...");
    if (edited.replacements == 0) {
      throw sdk::ToolError("text not found in " + where);
    }
    if (edited.replacements > 1 && !arguments.value("all", false)) {
      throw sdk::ToolError("text occurs " + std::to_string(edited.replacements) + " times in " +
                           where);
    }
    ReplaceFile(path, edited.content, existing);
    return {"edited " + ShownPath(path) + ": " +
            Count(edited.replacements, "replacement", "replacements")};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::FsEdit(), argc, argv);
}
