// Model: a GGUF file loaded through libllama, with the context that holds its KV cells.
//
// Hostile input throughout. libllama reports most broken files and aborts the process on some: call
// it only in the worker.
//
// Not thread-safe.
#pragma once

#include <llama.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/inference/worker/chat_format.h"
#include "runtime/inference/worker/vocabulary.h"

namespace nacre::inference {

// Name of the first CPU feature that the build of ggml needs and this machine lacks; empty if none.
std::string MissingCpuFeature();

class Model final {
 public:
  struct Options {
    uint32_t context_tokens_max = 8192;
    uint32_t threads_max = 1;
  };

  // `file` is read from its start. kInvalidArgument for a file that is no usable GGUF model.
  static Result<std::unique_ptr<Model>> Load(UniqueFd file, const Options& options);

  llama_context* context() const { return context_.get(); }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const llama_vocab* llama_vocabulary() const { return llama_model_get_vocab(model_.get()); }
  const ChatFormat& format() const { return format_; }
  uint32_t context_tokens() const { return context_tokens_; }
  uint64_t parameters() const { return llama_model_n_params(model_.get()); }
  std::string Name() const;  // general.name of the file, or empty

 private:
  struct ModelDeleter {
    void operator()(llama_model* model) const { llama_model_free(model); }
  };
  struct ContextDeleter {
    void operator()(llama_context* context) const { llama_free(context); }
  };
  using ModelPointer = std::unique_ptr<llama_model, ModelDeleter>;
  using ContextPointer = std::unique_ptr<llama_context, ContextDeleter>;

  Model(ModelPointer model, ContextPointer context, Vocabulary vocabulary, ChatFormat format,
        uint32_t context_tokens)
      : model_(std::move(model)),
        context_(std::move(context)),
        vocabulary_(std::move(vocabulary)),
        format_(std::move(format)),
        context_tokens_(context_tokens) {}

  ModelPointer model_;
  ContextPointer context_;
  Vocabulary vocabulary_;
  ChatFormat format_;
  uint32_t context_tokens_;
};

}  // namespace nacre::inference
