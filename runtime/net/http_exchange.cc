#include "runtime/net/http_exchange.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "runtime/net/curl_handle.h"

namespace nacre::net {
namespace {

using Clock = std::chrono::steady_clock;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// What the body callback works on; lives for one exchange.
struct Transfer {
  CURL* easy;
  HttpAnswer* answer;
  const std::function<Status(std::string_view)>* on_body;
  Status failure;
  Clock::time_point last_byte;
};

void ReadHead(CURL* easy, HttpAnswer* answer) {
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
  const char* type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  answer->content_type = type == nullptr ? "" : type;
}

size_t OnBody(const char* bytes, size_t one, size_t count, void* data) {
  Transfer* transfer = static_cast<Transfer*>(data);
  transfer->last_byte = Clock::now();
  ReadHead(transfer->easy, transfer->answer);
  transfer->failure = (*transfer->on_body)({bytes, one * count});
  return transfer->failure.ok() ? count : 0;  // 0 makes libcurl end the transfer
}

std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
    return "";
  }
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool IsLoopback(const std::string& host) {
  in_addr address{};
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && ::inet_pton(AF_INET, host.c_str(), &address) == 1);
}

}  // namespace

Result<HttpUrl> ParseHttpUrl(const std::string& text, const std::string& what) {
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, what + " " + why + "; write http://HOST:PORT"};
  };
  const std::unique_ptr<CURLU, UrlDeleter> url(curl_url());
  if (url == nullptr || text.size() > 2000 ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return refuse("cannot be read");
  }
  const std::string scheme = UrlPart(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return refuse("is neither http nor https");
  }
  if (!UrlPart(url.get(), CURLUPART_USER).empty() ||
      !UrlPart(url.get(), CURLUPART_PASSWORD).empty()) {
    return refuse("must not hold a name or password: others could see them");
  }
  if (!UrlPart(url.get(), CURLUPART_QUERY).empty() ||
      !UrlPart(url.get(), CURLUPART_FRAGMENT).empty()) {
    return refuse("must not have a query or fragment");
  }
  std::string normalized = UrlPart(url.get(), CURLUPART_URL);
  normalized.erase(normalized.find_last_not_of('/') + 1);
  const std::string host = UrlPart(url.get(), CURLUPART_HOST);
  return HttpUrl{.text = normalized, .secure = scheme == "https", .loopback = IsLoopback(host)};
}

Status ExchangeHttp(const HttpRequest& request, const CancelToken& cancel, HttpAnswer* answer,
                    const std::function<Status(std::string_view)>& on_body) {
  InitializeCurl();
  const HttpUrl url = NACRE_TRY(ParseHttpUrl(request.url));
  // It would begin headers of its own.
  if (std::any_of(request.api_key.begin(), request.api_key.end(),
                  [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; })) {
    return Error{ErrorCode::kInvalidArgument, "the bearer token holds a control character"};
  }

  const std::unique_ptr<CURL, EasyDeleter> easy(curl_easy_init());
  const std::unique_ptr<CURLM, MultiDeleter> multi(curl_multi_init());
  NACRE_CHECK(easy != nullptr && multi != nullptr);
  std::unique_ptr<curl_slist, ListDeleter> headers;
  const auto add_header = [&](const std::string& header) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  };
  add_header("Accept: application/json, text/event-stream");
  add_header("Expect:");
  if (!request.api_key.empty()) {
    add_header("Authorization: Bearer " + request.api_key);
  }
  if (!request.body.empty()) {
    add_header("Content-Type: application/json");
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  Transfer transfer{easy.get(), answer, &on_body, {}, Clock::now()};
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.text.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &transfer);
  UseIdentity(easy.get(), request.tls);
  if (url.loopback) {
    curl_easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  }

  curl_multi_add_handle(multi.get(), easy.get());
  Status outcome;
  CURLcode code = CURLE_OK;
  for (int running = 1; running > 0;) {
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) {
      outcome = Error{ErrorCode::kInternal, "libcurl failed"};
      break;
    }
    if (running == 0) {
      int left = 0;
      if (const CURLMsg* message = curl_multi_info_read(multi.get(), &left); message != nullptr) {
        code = message->data.result;
      }
      break;
    }
    if (cancel.cancelled()) {
      outcome = Error{ErrorCode::kCancelled, "cancelled"};
      break;
    }
    const auto idle = Clock::now() - transfer.last_byte;
    if (idle > request.idle_timeout) {
      outcome = Error{ErrorCode::kDeadlineExceeded, "the server at " + url.text + " fell silent"};
      break;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(request.idle_timeout - idle);
    curl_waitfd waits{cancel.poll_fd(), CURL_WAIT_POLLIN, 0};
    const unsigned count = cancel.poll_fd() >= 0 ? 1 : 0;
    curl_multi_poll(multi.get(), &waits, count,
                    static_cast<int>(std::clamp<int64_t>(left.count() + 1, 1, 1000)), nullptr);
  }
  if (outcome.ok() && !transfer.failure.ok()) {
    outcome = transfer.failure;
  } else if (outcome.ok() && code != CURLE_OK) {
    outcome = Error{ErrorCode::kUnavailable,
                    "no answer from " + url.text + ": " + curl_easy_strerror(code)};
  }
  if (outcome.ok()) {
    ReadHead(easy.get(), answer);
  }
  curl_multi_remove_handle(multi.get(), easy.get());
  return outcome;
}

}  // namespace nacre::net
