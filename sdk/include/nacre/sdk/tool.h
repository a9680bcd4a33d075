// Tool: what an author writes. A tool is a program; a call runs it once, in a sandbox of its own.
//
//   class WordCount final : public nacre::sdk::Tool {
//     nacre::sdk::ToolReply Call(const nacre::sdk::Arguments& arguments,
//                                nacre::sdk::Context& context) override {
//       (void)context;
//       std::ifstream file(arguments.at("path").get<std::string>());
//       if (!file) {
//         throw nacre::sdk::ToolError("cannot open the file");
//       }
//       using Words = std::istream_iterator<std::string>;
//       return {std::to_string(std::distance(Words(file), Words())) + " words"};
//     }
//   };
//   int main(int argc, char** argv) { return nacre::sdk::ToolMain(WordCount(), argc, argv); }
//
// Its name, description and parameters are in the tool.yaml beside the program: nacre reads them
// without running anything. Needs only the standard library and nlohmann/json.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace nacre::sdk {

// An object. nacre has checked it against the parameters of tool.yaml before the call.
using Arguments = nlohmann::ordered_json;

// The call cannot do what was asked; the model is shown "error: WHAT" and may try again.
class ToolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the model is shown: plain text, without a final newline. Invalid UTF-8 becomes U+FFFD, and
// what exceeds 512 KiB is cut at a line with a note of how much is missing.
struct ToolReply {
  std::string text;
  bool error = false;  // ToolError sets it and writes the text
};

// The notes of the session's owner, kept by the runtime. A tool reaches it when its tool.yaml says
// `host_services: [memory]`; else the calls end. Each throws ToolError when the runtime refuses.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual void Note(const std::string& text) = 0;
  virtual std::vector<std::string> Search(const std::string& query) = 0;
};

// What a call may use besides its sandbox. Valid during the call only; not thread-safe.
class Context final {
 public:
  Context(std::string call_id, Memory& memory) : call_id_(std::move(call_id)), memory_(memory) {}

  // Unique; for naming things that belong to the call.
  const std::string& call_id() const { return call_id_; }
  Memory& memory() { return memory_; }

 private:
  std::string call_id_;
  Memory& memory_;
};

class Tool {
 public:
  virtual ~Tool() = default;
  // Called once per process. The current directory is the workspace; standard input is empty.
  // Anything thrown becomes an error result: ToolError its text, the rest its what().
  virtual ToolReply Call(const Arguments& arguments, Context& context) = 0;
};

}  // namespace nacre::sdk
