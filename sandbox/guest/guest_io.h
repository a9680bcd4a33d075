// GuestIo: the host's end of a guest's stream. To the monitor it is the channel of the enclosed
// program; behind it are the call's own channel and output.
//
//   GuestIo guest(io, task, spec.limits.output_bytes);
//   Outcome enclosed = NACRE_TRY(sandbox.RunPlan(plan, guest, cancel));
//   return guest.Conclude("gvisor", std::move(enclosed));
#pragma once

#include <optional>
#include <string>

#include "base/frame.h"
#include "sandbox/guest/guest_protocol.h"
#include "sandbox/outcome.h"
#include "sandbox/sandbox.h"

namespace nacre::sandbox::guest {

// What becomes of the enclosed program when the guest has said its last word.
enum class AtEnd { kItEnds = 0, kKill };

// Not thread-safe: for one call, on its thread. Borrows `inner` for its life.
class GuestIo final : public CallIo {
 public:
  GuestIo(CallIo& inner, Task task, uint64_t output_bytes, AtEnd at_end = AtEnd::kItEnds);

  Reply OnStart() override;
  Reply OnChannelBytes(std::string_view bytes) override;
  void OnOutput(int, std::string_view) override {}
  void OnCallLayer(CallLayer layer) override { inner_.OnCallLayer(std::move(layer)); }

  // How the call ended, from how the enclosed program ended and what the guest said before. Once.
  Outcome Conclude(const std::string& tier, Outcome enclosed);

 private:
  std::string OnFrame(std::string_view payload);
  void TakeOutput(int number, std::string_view bytes, std::string& into);
  std::string Wrap(Reply reply);
  void Breach(const std::string& what);

  CallIo& inner_;
  const Task task_;
  const uint64_t output_bytes_;
  const AtEnd at_end_;
  FrameDecoder decoder_;
  std::string output_;
  std::string error_output_;
  std::optional<Ready> ready_;
  std::optional<Failed> failed_;
  std::optional<End> end_;
  bool truncated_ = false;
  bool kill_ = false;
  std::string breach_;  // what the guest did against the protocol
};

}  // namespace nacre::sandbox::guest
