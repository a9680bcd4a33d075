#include "runtime/net/webhook.h"

#include <string_view>
#include <utility>

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

// As it is asked, and as the errors of a request have it.
Result<std::string> UsableUrl(const std::string& url) {
  HttpUrl parsed = NACRE_TRY(ParseHttpUrl(url, "the webhook's URL"));
  if (!parsed.secure && !parsed.loopback) {
    return Error{ErrorCode::kInvalidArgument,
                 "a webhook on another machine is asked by https only"};
  }
  return std::move(parsed.text);
}

}  // namespace

Status CheckWebhookUrl(const std::string& url) {
  const auto usable = UsableUrl(url);
  return usable.ok() ? Ok() : Status(usable.error());
}

Status PostWebhook(const Webhook& webhook, const std::string& json,
                   std::chrono::milliseconds timeout, const CancelToken& cancel) {
  const std::string url = NACRE_TRY(UsableUrl(webhook.url));
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
