// memory.note: keeps a text beyond the session.
#include "nacre/sdk/tool_main.h"

namespace nacre::tools::builtin {
namespace {

class MemoryNote final : public sdk::Tool {
  sdk::ToolReply Call(const sdk::Arguments& arguments, sdk::Context& context) override {
    const auto text = arguments.at("text").get<std::string>();
    if (text.empty()) {
      throw sdk::ToolError("text is empty");
    }
    context.memory().Note(text);
    return {"noted"};
  }
};

}  // namespace
}  // namespace nacre::tools::builtin

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(nacre::tools::builtin::MemoryNote(), argc, argv);
}
