// One HTTP request with libcurl, cancellable, its answer handed over as it comes.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/net/tls_identity.h"

namespace nacre::net {

struct HttpRequest {
  std::string url;      // http or https
  std::string body;     // JSON; empty: GET
  std::string api_key;  // sent as a bearer token; empty: none
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds idle_timeout;
  TlsIdentity tls = {};
};

struct HttpAnswer {
  long status = 0;
  std::string content_type;
};

// Thread-safe. `on_body` gets the body's bytes; when it returns an error the exchange ends with it.
// Headers are complete in *answer by then. No redirect is followed, nothing is decompressed.
// kInvalidArgument (a key that would be more than a header's value), kCancelled, kDeadlineExceeded (idle), kUnavailable (no connection, TLS, broken transfer).
Status ExchangeHttp(const HttpRequest& request, const CancelToken& cancel, HttpAnswer* answer,
                    const std::function<Status(std::string_view)>& on_body);

struct HttpUrl {
  std::string text;  // normalized, without query and fragment
  bool secure = false;
  bool loopback = false;
};

// kInvalidArgument for anything but http(s)://host[:port][/path]: no user name, query or fragment. `what`
// as in "the engine's URL cannot be read".
Result<HttpUrl> ParseHttpUrl(const std::string& text, const std::string& what = "the URL");

}  // namespace nacre::net
