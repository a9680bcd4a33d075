// ToolChannel: the host's side of one call's protocol, as a pure state machine over bytes.
//
// Frames of JSON (base/frame.h). Host to tool, once: {"call": ID, "tool": NAME, "arguments": {...}}.
// Tool to host: any number of {"host": "memory.note"|"memory.search", "arguments": {...}}, each
// answered by {"ok": bool, "value": ...}; then exactly one {"result": {"text": ..., "error": bool}},
// whose text is what the model sees ("error: ..." when error is true).
// Everything the tool sends is hostile: sizes, counts, types and order are checked here, and a
// breach ends the call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/frame.h"
#include "base/json.h"
#include "base/result.h"
#include "tools/manifest.h"

namespace nacre::tools {

struct ToolResult {
  std::string text;    // for the model; valid UTF-8, at most kToolTextBytesMax
  bool error = false;  // the tool did not do what was asked; text says why
};

constexpr uint32_t kToolFrameBytesMax = 4U << 20;
constexpr size_t kToolTextBytesMax = 1U << 20;
constexpr int kHostCallsMax = 64;

// What the runtime offers a tool during a call; only services that its manifest names reach it.
class HostServices {
 public:
  virtual ~HostServices() = default;
  // `method` is "memory.note" {text}, value null, or "memory.search" {query}, value an array of
  // strings, best first. Both arguments are strings. An error's message is shown to the model.
  virtual Result<Json> Call(const std::string& method, const Json& arguments) = 0;
};

// Not thread-safe.
class ToolChannel final {
 public:
  ToolChannel(const Manifest& manifest, std::string call_id, Json arguments,
              HostServices& services);

  // The bytes that start the call.
  std::string Start() const;
  // Feeds what the tool sent; answers what goes back to it, or the breach that ends the call: what it was, without that it
  // is one.
  Result<std::string> OnBytes(std::string_view bytes);
  // Set once the tool has answered.
  const std::optional<ToolResult>& result() const { return result_; }

 private:
  Result<std::string> OnFrame(const std::string& payload);

  const Manifest& manifest_;
  std::string call_id_;
  Json arguments_;
  HostServices& services_;
  FrameDecoder decoder_{kToolFrameBytesMax};
  int host_calls_ = 0;
  std::optional<ToolResult> result_;
};

}  // namespace nacre::tools
