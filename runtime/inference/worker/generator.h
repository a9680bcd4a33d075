// Generator: one reply of the model, under the grammar.
//
// Sample first, check the one token, mask the vocabulary only when it was refused: a model that
// follows the grammar pays almost nothing for it. The KV cells of the last conversation stay, and a
// prompt that begins with the same tokens only computes what is new.
//
// Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/inference/engine.h"
#include "runtime/inference/worker/model.h"
#include "runtime/inference/worker/reply_tracker.h"
#include "runtime/inference/worker/thread_tuner.h"
#include "runtime/inference/worker/utf8_gate.h"

namespace nacre::inference {

// What a generation tells and asks while it runs. Called often: must be quick.
class GenerationObserver {
 public:
  virtual ~GenerationObserver() = default;
  // Whole UTF-8 characters of an answer, never of a call.
  virtual void OnText(std::string_view text) = 0;
  // Something was computed.
  virtual void OnProgress() = 0;
  virtual bool Cancelled() = 0;
};

class Generator final {
 public:
  Generator(const Model& model, uint32_t threads_max);

  // The reply's text went to the observer too. kCancelled, kResourceExhausted (the prompt does not
  // fit the context), kInvalidArgument (the chat template or a tool's schema), kInternal.
  Result<ModelReply> Generate(const GenerateRequest& request, GenerationObserver& observer);

  uint32_t threads() const { return tuner_.threads(); }

 private:
  struct SamplerDeleter {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  using SamplerPointer = std::unique_ptr<llama_sampler, SamplerDeleter>;
  class Random;
  struct Reply;

  Status Run(const GenerateRequest& request, GenerationObserver& observer, ModelReply* result);
  Result<std::vector<llama_token>> MakePrompt(const GenerateRequest& request) const;
  // The number of tokens of the prompt that were there already.
  Result<uint32_t> Prefill(const std::vector<llama_token>& prompt, GenerationObserver& observer);
  Status DecodeTimed(llama_token token, GenerationObserver& observer);
  Status Decode(std::vector<llama_token> tokens, GenerationObserver& observer);
  Result<llama_token> Pick(const Reply& reply, float temperature, Random& random);
  bool MayFollow(const Reply& reply, llama_token token) const;
  llama_token Choose(float temperature, Random& random) const;

  const Model& model_;
  const Vocabulary& vocabulary_;
  ThreadTuner tuner_;
  std::vector<llama_token> cells_;  // whose KV cells the context holds
  std::vector<llama_token_data> candidates_;
};

}  // namespace nacre::inference
