// OpenAiStream: the answer of an OpenAI-compatible server, as it arrives: server-sent events
// (html.spec.whatwg.org, section 9.2) whose data are "chat.completion.chunk" objects, or one JSON
// object from a server that does not stream.
//
// The server's bytes are hostile: every buffer has a bound, every field is optional and typed.
//
// Pure. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/inference/engine.h"

namespace nacre::inference {

// Splits a byte stream into the data of its events.
class SseParser final {
 public:
  static constexpr size_t kEventBytesMax = 512 << 10;

  // Appends complete events' data to *events. kResourceExhausted when one exceeds the bound.
  Status Feed(std::string_view bytes, std::vector<std::string>* events);

 private:
  void EndLine(std::vector<std::string>* events);

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_carriage_return_ = false;
};

class OpenAiStream final {
 public:
  static constexpr size_t kTextBytesMax = 256 << 10;
  static constexpr size_t kCallBytesMax = 256 << 10;

  // Bytes of a text/event-stream. Returns the answer's text in them, without terminal controls.
  Result<std::string> FeedEvents(std::string_view bytes);
  // The whole of an application/json answer.
  Result<std::string> FeedWhole(std::string_view body);

  // After [DONE]: what follows does not matter.
  bool finished() const { return finished_; }
  // kInvalidArgument when the stream ended without an answer or a call; kUnavailable when it broke
  // off: it has neither [DONE] nor a reason why the model stopped. The call's name is as the server
  // wrote it.
  Result<ModelReply> Finish();

 private:
  Result<std::string> FeedChunk(std::string_view payload);
  Status TakeDelta(const Json& delta, std::string* text);
  Status TakeCalls(const Json& calls);
  void TakeUse(const Json& chunk);

  SseParser sse_;
  std::string text_;
  std::optional<EmittedCall> call_;
  bool cut_off_ = false;
  bool stopped_ = false;  // the server said why the model did
  bool finished_ = false;
  TokenUse use_;
};

// Tool names for OpenAI, whose names have no dots: fs.list <-> fs_list. Distinct tools get distinct
// names.
class ToolNames final {
 public:
  explicit ToolNames(const std::vector<ToolSchema>& tools);
  // Also of a tool that is not offered now.
  std::string ToServer(const std::string& name) const;
  // A name that was never offered comes back as it is: the caller's registry refuses it.
  std::string FromServer(const std::string& name) const;

 private:
  std::map<std::string, std::string> to_server_;
  std::map<std::string, std::string> from_server_;
};

// The body of the request.
std::string OpenAiRequestBody(const GenerateRequest& request, const std::string& model,
                              const ToolNames& names);

}  // namespace nacre::inference
