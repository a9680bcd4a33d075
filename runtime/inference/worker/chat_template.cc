#include "runtime/inference/worker/chat_template.h"

#include <chat-auto-parser.h>
#include <chat.h>

#include <exception>

namespace nacre::inference {

struct ChatTemplate::Impl {
  common_chat_template common;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::Create(const std::string& source, const std::string& bos,
                                          const std::string& eos) {
  try {
    return ChatTemplate(std::unique_ptr<Impl>(new Impl{common_chat_template(source, bos, eos)}));
  } catch (const std::exception& problem) {
    return Error{ErrorCode::kInvalidArgument,
                 std::string("the model's chat template is broken: ") + problem.what()};
  }
}

ChatTemplate::Capabilities ChatTemplate::capabilities() const {
  const chat_template_caps caps = impl_->common.original_caps();
  return {.tools = caps.supports_tools, .tool_calls = caps.supports_tool_calls};
}

Result<std::string> ChatTemplate::Render(const std::string& messages, const std::string& tools,
                                         GenerationPrompt generation_prompt) const {
  try {
    autoparser::generation_params params;
    params.messages = common_json::parse(messages);
    if (!tools.empty()) {
      params.tools = common_json::parse(tools);
    }
    params.add_generation_prompt = generation_prompt == GenerationPrompt::kYes;
    params.enable_thinking = false;
    return common_chat_template_direct_apply(impl_->common, params);
  } catch (const std::exception& problem) {
    return Error{
        ErrorCode::kInvalidArgument,
        std::string("the model's chat template rejects this conversation: ") + problem.what()};
  }
}

}  // namespace nacre::inference
