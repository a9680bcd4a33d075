#include "runtime/net/webhook.h"

#include <string_view>

#include "runtime/net/http_exchange.h"

namespace nacre::net {
namespace {

constexpr size_t kAnswerBytesMax = 64U << 10;

Error WithoutUrl(const Error& error, const std::string& url) {
  std::string message = error.message;
  for (size_t at = message.find(url); at != std::string::npos; at = message.find(url)) {
    message.replace(at, url.size(), "the webhook");
  }
  return {error.code, message};
}

}  // namespace

Status CheckWebhookUrl(const std::string& url) {
  const HttpUrl parsed = NACRE_TRY(ParseHttpUrl(url, "the webhook's URL"));
  return parsed.secure || parsed.loopback
             ? Ok()
             : Status(Error{ErrorCode::kInvalidArgument,
                            "a webhook on another machine is asked by https only"});
}

Status PostWebhook(const Webhook& webhook, const std::string& json,
                   std::chrono::milliseconds timeout, const CancelToken& cancel) {
  NACRE_TRY(CheckWebhookUrl(webhook.url));
  // As errors have it.
  const std::string url = NACRE_TRY(ParseHttpUrl(webhook.url)).text;
  HttpAnswer answer;
  size_t bytes = 0;
  const auto end = std::chrono::steady_clock::now() + timeout;
  const Status exchanged =
      ExchangeHttp({.url = url,
                    .body = json,
                    .api_key = webhook.token,
                    .connect_timeout = timeout,
                    .idle_timeout = timeout},
                   cancel, &answer, [&](std::string_view part) -> Status {
                     bytes += part.size();
                     if (bytes > kAnswerBytesMax || std::chrono::steady_clock::now() > end) {
                       return Error{ErrorCode::kResourceExhausted, "its answer does not end"};
                     }
                     return Ok();
                   });
  if (!exchanged.ok()) {
    return WithoutUrl(exchanged.error(), url);
  }
  if (answer.status < 200 || answer.status > 299) {
    return Error{ErrorCode::kUnavailable, "status " + std::to_string(answer.status)};
  }
  return Ok();
}

}  // namespace nacre::net
