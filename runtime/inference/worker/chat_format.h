// ChatFormat: turns a conversation into the text that the model was trained on, and knows how the
// model writes a tool call.
//
// Contents (what users, tools, files and the model said) are hostile: a file may hold the very text
// that ends a turn. So the template never sees them. It renders placeholders, and the result comes
// back in parts that say which bytes are the template's and which are content; the vocabulary then
// makes control tokens of the template's bytes only.
//
// The form of a call is found by rendering one with known words in it and cutting the text around
// them. When the template has no calls, or writes them in no such form, nacre's own form is used:
// tools are described in the system message and calls are <tool_call>{"name":..,"arguments":..}</tool_call>.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/inference/engine.h"
#include "runtime/inference/worker/chat_template.h"

namespace nacre::inference {

struct PromptPart {
  enum class Origin { kContent = 0, kTemplate };
  std::string text;
  Origin origin = Origin::kContent;

  friend bool operator==(const PromptPart&, const PromptPart&) = default;
};

// A call's form in text, before the vocabulary finds the control tokens in it.
struct CallForm {
  std::string prefix;
  std::string infix;
  std::string suffix;
  std::string key_separator = ":";
  std::string item_separator = ",";

  friend bool operator==(const CallForm&, const CallForm&) = default;
};

// Not thread-safe.
class ChatFormat final {
 public:
  struct Options {
    std::string template_source;  // empty: ChatML
    std::string bos;
    std::string eos;
    std::vector<std::string> end_texts;  // of the tokens that end a turn
  };

  static Result<ChatFormat> Create(const Options& options);

  const CallForm& call_form() const { return form_; }
  bool uses_template_calls() const { return style_ != Style::kOwn; }

  // The prompt up to where the model's reply begins. kInvalidArgument when the template refuses the
  // conversation or drops one of its messages (system messages may be dropped).
  Result<std::vector<PromptPart>> Render(const std::vector<ChatMessage>& messages,
                                         const std::vector<ToolSchema>& tools) const;

 private:
  enum class Style { kOwn = 0, kObjectArguments, kTextArguments };
  // Ignored: the model was trained without system messages, so it gets none.
  enum class SystemRole { kRefused = 0, kIgnored, kShown };

  ChatFormat(ChatTemplate chat_template, std::vector<std::string> end_texts)
      : template_(std::move(chat_template)), end_texts_(std::move(end_texts)) {}

  bool DeriveForm(Style style);
  OrderedJson CallMessage(const std::string& name, const OrderedJson& arguments, Style style,
                          const std::string& id) const;

  ChatTemplate template_;
  std::vector<std::string> end_texts_;
  Style style_ = Style::kOwn;
  CallForm form_;
  SystemRole system_role_ = SystemRole::kRefused;
};

}  // namespace nacre::inference
