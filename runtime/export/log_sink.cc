#include "runtime/export/log_sink.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json.h"
#include "runtime/net/http_exchange.h"
#include "runtime/net/tls_stream.h"

namespace nacre::exporting {
namespace {

constexpr std::string_view kSyslogScheme = "syslog+tls://";
constexpr uint16_t kSyslogTlsPort = 6514;  // RFC 5425, section 4.1
constexpr size_t kHostBytesMax = 255;
constexpr size_t kAnswerBytesMax = 64U << 10;
// A line of OTLP is a whole request of one record; what is between these is its part of a larger one.
constexpr std::string_view kOtlpBegin = R"({"resourceLogs":[)";
constexpr std::string_view kOtlpEnd = "]}";

template <typename Act>
void ForEachLine(std::string_view lines, const Act& act) {
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    act(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

class SyslogSink final : public LogSink {
 public:
  SyslogSink(net::TlsServer server, std::chrono::milliseconds timeout)
      : server_(std::move(server)), timeout_(timeout) {}

  Status Take(std::string_view lines, const CancelToken& cancel) override {
    if (stream_ == nullptr) {
      stream_ = NACRE_TRY(net::TlsStream::Connect(server_));
    }
    Status sent = stream_->Send(FrameSyslog(lines), timeout_, cancel);
    if (!sent.ok()) {
      stream_.reset();
    }
    return sent;
  }

 private:
  const net::TlsServer server_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<net::TlsStream> stream_;
};

class OtlpSink final : public LogSink {
 public:
  explicit OtlpSink(LogSinkOptions options) : options_(std::move(options)) {}

  Status Take(std::string_view lines, const CancelToken& cancel) override {
    net::HttpAnswer answer;
    std::string body;
    NACRE_TRY(net::ExchangeHttp(
        {.url = options_.url,
         .body = JoinOtlp(lines),
         .api_key = options_.token,
         .connect_timeout = options_.timeout,
         .idle_timeout = options_.timeout,
         .tls = options_.identity},
        cancel, &answer, [&](std::string_view part) -> Status {
          body += part;
          if (body.size() > kAnswerBytesMax) {
            return Error{ErrorCode::kUnavailable, "the collector's answer does not end"};
          }
          return Ok();
        }));
    return Judge(answer.status, body);
  }

 private:
  // OTLP/HTTP: 429, 502, 503 and 504 may be tried again, other errors may not; a request may be taken in
  // part (opentelemetry.io/docs/specs/otlp).
  Status Judge(long status, const std::string& body) const {
    const std::string what = options_.url + ": status " + std::to_string(status);
    if (status == 429 || status == 502 || status == 503 || status == 504) {
      return Error{ErrorCode::kUnavailable, what};
    }
    if (status < 200 || status > 299) {
      return Error{ErrorCode::kInvalidArgument, what + ": it will not take these records"};
    }
    const Result<Json> answer = ParseJson(body, {.bytes_max = kAnswerBytesMax, .depth_max = 8});
    const Json* partial = answer.ok() ? FindMember(answer.value(), "partialSuccess") : nullptr;
    const Json* rejected =
        partial == nullptr ? nullptr : FindMember(*partial, "rejectedLogRecords");
    // A 64-bit integer, so a text in OTLP's JSON.
    const bool some = rejected != nullptr && *rejected != 0 && *rejected != "0";
    return some ? Status(Error{ErrorCode::kInvalidArgument,
                               options_.url + ": it rejected some of these records"})
                : Ok();
  }

  const LogSinkOptions options_;
};

Result<net::TlsServer> ParseSyslogUrl(const LogSinkOptions& options) {
  const Error wrong{ErrorCode::kInvalidArgument,
                    "expected syslog+tls://HOST or syslog+tls://HOST:PORT, with an IPv6 address in "
                    "brackets"};
  const std::string rest = options.url.substr(kSyslogScheme.size());
  const size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string::npos) {
    return wrong;
  }
  const size_t colon = rest.find(':', bracket);
  net::TlsServer server{.host = rest.substr(0, colon),
                        .port = kSyslogTlsPort,
                        .identity = options.identity,
                        .connect_timeout = options.timeout};
  const bool plain = std::all_of(server.host.begin(), server.host.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || (bracket > 0 && (c == '[' || c == ']' || c == ':'));
  });
  if (server.host.empty() || server.host.size() > kHostBytesMax || !plain) {
    return wrong;
  }
  if (colon != std::string::npos) {
    const char* begin = rest.data() + colon + 1;
    const char* end = rest.data() + rest.size();
    const auto [read, error] = std::from_chars(begin, end, server.port);
    if (error != std::errc() || read != end || server.port == 0) {
      return wrong;
    }
  }
  return server;
}

}  // namespace

std::string FrameSyslog(std::string_view lines) {
  std::string frames;
  ForEachLine(lines, [&](std::string_view line) {
    frames += std::to_string(line.size()) + " ";
    frames += line;
  });
  return frames;
}

std::string JoinOtlp(std::string_view lines) {
  std::string request(kOtlpBegin);
  ForEachLine(lines, [&](std::string_view line) {
    NACRE_CHECK(line.starts_with(kOtlpBegin) && line.ends_with(kOtlpEnd));
    line.remove_prefix(kOtlpBegin.size());
    line.remove_suffix(kOtlpEnd.size());
    request += request.size() > kOtlpBegin.size() ? "," : "";
    request += line;
  });
  return request += kOtlpEnd;
}

Result<std::unique_ptr<LogSink>> MakeLogSink(const LogSinkOptions& options,
                                             audit::ExportFormat format) {
  if (options.url.starts_with(kSyslogScheme)) {
    if (format != audit::ExportFormat::kSyslog) {
      return Error{ErrorCode::kInvalidArgument, "syslog+tls:// takes --format syslog"};
    }
    return std::unique_ptr<LogSink>(
        new SyslogSink(NACRE_TRY(ParseSyslogUrl(options)), options.timeout));
  }
  if (format != audit::ExportFormat::kOtlp) {
    return Error{ErrorCode::kInvalidArgument,
                 "records go to syslog+tls://HOST with --format syslog, or to https://HOST/v1/logs "
                 "with --format otlp"};
  }
  const net::HttpUrl url = NACRE_TRY(net::ParseHttpUrl(options.url, "the collector's URL"));
  if (!url.secure && !url.loopback) {
    return Error{
        ErrorCode::kInvalidArgument,
        "the collector's URL must be https: records must not cross the network in the clear"};
  }
  LogSinkOptions normalized = options;
  normalized.url = url.text;
  return std::unique_ptr<LogSink>(new OtlpSink(std::move(normalized)));
}

}  // namespace nacre::exporting
