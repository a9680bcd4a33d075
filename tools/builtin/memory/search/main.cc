// memory.search: finds what was noted.
#include <algorithm>

#include "nacre/sdk/tool_main.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

class MemorySearch final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    std::vector<std::string> notes =
        context.memory().Search(arguments.at("query").get<std::string>());
    const std::string header = Count(notes.size(), "note", "notes");
    for (std::string& note : notes) {
      std::replace(note.begin(), note.end(), '\n', ' ');  // one line is one note
    }
    notes.insert(notes.begin(), header);
    return {JoinLines(notes)};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::MemorySearch(), argc, argv);
}
