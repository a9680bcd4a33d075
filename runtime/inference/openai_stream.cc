#include "runtime/inference/openai_stream.h"

#include <algorithm>
#include <limits>

#include "base/json.h"
#include "runtime/inference/worker_protocol.h"

namespace nacre::inference {
namespace {

constexpr size_t kNameBytesMax = 64;
constexpr size_t kMessageBytesMax = 300;

Error Malformed(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the server's answer cannot be understood: " + what};
}

Error TooLarge() {
  return {ErrorCode::kResourceExhausted, "the server's answer is too large"};
}

uint32_t Count(const Json& object, std::string_view key) {
  return static_cast<uint32_t>(
      std::clamp<int64_t>(IntMember(object, key), 0, std::numeric_limits<uint32_t>::max()));
}

std::string ServerSafe(const std::string& name) {
  std::string safe = name.substr(0, kNameBytesMax);
  std::replace_if(
      safe.begin(), safe.end(),
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_' || c == '-');
      },
      '_');
  return safe.empty() ? "_" : safe;
}

}  // namespace

Status SseParser::Feed(std::string_view bytes, std::vector<std::string>* events) {
  for (const char byte : bytes) {
    const bool second_of_pair = after_carriage_return_ && byte == '\n';
    after_carriage_return_ = byte == '\r';
    if (second_of_pair) {
      continue;
    }
    if (byte == '\n' || byte == '\r') {
      EndLine(events);
      continue;
    }
    line_ += byte;
    if (line_.size() + data_.size() > kEventBytesMax) {
      return TooLarge();
    }
  }
  return Ok();
}

void SseParser::EndLine(std::vector<std::string>* events) {
  if (line_.empty()) {
    if (has_data_) {
      events->push_back(std::exchange(data_, ""));
      has_data_ = false;
    }
    return;
  }
  constexpr std::string_view kField = "data:";
  if (line_.starts_with(kField)) {
    std::string_view value = std::string_view(line_).substr(kField.size());
    if (value.starts_with(' ')) {
      value.remove_prefix(1);
    }
    data_ += has_data_ ? "\n" : "";
    data_ += value;
    has_data_ = true;
  }
  line_.clear();
}

Result<std::string> OpenAiStream::FeedEvents(std::string_view bytes) {
  std::vector<std::string> events;
  NACRE_TRY(sse_.Feed(bytes, &events));
  std::string text;
  for (const std::string& event : events) {
    if (finished_) {
      break;
    }
    if (event == "[DONE]") {
      finished_ = true;
      break;
    }
    const std::string piece = NACRE_TRY(FeedChunk(event));
    text += piece;
  }
  return text;
}

Result<std::string> OpenAiStream::FeedWhole(std::string_view body) {
  std::string text = NACRE_TRY(FeedChunk(body));
  finished_ = true;
  return text;
}

Result<std::string> OpenAiStream::FeedChunk(std::string_view payload) {
  const Result<Json> parsed = ParseJson(payload, {.bytes_max = SseParser::kEventBytesMax});
  if (!parsed.ok()) {
    return Malformed(parsed.error().message);
  }
  const Json& chunk = parsed.value();
  if (const Json* error = FindMember(chunk, "error"); error != nullptr && !error->is_null()) {
    const std::string message =
        error->is_string() ? error->get<std::string>() : StringMember(*error, "message");
    return Error{ErrorCode::kUnavailable,
                 "the server reports: " + Printable(message, kMessageBytesMax)};
  }
  TakeUse(chunk);
  std::string text;
  const Json* choices = FindMember(chunk, "choices");
  if (choices != nullptr && choices->is_array() && !choices->empty()) {
    const Json& choice = choices->front();
    for (const char* key : {"delta", "message"}) {
      if (const Json* delta = FindMember(choice, key); delta != nullptr) {
        NACRE_TRY(TakeDelta(*delta, &text));
      }
    }
    // Not yet the end: the token counts may follow.
    const std::string reason = StringMember(choice, "finish_reason");
    stopped_ = stopped_ || !reason.empty();
    cut_off_ = cut_off_ || reason == "length";
  }
  return text;
}

Status OpenAiStream::TakeDelta(const Json& delta, std::string* text) {
  if (const Json* calls = FindMember(delta, "tool_calls"); calls != nullptr && calls->is_array()) {
    NACRE_TRY(TakeCalls(*calls));
  }
  const std::string piece = WithoutControls(StringMember(delta, "content"));
  if (text_.size() + piece.size() > kTextBytesMax) {
    return TooLarge();
  }
  text_ += piece;
  *text += piece;
  return Ok();
}

// One call a turn: the first. A model that ignores parallel_tool_calls makes the others again.
Status OpenAiStream::TakeCalls(const Json& calls) {
  for (const Json& item : calls) {
    const Json* function = FindMember(item, "function");
    if (function == nullptr || IntMember(item, "index") != 0) {
      continue;
    }
    if (FindMember(item, "index") == nullptr && call_.has_value()) {
      continue;  // whole calls, in one message, without an index
    }
    if (!call_.has_value()) {
      call_.emplace();
    }
    call_->name += StringMember(*function, "name");
    call_->arguments_json += StringMember(*function, "arguments");
    if (call_->name.size() > kNameBytesMax || call_->arguments_json.size() > kCallBytesMax) {
      return TooLarge();
    }
  }
  return Ok();
}

void OpenAiStream::TakeUse(const Json& chunk) {
  const Json* usage = FindMember(chunk, "usage");
  if (usage == nullptr || !usage->is_object()) {
    return;
  }
  use_.prompt = Count(*usage, "prompt_tokens");
  use_.generated = Count(*usage, "completion_tokens");
  if (const Json* details = FindMember(*usage, "prompt_tokens_details"); details != nullptr) {
    use_.prompt_cached = Count(*details, "cached_tokens");
  }
}

Result<ModelReply> OpenAiStream::Finish() {
  if (!call_.has_value() && text_.empty() && !cut_off_) {
    return Malformed("it holds neither text nor a call");
  }
  if (!finished_ && !stopped_) {
    return Error{ErrorCode::kUnavailable, "the server's answer broke off before its end"};
  }
  ModelReply reply{.content = text_, .cut_off = cut_off_, .tokens = use_};
  if (call_.has_value()) {
    reply.content = *call_;
  }
  return reply;
}

ToolNames::ToolNames(const std::vector<ToolSchema>& tools) {
  for (const ToolSchema& tool : tools) {
    std::string name = ServerSafe(tool.name);
    for (int number = 2; from_server_.contains(name); ++number) {
      const std::string suffix = "_" + std::to_string(number);
      name = ServerSafe(tool.name).substr(0, kNameBytesMax - suffix.size()) + suffix;
    }
    from_server_[name] = tool.name;
    to_server_[tool.name] = name;
  }
}

std::string ToolNames::ToServer(const std::string& name) const {
  const auto found = to_server_.find(name);
  return found == to_server_.end() ? ServerSafe(name) : found->second;
}

std::string ToolNames::FromServer(const std::string& name) const {
  const auto found = from_server_.find(name);
  return found == from_server_.end() ? name : found->second;
}

std::string OpenAiRequestBody(const GenerateRequest& request, const std::string& model,
                              const ToolNames& names) {
  OrderedJson messages = OrderedJson::array();
  size_t calls = 0;
  const auto call_id = [&](const ChatMessage& message) {
    return message.call_id.empty() ? "call_" + std::to_string(calls) : message.call_id;
  };
  for (const ChatMessage& message : request.messages) {
    switch (message.role) {
      case Role::kSystem:
        messages.push_back({{"role", "system"}, {"content", message.content}});
        break;
      case Role::kUser:
        messages.push_back({{"role", "user"}, {"content", message.content}});
        break;
      case Role::kAssistant: {
        if (!message.call.has_value()) {
          messages.push_back({{"role", "assistant"}, {"content", message.content}});
          break;
        }
        ++calls;
        // Servers parse the arguments; what a model wrote badly is passed on as an empty object.
        const bool valid = ParseJson(message.call->arguments_json).ok();
        OrderedJson call{{"id", call_id(message)}, {"type", "function"}};
        call["function"] = {{"name", names.ToServer(message.call->name)},
                            {"arguments", valid ? message.call->arguments_json : "{}"}};
        OrderedJson entry{{"role", "assistant"}, {"content", message.content}};
        entry["tool_calls"] = OrderedJson::array({std::move(call)});
        messages.push_back(std::move(entry));
        break;
      }
      case Role::kTool:
        messages.push_back(
            {{"role", "tool"}, {"tool_call_id", call_id(message)}, {"content", message.content}});
        break;
    }
  }
  OrderedJson body{{"model", model}, {"messages", std::move(messages)}};
  if (!request.tools.empty()) {
    OrderedJson tools = OrderedJson::array();
    for (const ToolSchema& tool : request.tools) {
      OrderedJson function{{"name", names.ToServer(tool.name)}, {"description", tool.description}};
      function["parameters"] = tool.parameters;
      tools.push_back({{"type", "function"}, {"function", std::move(function)}});
    }
    body["tools"] = std::move(tools);
    body["tool_choice"] = "auto";
    body["parallel_tool_calls"] = false;
  }
  if (request.answer_schema.is_object()) {
    OrderedJson schema{{"name", "answer"}, {"strict", true}};
    schema["schema"] = request.answer_schema;
    body["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(schema)}};
  }
  body["max_tokens"] = request.tokens_max;
  body["temperature"] = request.temperature;
  body["seed"] = request.seed;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return DumpJson(body);
}

}  // namespace nacre::inference
