// Vocabulary: text to tokens and back, such that content can never become a control token.
//
// A control token is one that the vocabulary marks so, or a user-defined one shaped like a tag
// (<tool_call>): some models mark their frame's tokens in that weaker way, and llama_tokenize turns
// their text into tokens even when told to parse no special text. Other user-defined tokens are
// ordinary text.
//
// Text between control tokens is tokenized in one run, whatever its origin: cutting it at the border
// of a content would give other tokens than the model was trained on.
//
// Not thread-safe. Keeps a pointer to the model's vocabulary, which must outlive it.
#pragma once

#include <llama.h>

#include <string>
#include <vector>

#include "runtime/inference/worker/call_frame.h"
#include "runtime/inference/worker/chat_format.h"

namespace nacre::inference {

class Vocabulary final {
 public:
  explicit Vocabulary(const llama_vocab* vocab);

  std::vector<llama_token> Tokenize(const std::vector<PromptPart>& parts) const;
  // Finds the control tokens in a frame.
  CallFrame Frame(const CallForm& form) const;

  // The bytes of a token; of a control token its name.
  const std::string& Piece(llama_token token) const { return pieces_[static_cast<size_t>(token)]; }
  bool IsControl(llama_token token) const { return control_[static_cast<size_t>(token)]; }
  bool EndsTurn(llama_token token) const { return llama_vocab_is_eog(vocab_, token); }
  int32_t size() const { return static_cast<int32_t>(pieces_.size()); }

  std::string BosText() const;
  std::string EosText() const;
  std::vector<std::string> EndTexts() const;

 private:
  struct ControlToken {
    std::string text;
    llama_token token;
  };

  FrameParts Split(const std::string& text) const;
  // The longest control token at text[at], or nullptr.
  const ControlToken* ControlAt(const std::string& text, size_t at) const;
  void TokenizeRun(const std::string& run, std::vector<llama_token>* tokens) const;

  const llama_vocab* vocab_;
  std::vector<std::string> pieces_;
  std::vector<bool> control_;
  std::vector<ControlToken> control_tokens_;  // longest first
};

}  // namespace nacre::inference
