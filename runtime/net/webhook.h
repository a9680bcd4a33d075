// One message to a webhook.
#pragma once

#include <chrono>
#include <string>

#include "base/cancel_token.h"
#include "base/result.h"

namespace nacre::net {

struct Webhook {
  std::string url;
  std::string token = {};  // sent as a bearer token; empty: none
};

// kInvalidArgument for what ParseHttpUrl() refuses, and for http to another machine.
Status CheckWebhookUrl(const std::string& url);

// `json` is the body of a POST, which must be answered 2xx within `timeout`. One try. Many services put a secret
// into the path of the URL: no error has it. kCancelled, kDeadlineExceeded, kUnavailable, kResourceExhausted
// (an answer of more than 64 KiB).
Status PostWebhook(const Webhook& webhook, const std::string& json,
                   std::chrono::milliseconds timeout, const CancelToken& cancel);

}  // namespace nacre::net
