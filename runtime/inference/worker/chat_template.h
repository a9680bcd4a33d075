// ChatTemplate: the Jinja template that a model file carries. The only file of nacre that knows
// llama.cpp's `common` library, whose interface changes with every release.
//
// A template is hostile code in a small language: it can loop for ever. It runs in the worker, whose
// supervisor has a deadline.
//
// Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace nacre::inference {

class ChatTemplate final {
 public:
  // What the template was found to render, by trying it.
  struct Capabilities {
    bool tools = false;       // lists the offered tools
    bool tool_calls = false;  // renders an assistant's calls
  };
  enum class GenerationPrompt { kNo = 0, kYes };

  // `bos` and `eos` are the texts of the model's tokens. kInvalidArgument for a broken template.
  static Result<ChatTemplate> Create(const std::string& source, const std::string& bos,
                                     const std::string& eos);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) = delete;
  ~ChatTemplate();

  Capabilities capabilities() const;
  // `messages` and `tools` are JSON lists in OpenAI's form; `tools` may be empty text. A model that
  // can think aloud is asked not to. kInvalidArgument when the template raises an error.
  Result<std::string> Render(const std::string& messages, const std::string& tools,
                             GenerationPrompt generation_prompt) const;

 private:
  struct Impl;
  explicit ChatTemplate(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nacre::inference
