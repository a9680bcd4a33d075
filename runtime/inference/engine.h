// Engine: what runs a model. The interface that the agent loop sees; implementations are
// LlamaEngine (a sandboxed worker process of ours) and OpenAiEngine (any compatible server).
//
// Everything that comes out of a Generate() is model output, hence hostile: bounded here, parsed
// and validated by agent/tool_call_parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/cancel_token.h"
#include "base/json.h"
#include "base/result.h"

namespace nacre::inference {

// A tool as the model is told of it.
struct ToolSchema {
  std::string name;
  std::string description;
  OrderedJson parameters;  // JSON Schema: an object with "properties" and "required"
};

// A call as the model wrote it.
struct EmittedCall {
  std::string name;
  std::string arguments_json;

  friend bool operator==(const EmittedCall&, const EmittedCall&) = default;
};

enum class Role { kSystem = 0, kUser, kAssistant, kTool };

struct ChatMessage {
  Role role = Role::kUser;
  std::string content;              // empty for an assistant message that is a call
  std::optional<EmittedCall> call;  // of an assistant message
  std::string call_id;              // of an assistant call and of the tool message that answers it

  friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};

struct GenerateRequest {
  std::string session_id;  // prefix reuse: the engine keeps a session's KV cells between steps
  std::vector<ChatMessage> messages;
  // Only these can be emitted: the loop passes the tools that the policy could allow now.
  std::vector<ToolSchema> tools;
  // JSON Schema of an object (of the subset of nacre/sdk/schema.h, and "type" may be a list): without
  // tools, the answer is to be such an object. An engine that cannot promise that may answer otherwise:
  // who asks checks. Null: any text.
  OrderedJson answer_schema = nullptr;
  uint32_t tokens_max = 512;
  float temperature = 0.0F;  // 0: greedy, deterministic
  uint64_t seed = 0;
};

struct TokenUse {
  uint32_t prompt = 0;         // all tokens of the prompt ...
  uint32_t prompt_cached = 0;  // ... of which so many were reused
  uint32_t generated = 0;

  friend bool operator==(const TokenUse&, const TokenUse&) = default;
};

struct ModelReply {
  std::variant<std::string, EmittedCall> content;  // an answer, or a call
  bool cut_off = false;                            // tokens_max or the context ended it
  TokenUse tokens;
};

struct EngineInfo {
  std::string name;             // "llama.cpp (CPU, 2 threads)", "http://127.0.0.1:8080"
  std::string model;            // "nacre-mini"
  std::string model_digest;     // "sha256:..." of the file, or empty for a remote engine
  uint32_t context_tokens = 0;  // 0: not known
  std::string
      credential;  // what it names itself to a server with: "NACRE_ENGINE_API_KEY"; empty: nothing
  bool demonstration = false;  // the bundled model: say so at start
  // It computes on this machine's processors and nowhere else: an EnergyMeter sees what it uses.
  bool on_processors = false;
};

// Receives an answer's text as it is generated. Called on the thread that called Generate().
// Text of a call is not streamed: a call is shown when it is whole and judged.
class TokenSink {
 public:
  virtual ~TokenSink() = default;
  virtual void OnText(std::string_view text) = 0;
};

// Thread-safe: Generate() calls queue.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual EngineInfo Info() const = 0;
  // What Generate() would send out of nacre for this request, in bytes; 0 of an engine that is a part of it.
  virtual uint64_t BytesOut(const GenerateRequest& /*request*/) const { return 0; }
  // Blocks. kCancelled after the token fires; kUnavailable when the engine is lost (a crashed
  // worker has been restarted: a later request can succeed); kResourceExhausted when the prompt
  // does not fit the context; kInvalidArgument when the model's reply cannot be understood.
  virtual Result<ModelReply> Generate(const GenerateRequest& request, TokenSink& sink,
                                      const CancelToken& cancel) = 0;
};

}  // namespace nacre::inference
