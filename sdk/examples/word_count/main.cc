// word_count: a tool for AI agents in 20 lines.
#include <fstream>
#include <iterator>

#include "nacre/sdk/tool_main.h"

class WordCount final : public nacre::sdk::Tool {
  nacre::sdk::ToolReply Call(const nacre::sdk::Arguments& arguments,
                             nacre::sdk::Context&) override {
    const auto path = arguments.at("path").get<std::string>();
    std::ifstream file(path);
    if (!file) {
      throw nacre::sdk::ToolError("cannot read " + path);
    }
    using Words = std::istream_iterator<std::string>;
    return {std::to_string(std::distance(Words(file), Words())) + " words"};
  }
};

int main(int argc, char** argv) {
  return nacre::sdk::ToolMain(WordCount(), argc, argv);
}
