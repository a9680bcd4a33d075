#include "runtime/inference/worker/vocabulary.h"

#include <algorithm>

namespace nacre::inference {
namespace {

bool IsTagShaped(const std::string& text) {
  return text.size() >= 3 && ((text.front() == '<' && text.back() == '>') ||
                              (text.front() == '[' && text.back() == ']'));
}

std::string PieceOf(const llama_vocab* vocab, llama_token token) {
  std::string piece(64, '\0');
  int32_t size =
      llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0, true);
  if (size < 0) {
    piece.resize(static_cast<size_t>(-size));
    size = llama_token_to_piece(vocab, token, piece.data(), static_cast<int32_t>(piece.size()), 0,
                                true);
  }
  piece.resize(static_cast<size_t>(std::max(size, 0)));
  return piece;
}

}  // namespace

Vocabulary::Vocabulary(const llama_vocab* vocab) : vocab_(vocab) {
  const int32_t count = llama_vocab_n_tokens(vocab);
  pieces_.reserve(static_cast<size_t>(count));
  control_.reserve(static_cast<size_t>(count));
  for (llama_token token = 0; token < count; ++token) {
    pieces_.push_back(PieceOf(vocab, token));
    const int attributes = llama_vocab_get_attr(vocab, token);
    const bool control =
        (attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN)) != 0 ||
        ((attributes & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0 && IsTagShaped(pieces_.back()));
    control_.push_back(control);
    if (control && !pieces_.back().empty()) {
      control_tokens_.push_back({pieces_.back(), token});
    }
  }
  std::stable_sort(
      control_tokens_.begin(), control_tokens_.end(),
      [](const ControlToken& a, const ControlToken& b) { return a.text.size() > b.text.size(); });
}

const Vocabulary::ControlToken* Vocabulary::ControlAt(const std::string& text, size_t at) const {
  for (const ControlToken& control : control_tokens_) {
    if (text.compare(at, control.text.size(), control.text) == 0) {
      return &control;
    }
  }
  return nullptr;
}

FrameParts Vocabulary::Split(const std::string& text) const {
  FrameParts parts;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const ControlToken* control = ControlAt(text, at);
    if (control == nullptr) {
      plain += text[at++];
      continue;
    }
    if (!plain.empty()) {
      parts.push_back({std::move(plain), -1});
      plain.clear();
    }
    parts.push_back({control->text, control->token});
    at += control->text.size();
  }
  if (!plain.empty()) {
    parts.push_back({std::move(plain), -1});
  }
  return parts;
}

CallFrame Vocabulary::Frame(const CallForm& form) const {
  return {.prefix = Split(form.prefix),
          .infix = Split(form.infix),
          .suffix = Split(form.suffix),
          .key_separator = form.key_separator,
          .item_separator = form.item_separator};
}

std::vector<llama_token> Vocabulary::Tokenize(const std::vector<PromptPart>& parts) const {
  std::vector<llama_token> tokens;
  std::string run;
  for (const PromptPart& part : parts) {
    if (part.origin == PromptPart::Origin::kContent) {
      run += part.text;
      continue;
    }
    for (const FramePart& piece : Split(part.text)) {
      if (piece.token < 0) {
        run += piece.text;
        continue;
      }
      TokenizeRun(run, &tokens);
      run.clear();
      tokens.push_back(piece.token);
    }
  }
  TokenizeRun(run, &tokens);
  const llama_token bos = llama_vocab_bos(vocab_);
  if (llama_vocab_get_add_bos(vocab_) && bos != LLAMA_TOKEN_NULL &&
      (tokens.empty() || tokens.front() != bos)) {
    tokens.insert(tokens.begin(), bos);
  }
  return tokens;
}

// Nothing in a run may become a control token. llama_tokenize leaves those marked so alone; the
// tag-shaped user-defined ones it would parse, so the run is cut inside of each such text.
void Vocabulary::TokenizeRun(const std::string& run, std::vector<llama_token>* tokens) const {
  size_t from = 0;
  const auto tokenize = [&](size_t to) {
    std::vector<llama_token> found(to - from + 2);
    const int32_t count =
        llama_tokenize(vocab_, run.data() + from, static_cast<int32_t>(to - from), found.data(),
                       static_cast<int32_t>(found.size()), false, false);
    found.resize(static_cast<size_t>(std::max(count, 0)));
    tokens->insert(tokens->end(), found.begin(), found.end());
    from = to;
  };
  for (size_t at = 0; at < run.size(); ++at) {
    if ((run[at] == '<' || run[at] == '[') && ControlAt(run, at) != nullptr) {
      tokenize(at + 1);
    }
  }
  if (from < run.size()) {
    tokenize(run.size());
  }
}

std::string Vocabulary::BosText() const {
  const llama_token token = llama_vocab_bos(vocab_);
  return token == LLAMA_TOKEN_NULL ? "" : Piece(token);
}

std::string Vocabulary::EosText() const {
  const llama_token token = llama_vocab_eos(vocab_);
  return token == LLAMA_TOKEN_NULL ? "" : Piece(token);
}

std::vector<std::string> Vocabulary::EndTexts() const {
  std::vector<std::string> texts;
  for (llama_token token = 0; token < size(); ++token) {
    if (EndsTurn(token)) {
      texts.push_back(Piece(token));
    }
  }
  return texts;
}

}  // namespace nacre::inference
