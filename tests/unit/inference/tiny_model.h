// A model file for tests: nacre-mini's kind of tokenizer (bytes and five control tokens), ChatML, two
// small layers of random weights. It says nothing sensible, which is the point: whatever it says, the
// grammar, the parser and the supervisor must hold.
#pragma once

#include <cstdint>
#include <string>

namespace nacre::inference::testing {

struct TinyModel {
  uint64_t seed = 1;
  // The weights favour the token that opens a call, so that nearly every reply is one.
  bool eager_to_call = true;
  // <tool_call> and </tool_call> as user-defined tokens, which llama_tokenize always parses.
  bool weak_call_tokens = false;
  uint32_t context_tokens = 1024;
  std::string chat_template;  // empty: TinyTemplate()
  uint32_t width = 64;        // 1024 makes 21 million parameters
};

constexpr int kImStart = 1;
constexpr int kImEnd = 2;
constexpr int kCallOpen = 3;
constexpr int kCallClose = 4;

const char* TinyTemplate();

// Aborts when the file cannot be written.
void WriteTinyModel(const std::string& path, const TinyModel& model = {});

}  // namespace nacre::inference::testing
