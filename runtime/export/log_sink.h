// LogSink: where exported records go over the network. It takes the lines that audit::ExportLog hands out
// and answers ok once the other side has taken them, so that the cursor may move.
//
//   syslog+tls://HOST[:PORT]   RFC 5425: syslog over TLS, each line after its length; port 6514
//   https://HOST[:PORT]/PATH   OTLP/HTTP in JSON: the logs endpoint of an OpenTelemetry collector.
//                              http:// only on this machine
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/audit/export_format.h"
#include "runtime/net/tls_identity.h"

namespace nacre::exporting {

struct LogSinkOptions {
  std::string url;
  net::TlsIdentity identity = {};
  std::string token;  // of OTLP, sent as a bearer token; empty: none
  std::chrono::milliseconds timeout{30'000};
};

// Thread-compatible.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // Whole lines. What was not taken is kUnavailable, kDeadlineExceeded or kCancelled, and may be tried
  // again: some of it may have arrived. kInvalidArgument: the server says that it never will.
  virtual Status Take(std::string_view lines, const CancelToken& cancel) = 0;
};

// Connects when lines come, and again after an error. kInvalidArgument: no such URL, or not for this format.
Result<std::unique_ptr<LogSink>> MakeLogSink(const LogSinkOptions& options,
                                             audit::ExportFormat format);

// For the tests: RFC 5425 frames, and one OTLP request of lines that are one each.
std::string FrameSyslog(std::string_view lines);
std::string JoinOtlp(std::string_view lines);

}  // namespace nacre::exporting
