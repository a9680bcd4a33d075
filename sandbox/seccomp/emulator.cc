#include "sandbox/seccomp/emulator.h"

#include <array>
#include <cstring>
#include <optional>

namespace nacre::sandbox::seccomp {
namespace {

Error Malformed(size_t at) {
  return {ErrorCode::kInvalidArgument, "malformed filter at instruction " + std::to_string(at)};
}

struct Machine {
  uint32_t accumulator = 0;
  uint32_t index = 0;
  std::array<uint32_t, BPF_MEMWORDS> memory = {};
};

std::optional<uint32_t> LoadWord(const seccomp_data& call, uint32_t offset) {
  if (offset % 4 != 0 || offset > sizeof call - 4) {
    return std::nullopt;
  }
  uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&call) + offset, sizeof word);
  return word;
}

std::optional<bool> Compare(const Machine& machine, const sock_filter& instruction) {
  const uint32_t operand = BPF_SRC(instruction.code) == BPF_X ? machine.index : instruction.k;
  switch (BPF_OP(instruction.code)) {
    case BPF_JEQ:
      return machine.accumulator == operand;
    case BPF_JGT:
      return machine.accumulator > operand;
    case BPF_JGE:
      return machine.accumulator >= operand;
    case BPF_JSET:
      return (machine.accumulator & operand) != 0;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<uint32_t> Emulate(const Filter& filter, const seccomp_data& call) {
  Machine machine;
  size_t at = 0;
  while (at < filter.instructions.size()) {
    const sock_filter& instruction = filter.instructions[at];
    size_t next = at + 1;
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS: {
        const auto word = LoadWord(call, instruction.k);
        if (!word) {
          return Malformed(at);
        }
        machine.accumulator = *word;
        break;
      }
      case BPF_ALU | BPF_AND | BPF_K:
        machine.accumulator &= instruction.k;
        break;
      case BPF_ST:
      case BPF_LD | BPF_MEM:
        if (instruction.k >= machine.memory.size()) {
          return Malformed(at);
        }
        if (instruction.code == BPF_ST) {
          machine.memory[instruction.k] = machine.accumulator;
        } else {
          machine.accumulator = machine.memory[instruction.k];
        }
        break;
      case BPF_MISC | BPF_TAX:
        machine.index = machine.accumulator;
        break;
      case BPF_JMP | BPF_JA:
        next += instruction.k;
        break;
      case BPF_RET | BPF_K:
        return instruction.k;
      default: {
        const auto holds =
            BPF_CLASS(instruction.code) == BPF_JMP ? Compare(machine, instruction) : std::nullopt;
        if (!holds) {
          return Malformed(at);
        }
        next += *holds ? instruction.jt : instruction.jf;
        break;
      }
    }
    at = next;  // only forwards, so it ends
  }
  return Malformed(filter.instructions.size());
}

}  // namespace nacre::sandbox::seccomp
