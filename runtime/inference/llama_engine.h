// LlamaEngine: runs a GGUF model with llama.cpp in a sandboxed process of its own (nacre-engine).
//
// The parser of GGUF and of chat templates is a large attack surface and aborts the process on some
// files, so neither is in nacre's own process. Here the model is a read-only descriptor, the worker's
// every word is hostile, and its death is the error of one request.
//
//   auto engine = NACRE_TRY(LlamaEngine::Create({.worker_program = program, .model_path = path}));
//   Result<ModelReply> reply = engine->Generate(request, sink, cancel);
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/inference/engine.h"
#include "runtime/inference/model_file.h"
#include "runtime/inference/worker_process.h"

namespace nacre::inference {

// Thread-safe: generations queue.
class LlamaEngine final : public Engine {
 public:
  struct Options {
    std::string worker_program;  // nacre-engine
    std::string model_path;
    uint32_t context_tokens_max = 8192;  // the model may have fewer
    uint32_t threads_max = 0;            // 0: what affinity and cgroup give
    std::chrono::milliseconds load_timeout = std::chrono::minutes(5);
    // How long the worker may compute without telling of progress, which it does twice a second.
    std::chrono::milliseconds progress_timeout = std::chrono::minutes(2);
    // How long a cancelled generation may take to end before the worker is killed.
    std::chrono::milliseconds cancel_timeout = std::chrono::seconds(2);
  };

  // Starts the worker and loads the model. kNotFound and the like for the file; kInvalidArgument
  // ("PATH is not a usable GGUF file: WHY"); kFailedPrecondition when the CPU or the worker's sandbox
  // is not enough; kUnavailable when the worker cannot be started.
  static Result<std::unique_ptr<LlamaEngine>> Create(Options options);

  EngineInfo Info() const override;
  Result<ModelReply> Generate(const GenerateRequest& request, TokenSink& sink,
                              const CancelToken& cancel) override;

  // The worker's sandbox, as it reported it before it read the model.
  HelloEvent WorkerSandbox() const;
  // Of the running worker, or -1.
  pid_t WorkerPid() const;

 private:
  LlamaEngine(Options options, ModelFile file);

  // All with mutex_ held.
  Status StartWorker();
  Status EnsureWorker();
  Result<ModelReply> Converse(uint64_t id, TokenSink& sink, const CancelToken& cancel);
  Error WorkerLost(const std::string& why);

  const Options options_;
  const ModelFile file_;
  mutable std::mutex mutex_;
  mutable std::mutex info_mutex_;  // Info() must not wait for a generation
  EngineInfo info_;
  HelloEvent hello_;
  std::unique_ptr<WorkerProcess> worker_;
  pid_t worker_pid_ = -1;
  uint64_t last_id_ = 0;
  int failed_starts_ = 0;
};

}  // namespace nacre::inference
