#include "nacre/sdk/tool_main.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "sdk/src/channel.h"

namespace nacre::sdk {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// For calls by hand: starts empty, dies with the process.
class ForgetfulMemory final : public Memory {
 public:
  void Note(const std::string& text) override { notes_.push_back(text); }
  std::vector<std::string> Search(const std::string& query) override {
    std::vector<std::string> found;
    for (const std::string& note : notes_) {
      if (note.find(query) != std::string::npos) {
        found.push_back(note);
      }
    }
    return found;
  }

 private:
  std::vector<std::string> notes_;
};

ToolReply ErrorReply(const std::string& why) {
  return {.text = "error: " + why, .error = true};
}

// Everything that an author's code may throw ends here.
ToolReply CallSafely(Tool& tool, const Arguments& arguments, Context& context) {
  try {
    if (!arguments.is_object()) {
      return ErrorReply("bad arguments: not an object");
    }
    return tool.Call(arguments, context);
  } catch (const nlohmann::json::exception& exception) {
    return ErrorReply(std::string("bad arguments: ") + exception.what());
  } catch (const std::exception& exception) {
    return ErrorReply(exception.what());
  } catch (...) {
    return ErrorReply("the tool failed without saying why");
  }
}

int Serve(Tool& tool) {
  try {
    Channel channel = Channel::Take();
    const Channel::Request request = channel.ReadRequest();
    Context context(request.call_id, channel);
    channel.WriteReply(CallSafely(tool, request.arguments, context));
    return kExitOk;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "nacre tool: %s\n", exception.what());
    return kExitFailed;
  }
}

int CallByHand(Tool& tool, const char* json) {
  const Arguments arguments = Arguments::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!arguments.is_object()) {
    std::fprintf(stderr,
                 "--call needs the arguments as a JSON object, such as '{\"path\": \".\"}'\n");
    return kExitUsage;
  }
  ForgetfulMemory memory;
  Context context("by-hand", memory);
  const ToolReply reply = CallSafely(tool, arguments, context);
  const std::string text = BoundedText(reply.text) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    return kExitFailed;
  }
  return reply.error ? kExitFailed : kExitOk;
}

bool HasChannel() {
  return ::isatty(STDIN_FILENO) == 0 && ::fcntl(kChannelOut, F_GETFD) >= 0;
}

}  // namespace

int ToolMain(Tool& tool, int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--call") {
    return CallByHand(tool, argv[2]);
  }
  if (argc <= 1 && HasChannel()) {
    return Serve(tool);
  }
  const char* name = argc > 0 ? argv[0] : "TOOL";
  std::fprintf(stderr,
               "This is a tool for AI agents. nacre starts it and sends it one request frame.\n"
               "To try it by hand, give it the arguments as JSON:\n"
               "  %s --call '{\"path\": \".\"}'\n",
               name);
  return kExitUsage;
}

}  // namespace nacre::sdk
