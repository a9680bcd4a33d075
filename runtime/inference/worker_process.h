// WorkerProcess: one running nacre-engine and the channel to it.
//
// A thread of its own starts the process and waits for it: the kernel delivers "your parent died" when
// the starting *thread* ends, and that thread ends only after the worker.
//
// Thread-compatible. The destructor kills and reaps the process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/cancel_token.h"
#include "base/frame.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/inference/worker_protocol.h"

namespace nacre::inference {

class WorkerProcess final {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Runs `program` with the channel as descriptor 3, `model` as 4, an empty environment and a process
  // group of its own (a terminal's Ctrl-C is for nacre).
  static Result<std::unique_ptr<WorkerProcess>> Start(const std::string& program,
                                                      const UniqueFd& model);

  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  pid_t pid() const { return pid_; }

  // kUnavailable when the worker is gone, kDeadlineExceeded when it does not take the bytes.
  Status Send(const WorkerCommand& command, Deadline deadline);
  // The next event. kUnavailable when the worker is gone, kDeadlineExceeded, kCancelled when `cancel`
  // fires first, and what ParseEvent says of a malformed one.
  Result<WorkerEvent> Receive(Deadline deadline, const CancelToken& cancel);

  // Kills it if it still runs, and tells how it ended: "signal 9", "exit status 1".
  std::string Stop();
  // Its last line on standard error, made printable: an assertion of ggml says there what failed.
  std::string LastWords() const;

 private:
  WorkerProcess() : decoder_(kEventBytesMax) {}

  UniqueFd channel_;
  UniqueFd errors_;
  FrameDecoder decoder_;
  pid_t pid_ = -1;
  int start_errno_ = 0;
  std::mutex mutex_;  // guards reaped_ and the use of pid_ in kill(2)
  bool reaped_ = false;
  int wait_status_ = 0;
  std::thread keeper_;
};

}  // namespace nacre::inference
