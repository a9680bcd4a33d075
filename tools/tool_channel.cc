#include "tools/tool_channel.h"

#include <algorithm>

namespace nacre::tools {
namespace {

constexpr int kFrameDepthMax = 16;

struct HostMethod {
  const char* name;
  HostService service;
  const char* argument;  // its one argument, a string
};
constexpr HostMethod kHostMethods[] = {
    {"memory.note", HostService::kMemory, "text"},
    {"memory.search", HostService::kMemory, "query"},
};

Error Breach(std::string what) {
  return {ErrorCode::kInvalidArgument, std::move(what)};
}

// Exactly these members, so that no two readers of a frame can see different things in it.
bool HasExactly(const Json& object, std::initializer_list<const char*> keys) {
  return object.is_object() && object.size() == keys.size() &&
         std::all_of(keys.begin(), keys.end(),
                     [&](const char* key) { return object.contains(key); });
}

Result<const HostMethod*> FindHostMethod(const Json& frame, const Manifest& manifest) {
  const std::string name = StringMember(frame, "host");
  const auto* method = std::find_if(std::begin(kHostMethods), std::end(kHostMethods),
                                    [&](const HostMethod& known) { return known.name == name; });
  if (method == std::end(kHostMethods)) {
    return Breach("it asked for a host method that does not exist");
  }
  if (std::find(manifest.host_services.begin(), manifest.host_services.end(), method->service) ==
      manifest.host_services.end()) {
    return Error{ErrorCode::kPermissionDenied,
                 "its manifest does not ask for the host service of " + name};
  }
  const Json& arguments = frame["arguments"];
  if (!HasExactly(arguments, {method->argument}) || !arguments[method->argument].is_string()) {
    return Breach("it called " + name + " with wrong arguments");
  }
  return method;
}

Result<ToolResult> ParseResult(const Json& result) {
  if (!HasExactly(result, {"text", "error"}) || !result["text"].is_string() ||
      !result["error"].is_boolean()) {
    return Breach("its result is not {text, error}");
  }
  ToolResult parsed{.text = result["text"].get<std::string>(),
                    .error = result["error"].get<bool>()};
  if (parsed.text.size() > kToolTextBytesMax) {
    return Error{ErrorCode::kResourceExhausted,
                 "a result text of " + std::to_string(parsed.text.size()) +
                     " bytes exceeds the limit of " + std::to_string(kToolTextBytesMax)};
  }
  return parsed;
}

}  // namespace

ToolChannel::ToolChannel(const Manifest& manifest, std::string call_id, Json arguments,
                         HostServices& services)
    : manifest_(manifest),
      call_id_(std::move(call_id)),
      arguments_(std::move(arguments)),
      services_(services) {}

std::string ToolChannel::Start() const {
  return EncodeFrame(
      DumpJson(Json{{"call", call_id_}, {"tool", manifest_.name}, {"arguments", arguments_}}));
}

Result<std::string> ToolChannel::OnBytes(std::string_view bytes) {
  if (result_ && !bytes.empty()) {
    return Breach("it went on after its result");
  }
  decoder_.Feed(bytes);
  std::string answers;
  std::string payload;
  while (true) {
    const bool whole = NACRE_TRY(decoder_.Next(&payload));
    if (!whole) {
      return answers;
    }
    const std::string answer = NACRE_TRY(OnFrame(payload));
    answers += answer;
  }
}

Result<std::string> ToolChannel::OnFrame(const std::string& payload) {
  if (result_) {
    return Breach("it went on after its result");
  }
  const Result<Json> parsed =
      ParseJson(payload, {.bytes_max = kToolFrameBytesMax, .depth_max = kFrameDepthMax});
  if (!parsed.ok()) {
    return WithContext("its frame", parsed.error());
  }
  const Json& frame = parsed.value();
  if (HasExactly(frame, {"result"})) {
    result_ = NACRE_TRY(ParseResult(frame["result"]));
    return std::string();
  }
  if (!HasExactly(frame, {"host", "arguments"})) {
    return Breach("its frame is neither a result nor a call of the host");
  }
  if (++host_calls_ > kHostCallsMax) {
    return Error{ErrorCode::kResourceExhausted,
                 "more than " + std::to_string(kHostCallsMax) + " calls of the host"};
  }
  const HostMethod* method = NACRE_TRY(FindHostMethod(frame, manifest_));
  Result<Json> value = services_.Call(method->name, frame["arguments"]);
  const Json answer = value.ok() ? Json{{"ok", true}, {"value", std::move(value).value()}}
                                 : Json{{"ok", false}, {"value", value.error().message}};
  return EncodeFrame(DumpJson(answer));
}

}  // namespace nacre::tools
