#include "runtime/inference/openai_engine.h"

#include "base/json.h"
#include "runtime/inference/openai_stream.h"
#include "runtime/inference/worker_protocol.h"
#include "runtime/net/http_exchange.h"

namespace nacre::inference {
namespace {

constexpr size_t kBodyBytesMax = 1 << 20;  // of an answer that is not a stream of events
constexpr size_t kMessageBytesMax = 300;

ErrorCode CodeOfStatus(long status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 413:
    case 429:
      return ErrorCode::kResourceExhausted;
    default:
      return status >= 400 && status < 500 ? ErrorCode::kInvalidArgument : ErrorCode::kUnavailable;
  }
}

Error HttpError(long status, const std::string& body) {
  std::string message = "the engine's server answered HTTP " + std::to_string(status);
  if (const Result<Json> json = ParseJson(body); json.ok()) {
    const Json* error = FindMember(json.value(), "error");
    const std::string text = error == nullptr     ? StringMember(json.value(), "message")
                             : error->is_string() ? error->get<std::string>()
                                                  : StringMember(*error, "message");
    message += text.empty() ? "" : ": " + Printable(text, kMessageBytesMax);
  }
  if (status == 401 || status == 403) {
    message += " (is NACRE_ENGINE_API_KEY set?)";
  } else if (status >= 300 && status < 400) {
    message += " (redirects are not followed: give the final URL)";
  }
  return {CodeOfStatus(status), message};
}

Status Append(std::string_view bytes, std::string* body) {
  if (body->size() + bytes.size() > kBodyBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "the server's answer is too large"};
  }
  body->append(bytes);
  return Ok();
}

}  // namespace

Result<std::string> OpenAiBaseUrl(const std::string& url) {
  const net::HttpUrl parsed = NACRE_TRY(net::ParseHttpUrl(url, "the engine's URL"));
  std::string base = parsed.text;
  for (const char* tail : {"/chat/completions", "/v1"}) {
    if (base.ends_with(tail)) {
      base.resize(base.size() - std::string_view(tail).size());
    }
  }
  return base + "/v1";
}

Result<std::unique_ptr<OpenAiEngine>> OpenAiEngine::Create(Options options) {
  std::string base_url = NACRE_TRY(OpenAiBaseUrl(options.url));
  const net::HttpUrl parsed = NACRE_TRY(net::ParseHttpUrl(base_url, "the engine's URL"));
  if (!options.api_key.empty() && !parsed.secure && !parsed.loopback) {
    return Error{ErrorCode::kInvalidArgument,
                 "NACRE_ENGINE_API_KEY is not sent over plain http to another machine: use https"};
  }
  if (options.api_key.find_first_of("\r\n") != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "NACRE_ENGINE_API_KEY holds a line break"};
  }
  std::unique_ptr<OpenAiEngine> engine(new OpenAiEngine(std::move(options), std::move(base_url)));
  if (engine->options_.model.empty()) {
    NACRE_TRY(engine->FindModel());
  }
  return engine;
}

Status OpenAiEngine::FindModel() {
  std::string body;
  net::HttpAnswer answer;
  NACRE_TRY(net::ExchangeHttp({.url = base_url_ + "/models",
                               .body = "",
                               .api_key = options_.api_key,
                               .connect_timeout = options_.connect_timeout,
                               .idle_timeout = options_.idle_timeout},
                              CancelToken(), &answer,
                              [&](std::string_view bytes) { return Append(bytes, &body); }));
  if (answer.status != 200) {
    return HttpError(answer.status, body);
  }
  const Result<Json> json = ParseJson(body);
  const Json* list = json.ok() ? FindMember(json.value(), "data") : nullptr;
  if (list != nullptr && list->is_array() && !list->empty()) {
    options_.model = StringMember(list->front(), "id").substr(0, 200);
  }
  if (options_.model.empty()) {
    return Error{ErrorCode::kNotFound,
                 "the server at " + base_url_ + " lists no model: name one with --model"};
  }
  return Ok();
}

EngineInfo OpenAiEngine::Info() const {
  return {.name = base_url_,
          .model = Printable(options_.model, 200),
          .credential = options_.api_key.empty() ? "" : kApiKeyVariable};
}

uint64_t OpenAiEngine::BytesOut(const GenerateRequest& request) const {
  return OpenAiRequestBody(request, options_.model, ToolNames(request.tools)).size();
}

Result<ModelReply> OpenAiEngine::Generate(const GenerateRequest& request, TokenSink& sink,
                                          const CancelToken& cancel) {
  const ToolNames names(request.tools);
  OpenAiStream stream;
  std::string body;
  net::HttpAnswer answer;
  const auto on_body = [&](std::string_view bytes) -> Status {
    if (answer.status != 200 || !answer.content_type.starts_with("text/event-stream")) {
      return Append(bytes, &body);
    }
    const std::string text = NACRE_TRY(stream.FeedEvents(bytes));
    if (!text.empty()) {
      sink.OnText(text);
    }
    return Ok();
  };
  NACRE_TRY(net::ExchangeHttp({.url = base_url_ + "/chat/completions",
                               .body = OpenAiRequestBody(request, options_.model, names),
                               .api_key = options_.api_key,
                               .connect_timeout = options_.connect_timeout,
                               .idle_timeout = options_.idle_timeout},
                              cancel, &answer, on_body));
  if (answer.status != 200) {
    return HttpError(answer.status, body);
  }
  if (!body.empty()) {
    const std::string text = NACRE_TRY(stream.FeedWhole(body));
    if (!text.empty()) {
      sink.OnText(text);
    }
  }
  Result<ModelReply> reply = stream.Finish();
  auto* call = reply.ok() ? std::get_if<EmittedCall>(&reply.value().content) : nullptr;
  if (call != nullptr) {
    call->name = names.FromServer(call->name);
  }
  return reply;
}

}  // namespace nacre::inference
