// OpenAiEngine: a model behind any OpenAI-compatible server (llama-server, vLLM, Ollama, ...).
//
//   auto engine = NACRE_TRY(OpenAiEngine::Create({.url = "http://127.0.0.1:8080"}));
//
// The server is trusted with the conversation and with nothing else: its answer is bounded and parsed
// as hostile (openai_stream.h), redirects are not followed, certificates are verified, and an API key
// goes over https or to this machine only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "runtime/inference/engine.h"

namespace nacre::inference {

inline constexpr char kApiKeyVariable[] = "NACRE_ENGINE_API_KEY";

// Thread-safe; generations do not queue, the server does that.
class OpenAiEngine final : public Engine {
 public:
  struct Options {
    std::string url;      // http(s)://host[:port][/prefix], with or without /v1
    std::string model;    // empty: the first that /v1/models lists
    std::string api_key;  // of kApiKeyVariable; never logged
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    // Without a byte from the server. Long: some servers load the model first.
    std::chrono::milliseconds idle_timeout = std::chrono::minutes(5);
  };

  // kInvalidArgument for a URL of another kind; when the server must be asked for its models, also
  // what Generate() says of a server that does not answer.
  static Result<std::unique_ptr<OpenAiEngine>> Create(Options options);

  EngineInfo Info() const override;
  // kPermissionDenied for HTTP 401 and 403, kNotFound for 404, kResourceExhausted for 413 and 429,
  // kInvalidArgument for other 4xx, kUnavailable for the rest.
  uint64_t BytesOut(const GenerateRequest& request) const override;
  Result<ModelReply> Generate(const GenerateRequest& request, TokenSink& sink,
                              const CancelToken& cancel) override;

 private:
  OpenAiEngine(Options options, std::string base_url)
      : options_(std::move(options)), base_url_(std::move(base_url)) {}

  Status FindModel();

  Options options_;
  std::string base_url_;  // ends in /v1
};

// The base address that ends in /v1. kInvalidArgument, with what to write instead. Pure.
Result<std::string> OpenAiBaseUrl(const std::string& url);

}  // namespace nacre::inference
