// A tool that does what it is told, also what a good tool would not.
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>

#include "nacre/sdk/tool_main.h"

namespace {

using nacre::sdk::Arguments;
using nacre::sdk::Context;
using nacre::sdk::ToolReply;

class ProbeTool final : public nacre::sdk::Tool {
  ToolReply Call(const Arguments& arguments, Context& context) override {
    const auto what = arguments.at("do").get<std::string>();
    if (what == "throw ToolError") {
      throw nacre::sdk::ToolError("no such thing");
    }
    if (what == "throw an exception") {
      throw std::out_of_range("index 7");
    }
    if (what == "throw a number") {
      throw 7;
    }
    if (what == "say much") {
      std::string text;
      while (text.size() < (2U << 20)) {
        text += "\x01 control characters grow sixfold in JSON\n";
      }
      return {text};
    }
    if (what == "say bytes") {
      return {"caf\xE9"};
    }
    if (what == "tell") {
      return {"call " + context.call_id() + ", dumpable " +
              std::to_string(::prctl(PR_GET_DUMPABLE)) + ", descriptor 3 " +
              (::fcntl(3, F_GETFD) < 0 ? "closed" : "open") + ", input " +
              (std::getchar() == EOF ? "empty" : "readable")};
    }
    if (what == "remember") {
      context.memory().Note("a");
      const auto notes = context.memory().Search("a");
      return {std::to_string(notes.size()) + " notes"};
    }
    return {.text = "error: unknown", .error = true};
  }
};

}  // namespace

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(ProbeTool(), argc, argv);
}
