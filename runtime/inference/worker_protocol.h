// The private protocol between nacre and its engine worker: frames of JSON (base/frame.h) over a
// socket pair. One generation at a time; the worker is silent unless asked.
//
//   nacre                           worker (nacre-engine)
//                                   hello            its sandbox, before it reads a byte of the model
//   load      limits                ready | failed
//   generate  a request             progress*, text*, done | failed
//   cancel                          (done | failed of the cancelled request)
//
// Events are hostile: the model file may have taken the worker over. Each is bounded, typed, and
// checked against what was asked.
//
// Pure. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "runtime/inference/engine.h"

namespace nacre::inference {

constexpr uint32_t kCommandBytesMax = 4U << 20;
constexpr uint32_t kEventBytesMax = 256U << 10;
// Of one reply; the worker stops there. Escaped as JSON it still fits an event.
constexpr uint32_t kReplyBytesMax = 64U << 10;
constexpr size_t kToolSchemaBytesMax = 64U << 10;

struct LoadCommand {
  uint32_t context_tokens_max = 8192;
  uint32_t threads_max = 1;

  friend bool operator==(const LoadCommand&, const LoadCommand&) = default;
};

struct GenerateCommand {
  uint64_t id = 0;
  GenerateRequest request;
};

struct CancelCommand {
  uint64_t id = 0;
};

using WorkerCommand = std::variant<LoadCommand, GenerateCommand, CancelCommand>;

struct HelloEvent {
  std::vector<std::string> layers;
  std::vector<std::string> missing;
};

struct ReadyEvent {
  uint32_t context_tokens = 0;
  uint32_t threads = 0;
  std::string name;    // general.name of the file, made printable
  std::string device;  // "CPU" or "GPU"
};

struct ProgressEvent {
  uint64_t id = 0;
};

struct TextEvent {
  uint64_t id = 0;
  std::string text;
};

// The reply; its text, if it is one, was sent in TextEvents and is empty here.
struct DoneEvent {
  uint64_t id = 0;
  ModelReply reply;
};

struct FailedEvent {
  uint64_t id = 0;  // 0: the start or the load
  Error error;
};

using WorkerEvent =
    std::variant<HelloEvent, ReadyEvent, ProgressEvent, TextEvent, DoneEvent, FailedEvent>;

// kResourceExhausted when the request does not fit a frame, kInvalidArgument for a tool schema above
// kToolSchemaBytesMax.
Result<std::string> EncodeCommand(const WorkerCommand& command);
Result<WorkerCommand> ParseCommand(std::string_view payload);

std::string EncodeEvent(const WorkerEvent& event);
Result<WorkerEvent> ParseEvent(std::string_view payload);

// Without the control characters that could steer a terminal; line breaks and tabs stay.
std::string WithoutControls(std::string_view text);

// At most `bytes_max` of `text`, with what is not printable ASCII replaced: for names and messages
// that come from a model file or a server and are shown to people.
std::string Printable(std::string_view text, size_t bytes_max);

}  // namespace nacre::inference
