// nacre-engine: the program that runs a model for nacre. Started by runtime/inference/llama_engine,
// not by people.
//
// Descriptor 3 is the channel to nacre (runtime/inference/worker_protocol.h), 4 the model file, open
// for reading. It locks itself down before it reads a byte of the model, and ends when the channel
// does.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/frame.h"
#include "runtime/inference/worker/generator.h"
#include "runtime/inference/worker/lockdown.h"
#include "runtime/inference/worker/model.h"
#include "runtime/inference/worker_protocol.h"

namespace nacre::inference {
namespace {

constexpr int kChannel = 3;
constexpr int kModelFile = 4;
constexpr auto kProgressInterval = std::chrono::milliseconds(500);

void Send(const WorkerEvent& event) {
  if (!WriteFrame(kChannel, EncodeEvent(event)).ok()) {
    ::_exit(1);  // nobody is left to work for
  }
}

// The commands as they come, read by a thread of their own so that a cancellation is seen while the
// model computes.
class Commands {
 public:
  Commands() {
    std::thread([this] { ReadForever(); }).detach();
  }

  WorkerCommand Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    arrived_.wait(lock, [this] { return next_.has_value(); });
    WorkerCommand command = std::move(*next_);
    next_.reset();
    return command;
  }
  bool Cancelled(uint64_t id) const { return cancelled_.load(std::memory_order_relaxed) == id; }

 private:
  void ReadForever() {
    while (true) {
      const Result<std::string> payload = ReadFrame(kChannel, kCommandBytesMax);
      if (!payload.ok()) {
        ::_exit(0);  // the channel is closed
      }
      Result<WorkerCommand> command = ParseCommand(payload.value());
      if (!command.ok()) {
        Send(FailedEvent{0, command.error()});
        ::_exit(1);
      }
      if (const auto* cancel = std::get_if<CancelCommand>(&command.value())) {
        cancelled_.store(cancel->id, std::memory_order_relaxed);
        continue;
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      next_ = std::move(command).value();
      arrived_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<WorkerCommand> next_;
  std::atomic<uint64_t> cancelled_{0};
};

class Reporter final : public GenerationObserver {
 public:
  Reporter(uint64_t id, const Commands& commands) : id_(id), commands_(commands) {}

  void OnText(std::string_view text) override { Send(TextEvent{id_, std::string(text)}); }
  void OnProgress() override {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ > kProgressInterval) {
      last_ = now;
      Send(ProgressEvent{id_});
    }
  }
  bool Cancelled() override { return commands_.Cancelled(id_); }

 private:
  uint64_t id_;
  const Commands& commands_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int Fail(const Error& error) {
  Send(FailedEvent{0, error});
  return 1;
}

int Main() {
  if (const std::string feature = MissingCpuFeature(); !feature.empty()) {
    return Fail(
        {ErrorCode::kFailedPrecondition, "the embedded engine needs a CPU with " + feature});
  }
  const Result<LockdownReport> lockdown = LockDown({
      .descriptor_max = kModelFile,
#ifdef NACRE_ENGINE_CUDA
      .device = LockdownOptions::Device::kGpu,
#endif
  });
  if (!lockdown.ok()) {
    return Fail(lockdown.error());
  }
  Send(HelloEvent{lockdown.value().layers, lockdown.value().missing});

  Commands commands;
  const WorkerCommand first = commands.Next();
  const auto* load = std::get_if<LoadCommand>(&first);
  if (load == nullptr) {
    return Fail({ErrorCode::kInvalidArgument, "the first command must be load"});
  }
  Result<std::unique_ptr<Model>> model = Model::Load(
      UniqueFd(kModelFile),
      {.context_tokens_max = load->context_tokens_max, .threads_max = load->threads_max});
  if (!model.ok()) {
    return Fail(model.error());
  }
  Generator generator(*model.value(), load->threads_max);
  Send(ReadyEvent{model.value()->context_tokens(), generator.threads(), model.value()->Name(),
                  llama_supports_gpu_offload() ? "GPU" : "CPU"});

  while (true) {
    const WorkerCommand command = commands.Next();
    const auto* generate = std::get_if<GenerateCommand>(&command);
    if (generate == nullptr) {
      return Fail({ErrorCode::kInvalidArgument, "load was given twice"});
    }
    Reporter reporter(generate->id, commands);
    Result<ModelReply> reply = generator.Generate(generate->request, reporter);
    if (reply.ok()) {
      Send(DoneEvent{generate->id, std::move(reply).value()});
    } else {
      Send(FailedEvent{generate->id, reply.error()});
    }
  }
}

}  // namespace
}  // namespace nacre::inference

// Without the runtime's exit handlers: another thread may be inside of the model.
int main() {
  ::_exit(nacre::inference::Main());
}
