// Channel: the tool's side of a call's protocol (the host's is tools/tool_channel.h).
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "nacre/sdk/tool.h"

namespace nacre::sdk {

constexpr int kChannelOut = 3;  // the descriptor that carries frames to the host

// The text as the channel carries it: valid UTF-8, at most 512 KiB. A longer one is cut at a line
// and ends in "(truncated: N more lines)".
std::string BoundedText(const std::string& text);

// Each function throws std::runtime_error when the host is gone or speaks another language: there
// is nobody left to answer, so the process can only end.
class Channel final : public Memory {
 public:
  // Takes standard input and descriptor 3 away from this process and all its future children;
  // standard input then reads as empty.
  static Channel Take();

  struct Request {
    std::string call_id;
    Arguments arguments;
  };
  Request ReadRequest();
  void WriteReply(const ToolReply& reply);

  void Note(const std::string& text) override;
  std::vector<std::string> Search(const std::string& query) override;

 private:
  Channel(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_(std::move(out)) {}

  Arguments Read();
  void Write(const Arguments& message);
  Arguments CallHost(const char* method, const Arguments& arguments);

  UniqueFd in_;
  UniqueFd out_;
};

}  // namespace nacre::sdk
