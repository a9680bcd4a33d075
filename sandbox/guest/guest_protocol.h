// What the host and the agent in a guest (gVisor, microVM) say to each other, over one stream of
// bytes each way.
//
// Frames as in base/frame.h; the first byte of each payload is its kind. After it, in each frame from
// the guest, comes the task's token: in gVisor the program can open its agent's stream (/proc/1/fd),
// but it cannot read the agent's memory, so what bears no token is not the agent's.
// What the guest sends is hostile all the same: the call may have taken its kernel over. Sizes are
// checked before anything is allocated, and nothing that a guest says widens what it may do: it can
// only misreport its own end, and no number above what the host measured or allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sandbox/sandbox_spec.h"

namespace nacre::sandbox::guest {

// From the host: the task (once, first), then bytes for the call's standard input, then its end.
// From the guest: ready or failed (once, first), output, then the end (last).
enum class FrameKind : uint8_t {
  kTask = 'T',
  kInput = 'I',
  kEndOfInput = 'Z',
  kReady = 'R',
  kFailed = 'F',
  kOutput = 'O',
  kErrorOutput = 'E',
  kChannel = 'C',
  kEnd = 'X',
};

// A microVM: how its agent is told that it is the first program of a machine, where it finds the
// modules to load, in the order of their names, and the name of the call's tree.
inline constexpr const char* kMachineArgument = "machine";
inline constexpr const char* kModulesFolder = "modules";
inline constexpr const char* kTreeTag = "tree";

inline constexpr uint32_t kTokenBytes = 16;
inline constexpr uint32_t kDataBytesMax = 64 * 1024;    // of one frame that carries bytes
inline constexpr uint32_t kReportBytesMax = 64 * 1024;  // of what a guest reports
inline constexpr uint32_t kTaskBytesMax = 8 << 20;      // arguments and environment, hexadecimal

// What a mount of the call's tree may be used for; a microVM's agent sees to it.
struct MountRule {
  std::string target;
  bool writable = false;
  bool executable = false;

  friend bool operator==(const MountRule&, const MountRule&) = default;
};

// A task: what the agent starts, and under which limits.
struct Task {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;
  Limits limits;
  std::string token;   // kTokenBytes, random; begins each frame of this task's agent
  std::string filter;  // sock_filter instructions as bytes; empty: none
  uint32_t uid = 0;    // that the program becomes; 0: it stays what the agent is
  std::vector<MountRule>
      mounts;  // in the order to be applied; for gVisor none: its bundle has them

  friend bool operator==(const Task&, const Task&) = default;
};

// Read back in the guest, by the process that was about to become the call's program.
struct Ready {
  std::string kernel;  // "Linux 4.4.0"
  bool seccomp = false;
  bool no_new_privs = false;
  bool capabilities_empty = false;

  friend bool operator==(const Ready&, const Ready&) = default;
};

struct Failed {
  std::string step;
  int error = 0;

  friend bool operator==(const Failed&, const Failed&) = default;
};

struct End {
  int wait_status = 0;
  std::string limit;  // "timed_out", "tasks_exceeded", ...: the agent ended it; empty: it ended
  std::chrono::microseconds cpu{0};
  std::chrono::microseconds wall{0};
  uint64_t memory_peak_bytes = 0;

  friend bool operator==(const End&, const End&) = default;
};

// Of the host.
std::string EncodeFrame(FrameKind kind, std::string_view bytes);
std::string EncodeTask(const Task& task);

// Of the agent, with the token of its task.
std::string EncodeFrame(FrameKind kind, std::string_view token, std::string_view bytes);
std::string EncodeReady(std::string_view token, const Ready& ready);
std::string EncodeFailed(std::string_view token, const Failed& failed);
std::string EncodeEnd(std::string_view token, const End& end);

// `payload` without its first byte and its token. kInvalidArgument for what is not one.
Result<Task> ParseTask(std::string_view payload);
Result<Ready> ParseReady(std::string_view payload);
Result<Failed> ParseFailed(std::string_view payload);
Result<End> ParseEnd(std::string_view payload);

}  // namespace nacre::sandbox::guest
