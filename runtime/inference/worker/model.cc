#include "runtime/inference/worker/model.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <mutex>

namespace nacre::inference {
namespace {

constexpr uint32_t kBatchTokens = 512;
constexpr int32_t kAllLayers = 999;

// libllama tells why a file is bad in its log only, so the last error line is kept for the message.
class ErrorLog {
 public:
  void Add(ggml_log_level level, const char* text) {
    if (level != GGML_LOG_LEVEL_ERROR || text == nullptr) {
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (first_.empty()) {
      first_ = text;
      first_.erase(first_.find_last_not_of(" \t\r\n") + 1);
    }
  }
  std::string TakeFirst() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(first_, "");
  }

 private:
  std::mutex mutex_;
  std::string first_;
};

// libllama's log callback is one for the process, so its receiver is too.
ErrorLog& Log() {
  static ErrorLog log;
  return log;
}

Error Unusable(const std::string& fallback) {
  const std::string logged = Log().TakeFirst();
  return {ErrorCode::kInvalidArgument, logged.empty() ? fallback : logged};
}

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::string MissingCpuFeature() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2")) {
    return "AVX2";
  }
  if (!__builtin_cpu_supports("fma")) {
    return "FMA";
  }
  if (!__builtin_cpu_supports("f16c")) {
    return "F16C";
  }
  if (!__builtin_cpu_supports("bmi2")) {
    return "BMI2";
  }
#endif
  return "";
}

Result<std::unique_ptr<Model>> Model::Load(UniqueFd file, const Options& options) {
  llama_log_set([](ggml_log_level level, const char* text, void*) { Log().Add(level, text); },
                nullptr);
  char magic[4] = {};
  if (::pread(file.get(), magic, sizeof magic, 0) != sizeof magic ||
      std::string_view(magic, sizeof magic) != "GGUF") {
    return Error{ErrorCode::kInvalidArgument, "it does not begin with GGUF"};
  }
  const std::unique_ptr<std::FILE, FileCloser> stream(::fdopen(file.release(), "rb"));
  if (stream == nullptr) {
    return SysError("fdopen", errno);
  }
  try {
    llama_backend_init();
    llama_model_params model_params = llama_model_default_params();
    model_params.check_tensors = true;
    model_params.n_gpu_layers = llama_supports_gpu_offload() ? kAllLayers : 0;
    ModelPointer model(llama_model_load_from_file_ptr(stream.get(), model_params));
    if (model == nullptr) {
      return Unusable("libllama refuses it");
    }
    if (!llama_model_has_decoder(model.get()) || llama_model_has_encoder(model.get()) ||
        llama_vocab_type(llama_model_get_vocab(model.get())) == LLAMA_VOCAB_TYPE_NONE) {
      return Error{ErrorCode::kInvalidArgument, "it is no model that generates text"};
    }
    const int32_t trained = llama_model_n_ctx_train(model.get());
    if (trained < 1) {
      return Error{ErrorCode::kInvalidArgument, "its context length is not positive"};
    }
    llama_context_params context_params = llama_context_default_params();
    context_params.n_ctx = std::min(static_cast<uint32_t>(trained), options.context_tokens_max);
    context_params.n_batch = std::min(kBatchTokens, context_params.n_ctx);
    context_params.n_ubatch = context_params.n_batch;
    context_params.n_seq_max = 1;
    context_params.n_threads = static_cast<int32_t>(options.threads_max);
    context_params.n_threads_batch = context_params.n_threads;
    context_params.swa_full =
        true;  // without it a sliding window cannot be rolled back to a prefix
    const uint32_t context_tokens = context_params.n_ctx;
    ContextPointer context(llama_init_from_model(model.get(), context_params));
    if (context == nullptr) {
      return Unusable("no memory for its context");
    }
    Vocabulary vocabulary(llama_model_get_vocab(model.get()));
    const char* own_template = llama_model_chat_template(model.get(), "tool_use");
    if (own_template == nullptr) {
      own_template = llama_model_chat_template(model.get(), nullptr);
    }
    ChatFormat format = NACRE_TRY(
        ChatFormat::Create({.template_source = own_template == nullptr ? "" : own_template,
                            .bos = vocabulary.BosText(),
                            .eos = vocabulary.EosText(),
                            .end_texts = vocabulary.EndTexts()}));
    return std::unique_ptr<Model>(new Model(std::move(model), std::move(context),
                                            std::move(vocabulary), std::move(format),
                                            context_tokens));
  } catch (const std::exception& problem) {
    return Error{ErrorCode::kInvalidArgument, problem.what()};
  }
}

std::string Model::Name() const {
  char text[128] = {};
  return llama_model_meta_val_str(model_.get(), "general.name", text, sizeof text) < 0 ? "" : text;
}

}  // namespace nacre::inference
