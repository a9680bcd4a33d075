#include "runtime/inference/worker_protocol.h"

#include <algorithm>
#include <limits>

#include "base/json.h"

namespace nacre::inference {
namespace {

constexpr size_t kMessageBytesMax = 1000;
constexpr size_t kLayersMax = 32;

Error Malformed(const std::string& what) {
  return {ErrorCode::kInvalidArgument, "malformed frame: " + what};
}

template <typename Unsigned>
Unsigned UnsignedMember(const Json& object, std::string_view key) {
  const Json* member = FindMember(object, key);
  if (member == nullptr || !member->is_number_unsigned()) {
    return 0;
  }
  return static_cast<Unsigned>(
      std::min<uint64_t>(member->get<uint64_t>(), std::numeric_limits<Unsigned>::max()));
}

Json CallJson(const EmittedCall& call) {
  return {{"name", call.name}, {"arguments", call.arguments_json}};
}

Result<EmittedCall> ParseCall(const Json& json) {
  const Json* name = FindMember(json, "name");
  const Json* arguments = FindMember(json, "arguments");
  if (name == nullptr || !name->is_string() || arguments == nullptr || !arguments->is_string()) {
    return Malformed("a call without name or arguments");
  }
  return EmittedCall{name->get<std::string>(), arguments->get<std::string>()};
}

Json RequestJson(const GenerateRequest& request) {
  Json messages = Json::array();
  for (const ChatMessage& message : request.messages) {
    Json json{{"role", static_cast<int>(message.role)}, {"content", message.content}};
    if (message.call.has_value()) {
      json["call"] = CallJson(*message.call);
    }
    messages.push_back(std::move(json));
  }
  Json tools = Json::array();
  for (const ToolSchema& tool : request.tools) {
    // As text, since its order of keys is the order in which the model writes them.
    tools.push_back({{"name", tool.name},
                     {"description", tool.description},
                     {"parameters", DumpJson(tool.parameters)}});
  }
  return {{"messages", std::move(messages)},
          {"tools", std::move(tools)},
          {"answer_schema",
           request.answer_schema.is_object() ? DumpJson(request.answer_schema) : std::string()},
          {"tokens_max", request.tokens_max},
          {"temperature", request.temperature},
          {"seed", request.seed}};
}

Result<GenerateRequest> ParseRequest(const Json& json) {
  GenerateRequest request;
  const Json* messages = FindMember(json, "messages");
  const Json* tools = FindMember(json, "tools");
  if (messages == nullptr || !messages->is_array() || tools == nullptr || !tools->is_array()) {
    return Malformed("a request without messages or tools");
  }
  for (const Json& item : *messages) {
    const int64_t role = IntMember(item, "role", -1);
    if (role < 0 || role > static_cast<int>(Role::kTool)) {
      return Malformed("a message of an unknown role");
    }
    ChatMessage message{.role = static_cast<Role>(role), .content = StringMember(item, "content")};
    if (const Json* call = FindMember(item, "call"); call != nullptr) {
      message.call = NACRE_TRY(ParseCall(*call));
    }
    request.messages.push_back(std::move(message));
  }
  for (const Json& item : *tools) {
    OrderedJson parameters = NACRE_TRY(
        ParseOrderedJson(StringMember(item, "parameters"), {.bytes_max = kToolSchemaBytesMax}));
    request.tools.push_back(
        {StringMember(item, "name"), StringMember(item, "description"), std::move(parameters)});
  }
  if (const std::string schema = StringMember(json, "answer_schema"); !schema.empty()) {
    request.answer_schema = NACRE_TRY(ParseOrderedJson(schema, {.bytes_max = kToolSchemaBytesMax}));
  }
  request.tokens_max = UnsignedMember<uint32_t>(json, "tokens_max");
  request.seed = UnsignedMember<uint64_t>(json, "seed");
  if (const Json* temperature = FindMember(json, "temperature");
      temperature != nullptr && temperature->is_number()) {
    request.temperature = temperature->get<float>();
  }
  return request;
}

Json TokensJson(const TokenUse& tokens) {
  return {
      {"prompt", tokens.prompt}, {"cached", tokens.prompt_cached}, {"generated", tokens.generated}};
}

std::vector<std::string> ParseLayers(const Json& object, std::string_view key) {
  std::vector<std::string> layers;
  if (const Json* list = FindMember(object, key); list != nullptr && list->is_array()) {
    for (const Json& item : *list) {
      if (item.is_string() && layers.size() < kLayersMax) {
        layers.push_back(Printable(item.get_ref<const std::string&>(), 200));
      }
    }
  }
  return layers;
}

// Only codes that a worker has a reason to send.
ErrorCode ParseCode(int64_t code) {
  switch (static_cast<ErrorCode>(code)) {
    case ErrorCode::kCancelled:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kFailedPrecondition:
      return static_cast<ErrorCode>(code);
    default:
      return ErrorCode::kInternal;
  }
}

Result<WorkerEvent> ParseDone(const Json& json) {
  DoneEvent done{.id = UnsignedMember<uint64_t>(json, "id"), .reply = {}};
  if (const Json* call = FindMember(json, "call"); call != nullptr) {
    done.reply.content = NACRE_TRY(ParseCall(*call));
  }
  done.reply.cut_off = BoolMember(json, "cut_off");
  if (const Json* tokens = FindMember(json, "tokens"); tokens != nullptr) {
    done.reply.tokens = {.prompt = UnsignedMember<uint32_t>(*tokens, "prompt"),
                         .prompt_cached = UnsignedMember<uint32_t>(*tokens, "cached"),
                         .generated = UnsignedMember<uint32_t>(*tokens, "generated")};
  }
  return WorkerEvent(std::move(done));
}

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

std::string Printable(std::string_view text, size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return out;
}

std::string WithoutControls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t byte = static_cast<uint8_t>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      continue;
    }
    // U+0080 to U+009F, the second set of controls.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xA0) {
      ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

Result<std::string> EncodeCommand(const WorkerCommand& command) {
  if (const auto* generate = std::get_if<GenerateCommand>(&command)) {
    for (const ToolSchema& tool : generate->request.tools) {
      if (DumpJson(tool.parameters).size() > kToolSchemaBytesMax) {
        return Error{ErrorCode::kInvalidArgument,
                     "the schema of tool " + Printable(tool.name, 64) + " exceeds 64 KiB"};
      }
    }
    if (DumpJson(generate->request.answer_schema).size() > kToolSchemaBytesMax) {
      return Error{ErrorCode::kInvalidArgument, "the schema of the answer exceeds 64 KiB"};
    }
  }
  std::string payload =
      std::visit(Overloaded{[](const LoadCommand& load) {
                              return DumpJson(Json{{"type", "load"},
                                                   {"context_tokens_max", load.context_tokens_max},
                                                   {"threads_max", load.threads_max}});
                            },
                            [](const GenerateCommand& generate) {
                              return DumpJson(Json{{"type", "generate"},
                                                   {"id", generate.id},
                                                   {"request", RequestJson(generate.request)}});
                            },
                            [](const CancelCommand& cancel) {
                              return DumpJson(Json{{"type", "cancel"}, {"id", cancel.id}});
                            }},
                 command);
  if (payload.size() > kCommandBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "the conversation is larger than 4 MiB"};
  }
  return payload;
}

Result<WorkerCommand> ParseCommand(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kCommandBytesMax}));
  const std::string type = StringMember(json, "type");
  if (type == "load") {
    return WorkerCommand(LoadCommand{UnsignedMember<uint32_t>(json, "context_tokens_max"),
                                     UnsignedMember<uint32_t>(json, "threads_max")});
  }
  if (type == "cancel") {
    return WorkerCommand(CancelCommand{UnsignedMember<uint64_t>(json, "id")});
  }
  const Json* request = FindMember(json, "request");
  if (type != "generate" || request == nullptr) {
    return Malformed("unknown command");
  }
  GenerateRequest parsed = NACRE_TRY(ParseRequest(*request));
  return WorkerCommand(GenerateCommand{UnsignedMember<uint64_t>(json, "id"), std::move(parsed)});
}

std::string EncodeEvent(const WorkerEvent& event) {
  const Json json = std::visit(
      Overloaded{
          [](const HelloEvent& hello) {
            return Json{{"type", "hello"}, {"layers", hello.layers}, {"missing", hello.missing}};
          },
          [](const ReadyEvent& ready) {
            return Json{{"type", "ready"},
                        {"context_tokens", ready.context_tokens},
                        {"threads", ready.threads},
                        {"name", ready.name},
                        {"device", ready.device}};
          },
          [](const ProgressEvent& progress) {
            return Json{{"type", "progress"}, {"id", progress.id}};
          },
          [](const TextEvent& text) {
            return Json{{"type", "text"}, {"id", text.id}, {"text", text.text}};
          },
          [](const DoneEvent& done) {
            Json out{{"type", "done"},
                     {"id", done.id},
                     {"cut_off", done.reply.cut_off},
                     {"tokens", TokensJson(done.reply.tokens)}};
            if (const auto* call = std::get_if<EmittedCall>(&done.reply.content)) {
              out["call"] = CallJson(*call);
            }
            return out;
          },
          [](const FailedEvent& failed) {
            return Json{{"type", "failed"},
                        {"id", failed.id},
                        {"code", static_cast<int>(failed.error.code)},
                        {"message", failed.error.message.substr(0, kMessageBytesMax)}};
          }},
      event);
  return DumpJson(json);
}

Result<WorkerEvent> ParseEvent(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kEventBytesMax, .depth_max = 8}));
  const std::string type = StringMember(json, "type");
  const uint64_t id = UnsignedMember<uint64_t>(json, "id");
  if (type == "text") {
    return WorkerEvent(TextEvent{id, WithoutControls(StringMember(json, "text"))});
  }
  if (type == "progress") {
    return WorkerEvent(ProgressEvent{id});
  }
  if (type == "done") {
    return ParseDone(json);
  }
  if (type == "failed") {
    return WorkerEvent(FailedEvent{id,
                                   {ParseCode(IntMember(json, "code")),
                                    Printable(StringMember(json, "message"), kMessageBytesMax)}});
  }
  if (type == "ready") {
    return WorkerEvent(ReadyEvent{
        UnsignedMember<uint32_t>(json, "context_tokens"), UnsignedMember<uint32_t>(json, "threads"),
        Printable(StringMember(json, "name"), 100), Printable(StringMember(json, "device"), 20)});
  }
  if (type == "hello") {
    return WorkerEvent(HelloEvent{ParseLayers(json, "layers"), ParseLayers(json, "missing")});
  }
  return Malformed("unknown event");
}

}  // namespace nacre::inference
