// What a turn uses besides tokens, as the session's driver counts it: time, bytes to an engine elsewhere, energy.
#include <utility>

#include "base/digest.h"
#include "runtime/agent/session_driver.h"

namespace nacre::agent {

int64_t SessionDriver::UncountedWall(Turn& turn) const {
  const MonotonicTime from = std::exchange(turn.counted, services_.clock.Monotonic());
  return std::chrono::duration_cast<std::chrono::milliseconds>(turn.counted - from).count();
}

std::optional<BytesOutPassed> SessionDriver::CountBytesOut(
    const inference::GenerateRequest& request, EngineUse& use) {
  const uint64_t bytes = services_.engine.BytesOut(request);
  if (bytes > machine_.BytesOutLeft()) {
    return BytesOutPassed{bytes};
  }
  machine_.CountSent(bytes);
  use.bytes_out += bytes;
  return std::nullopt;
}

Status SessionDriver::CountEnergy(inference::EnergyMeter::Span& span, EngineUse& use) {
  const std::optional<uint64_t> used = span.End();
  if (used.has_value()) {
    machine_.CountEnergy(*used);
    use.energy_uj += *used;
  } else if (options_.policy->budgets.joules_bounded()) {
    return Error{ErrorCode::kUnavailable,
                 "the energy counter could not be read, and the policy has a budget of joules"};
  }
  return Ok();
}

Json SessionDriver::AskedRecord(const inference::GenerateRequest& request) const {
  std::string prompt;
  for (const inference::ChatMessage& message : request.messages) {
    prompt += message.content + '\n';
  }
  const inference::EngineInfo engine = services_.engine.Info();
  Json record = {{"prompt_digest", Sha256Text(prompt)},
                 {"messages", request.messages.size()},
                 {"tools", request.tools.size()},
                 {"engine", engine.name},
                 {"model", engine.model}};
  if (!engine.credential.empty()) {
    record["credential"] = engine.credential;
  }
  return record;
}

Json SessionDriver::UseRecord(const char* kind, const inference::TokenUse& tokens,
                              const EngineUse& use) const {
  const inference::EngineInfo engine = services_.engine.Info();
  Json record = {{"kind", kind},
                 {"engine", engine.name},
                 {"model", engine.model},
                 {"prompt_tokens", tokens.prompt},
                 {"prompt_tokens_reused", tokens.prompt_cached},
                 {"generated_tokens", tokens.generated},
                 {"bytes_out", use.bytes_out}};
  if (services_.energy != nullptr) {
    record["energy_uj"] = use.energy_uj;
  }
  return record;
}

}  // namespace nacre::agent
