// What the runtime, the zygote and its slots say to each other: one message of a SOCK_SEQPACKET
// socket each, decoded once, with bounds, into a value. Descriptors travel beside the message.
//
//   runtime -> zygote   SetUp once, then AddTemplate, DropTemplate, MakeSlots, ReturnSlot, OpenTree (with
//                       the socket for its answers)
//   zygote  -> runtime  SlotMade (with descriptors), SlotFailed, SlotEnded, SlotGone; on the socket of an OpenTree,
//                       TreeOpened with EINPROGRESS if it takes longer, then TreeOpened with one, or why not
//   runtime -> slot     a LaunchPlan: the rest of the steps of its one call (with the mounts)
//   slot -> interpreter InterpreterSlot once, then an InterpreterPart: what is left of the steps
//
// Both ends are ours. The decoders distrust them all the same: a bug in one end must not become one
// of the other. Pure; a Result is an error for whatever is not exactly one well-formed message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "sandbox/kernel/cgroup.h"
#include "sandbox/plan.h"
#include "sandbox/report.h"
#include "sandbox/seccomp/filter.h"

namespace nacre::sandbox::zygote {

// A larger call starts cold. Below what the kernel queues on a socket by default.
inline constexpr size_t kMessageBytesMax = 128 * 1024;
// The kernel's own limit for one message is 253.
inline constexpr size_t kDescriptorsMax = 128;

// A digest of the sources that say what the steps of a plan mean. A zygote of another build could mean
// something else by the same bytes: it refuses. Made by the build (launch_digest.cmake).
std::string LaunchDigest();

struct SetUp {
  std::string launch_digest;
  kernel::CgroupHost cgroup;
  friend bool operator==(const SetUp&, const SetUp&) = default;
};
struct AddTemplate {
  uint32_t number = 0;
  LaunchPlan plan;
  std::vector<sock_filter> tool_filter;
  std::vector<sock_filter> killing_tool_filter;
  std::vector<sock_filter> reaper_filter;
};
struct DropTemplate {
  uint32_t number = 0;
  friend bool operator==(const DropTemplate&, const DropTemplate&) = default;
};
struct MakeSlots {
  uint32_t number = 0;  // of the template
  uint32_t count = 0;
  friend bool operator==(const MakeSlots&, const MakeSlots&) = default;
};
struct OpenTree {
  std::string path;
  uint64_t attributes = 0;
  uint64_t device = 0;  // what must be there
  uint64_t inode = 0;
  friend bool operator==(const OpenTree&, const OpenTree&) = default;
};
// The runtime is done with it, its meter too. What is left of it can go.
struct ReturnSlot {
  uint32_t slot = 0;
  friend bool operator==(const ReturnSlot&, const ReturnSlot&) = default;
};
using Command = std::variant<SetUp, AddTemplate, DropTemplate, MakeSlots, OpenTree, ReturnSlot>;

struct SlotMade {
  uint32_t number = 0;  // of the template
  uint32_t slot = 0;
  int32_t pid = 0;
  uint32_t meter_files = 0;  // bit i: descriptor i of the CgroupMeter is among those sent
  friend bool operator==(const SlotMade&, const SlotMade&) = default;
};
struct SlotFailed {
  uint32_t number = 0;  // 0: of no template; the zygote is about to end
  int32_t error = 0;
  std::string step;
  friend bool operator==(const SlotFailed&, const SlotFailed&) = default;
};
struct TreeOpened {
  int32_t error = 0;
  friend bool operator==(const TreeOpened&, const TreeOpened&) = default;
};
// Its processes have ended. Its cgroup stays, with what it counted, until the slot is returned.
struct SlotEnded {
  uint32_t slot = 0;
  friend bool operator==(const SlotEnded&, const SlotEnded&) = default;
};
// It was returned, and nothing of it is left.
struct SlotGone {
  uint32_t slot = 0;
  friend bool operator==(const SlotGone&, const SlotGone&) = default;
};
using Event = std::variant<SlotMade, SlotFailed, TreeOpened, SlotEnded, SlotGone>;

std::string Encode(const Command& command);
std::string Encode(const Event& event);
Result<Command> DecodeCommand(std::string_view bytes);
Result<Event> DecodeEvent(std::string_view bytes);

// What an interpreter, a program that replaced our code, must know again to take its part of the steps.
struct InterpreterSlot {
  std::string launch_digest;
  uint32_t report = 0;  // descriptors that it has inherited
  uint32_t standard_input = 0;
  uint32_t standard_output = 0;
  uint32_t standard_error = 0;
  uint32_t channel = 0;
  uint32_t ruleset = 0;  // 0: the host has no Landlock
  ExpectedEvidence expected;
  std::vector<sock_filter> tool_filter;
  std::vector<sock_filter> killing_tool_filter;
};
struct InterpreterPart {
  uint64_t first_index = 0;  // what its first step is reported as
  LaunchPlan plan;
};
std::string Encode(const InterpreterSlot& slot);
Result<InterpreterSlot> DecodeInterpreterSlot(std::string_view bytes);
std::string Encode(const InterpreterPart& part);
Result<InterpreterPart> DecodeInterpreterPart(std::string_view bytes);

// What a child needs of a plan: its steps, rules, sources (but their paths), argv and environment.
std::string EncodePlan(const LaunchPlan& plan);
Result<LaunchPlan> DecodePlan(std::string_view bytes);

}  // namespace nacre::sandbox::zygote
