#include "runtime/inference/llama_engine.h"

#include <algorithm>

#include "runtime/inference/cpu_budget.h"

namespace nacre::inference {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kFailedStartsMax = 3;
constexpr const char* kBundledName = "nacre-mini";
constexpr std::chrono::seconds kHelloTimeout(30);

}  // namespace

LlamaEngine::LlamaEngine(Options options, ModelFile file)
    : options_(std::move(options)), file_(std::move(file)) {}

Result<std::unique_ptr<LlamaEngine>> LlamaEngine::Create(Options options) {
  if (options.threads_max == 0) {
    options.threads_max = AvailableCores();
  }
  ModelFile file = NACRE_TRY(OpenModelFile(options.model_path));
  std::unique_ptr<LlamaEngine> engine(new LlamaEngine(std::move(options), std::move(file)));
  const std::lock_guard<std::mutex> lock(engine->mutex_);
  NACRE_TRY(engine->StartWorker());
  return engine;
}

EngineInfo LlamaEngine::Info() const {
  const std::lock_guard<std::mutex> lock(info_mutex_);
  return info_;
}

HelloEvent LlamaEngine::WorkerSandbox() const {
  const std::lock_guard<std::mutex> lock(info_mutex_);
  return hello_;
}

pid_t LlamaEngine::WorkerPid() const {
  const std::lock_guard<std::mutex> lock(info_mutex_);
  return worker_pid_;
}

// On any failure no worker is left.
Status LlamaEngine::StartWorker() {
  std::unique_ptr<WorkerProcess> worker =
      NACRE_TRY(WorkerProcess::Start(options_.worker_program, file_.fd));
  const CancelToken never;
  const auto unusable = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument,
                 options_.model_path + " is not a usable GGUF file: " + why};
  };

  const Result<WorkerEvent> first = worker->Receive(Clock::now() + kHelloTimeout, never);
  if (!first.ok()) {
    const std::string end = worker->Stop();
    return Error{ErrorCode::kUnavailable, "the engine " + options_.worker_program +
                                              " did not start (" + end + ") " +
                                              worker->LastWords()};
  }
  if (const auto* failed = std::get_if<FailedEvent>(&first.value())) {
    return failed->error;
  }
  const auto* hello = std::get_if<HelloEvent>(&first.value());
  if (hello == nullptr ||
      std::find(hello->layers.begin(), hello->layers.end(), "seccomp") == hello->layers.end()) {
    return Error{ErrorCode::kFailedPrecondition, "the engine started without its sandbox"};
  }

  NACRE_TRY(worker->Send(LoadCommand{.context_tokens_max = options_.context_tokens_max,
                                     .threads_max = options_.threads_max},
                         Clock::now() + kHelloTimeout));
  const Result<WorkerEvent> second = worker->Receive(Clock::now() + options_.load_timeout, never);
  if (!second.ok()) {
    const bool late = second.error().code == ErrorCode::kDeadlineExceeded;
    const std::string end = worker->Stop();
    const std::string words = worker->LastWords();
    return unusable(late ? "loading it took too long"
                         : "the engine stopped (" + end + ") while loading it" +
                               (words.empty() ? "" : ": " + words));
  }
  if (const auto* failed = std::get_if<FailedEvent>(&second.value())) {
    return failed->error.code == ErrorCode::kInvalidArgument ? unusable(failed->error.message)
                                                             : failed->error;
  }
  const auto* ready = std::get_if<ReadyEvent>(&second.value());
  if (ready == nullptr) {
    return unusable("the engine broke its protocol while loading it");
  }

  const std::lock_guard<std::mutex> lock(info_mutex_);
  hello_ = *hello;
  info_ = {.name = "llama.cpp (" + ready->device + ", " + std::to_string(ready->threads) +
                   (ready->threads == 1 ? " thread)" : " threads)"),
           .model = file_.name,
           .model_digest = file_.digest,
           .context_tokens = ready->context_tokens,
           .demonstration = ready->name == kBundledName || file_.name == kBundledName,
           .on_processors = ready->device == "CPU"};
  worker_ = std::move(worker);
  worker_pid_ = worker_->pid();
  return Ok();
}

// Bounded: a model that kills every worker at its load must not be loaded for ever.
Status LlamaEngine::EnsureWorker() {
  if (worker_ != nullptr) {
    return Ok();
  }
  if (failed_starts_ >= kFailedStartsMax) {
    return Error{ErrorCode::kUnavailable, "the engine failed to start " +
                                              std::to_string(failed_starts_) +
                                              " times in a row and is given up"};
  }
  const Status started = StartWorker();
  if (!started.ok()) {
    ++failed_starts_;
    return Error{ErrorCode::kUnavailable,
                 "the engine could not be restarted: " + started.error().message};
  }
  failed_starts_ = 0;
  return Ok();
}

Error LlamaEngine::WorkerLost(const std::string& why) {
  const std::string end = worker_->Stop();
  const std::string words = worker_->LastWords();
  worker_.reset();
  {
    const std::lock_guard<std::mutex> lock(info_mutex_);
    worker_pid_ = -1;
  }
  return {ErrorCode::kUnavailable, why + " (" + end + ")" + (words.empty() ? "" : ": " + words) +
                                       "; it is restarted for the next request"};
}

Result<ModelReply> LlamaEngine::Generate(const GenerateRequest& request, TokenSink& sink,
                                         const CancelToken& cancel) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cancel.cancelled()) {
    return Error{ErrorCode::kCancelled, "the generation was cancelled"};
  }
  NACRE_TRY(EnsureWorker());
  const uint64_t id = ++last_id_;
  const Status sent =
      worker_->Send(GenerateCommand{id, request}, Clock::now() + options_.progress_timeout);
  if (!sent.ok()) {
    const ErrorCode code = sent.error().code;
    return code == ErrorCode::kInvalidArgument || code == ErrorCode::kResourceExhausted
               ? sent.error()
               : WorkerLost("the engine stopped");
  }
  return Converse(id, sink, cancel);
}

Result<ModelReply> LlamaEngine::Converse(uint64_t id, TokenSink& sink, const CancelToken& cancel) {
  std::string text;
  bool cancelling = false;
  Clock::time_point deadline = Clock::now() + options_.progress_timeout;
  while (true) {
    const Result<WorkerEvent> event =
        worker_->Receive(deadline, cancelling ? CancelToken() : cancel);
    if (!event.ok()) {
      const ErrorCode code = event.error().code;
      if (code == ErrorCode::kCancelled) {
        cancelling = true;
        deadline = Clock::now() + options_.cancel_timeout;
        if (!worker_->Send(CancelCommand{id}, deadline).ok()) {
          WorkerLost("the engine stopped");
          return Error{ErrorCode::kCancelled, "the generation was cancelled"};
        }
        continue;
      }
      const Error lost = WorkerLost(
          code == ErrorCode::kDeadlineExceeded ? "the engine made no progress and was stopped"
          : code == ErrorCode::kUnavailable    ? "the engine stopped"
                                               : "the engine broke its protocol");
      return cancelling ? Error{ErrorCode::kCancelled, "the generation was cancelled"} : lost;
    }
    if (const auto* progress = std::get_if<ProgressEvent>(&event.value()); progress != nullptr) {
      if (!cancelling) {
        deadline = Clock::now() + options_.progress_timeout;
      }
      continue;
    }
    if (const auto* piece = std::get_if<TextEvent>(&event.value());
        piece != nullptr && piece->id == id &&
        text.size() + piece->text.size() <= 2 * kReplyBytesMax) {
      text += piece->text;
      if (!cancelling) {
        deadline = Clock::now() + options_.progress_timeout;
        sink.OnText(piece->text);
      }
      continue;
    }
    if (const auto* done = std::get_if<DoneEvent>(&event.value());
        done != nullptr && done->id == id) {
      ModelReply reply = done->reply;
      if (std::holds_alternative<std::string>(reply.content)) {
        reply.content.emplace<std::string>(std::move(text));
      }
      return reply;
    }
    if (const auto* failed = std::get_if<FailedEvent>(&event.value());
        failed != nullptr && failed->id == id) {
      return failed->error;
    }
    return WorkerLost("the engine broke its protocol");
  }
}

}  // namespace nacre::inference
