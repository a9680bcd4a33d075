#include "runtime/export/anchor_webhook.h"

#include <chrono>

#include "base/json.h"
#include "runtime/net/webhook.h"

namespace nacre::exporting {
namespace {

constexpr std::chrono::seconds kWebhookTimeout{10};

}  // namespace

Status CheckAnchorUrl(const std::string& url) {
  return net::CheckWebhookUrl(url);
}

Status SendAnchor(const std::string& url, const std::string& token,
                  const audit::AnchorReport& report, const CancelToken& cancel) {
  const OrderedJson body = {
      {"log", report.log}, {"records", report.records}, {"checkpoint", report.note}};
  const Status sent =
      net::PostWebhook({.url = url, .token = token}, DumpJson(body), kWebhookTimeout, cancel);
  return sent.ok() ? Ok() : Status(WithContext("the webhook did not take it", sent.error()));
}

}  // namespace nacre::exporting
