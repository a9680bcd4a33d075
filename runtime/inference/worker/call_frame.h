// CallFrame: how one model writes a tool call, as literal pieces around the two things that vary.
//
//   prefix            name      infix              arguments      suffix
//   <tool_call>{"name":"fs.list","arguments":{"path":"data"}}</tool_call>
//
// A part is either text or one control token. The difference matters: text that merely spells a
// control token (from a user, a file, a tool) must never be taken for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nacre::inference {

struct FramePart {
  std::string text;    // of a token: its piece
  int32_t token = -1;  // a control token's id, or -1 for text

  friend bool operator==(const FramePart&, const FramePart&) = default;
};

using FrameParts = std::vector<FramePart>;

struct CallFrame {
  FrameParts prefix;
  FrameParts infix;
  FrameParts suffix;
  // Between a key and its value, and between members, in the model's own JSON style.
  std::string key_separator = ":";
  std::string item_separator = ",";

  friend bool operator==(const CallFrame&, const CallFrame&) = default;
};

inline std::string FrameText(const FrameParts& parts) {
  std::string text;
  for (const FramePart& part : parts) {
    text += part.text;
  }
  return text;
}

}  // namespace nacre::inference
