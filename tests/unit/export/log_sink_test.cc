#include "runtime/export/log_sink.h"

#include <catch2/catch.hpp>

#include "base/json.h"

namespace nacre::exporting {
namespace {

using audit::ExportFormat;

Error Refused(const std::string& url, ExportFormat format) {
  LogSinkOptions options;
  options.url = url;
  const auto sink = MakeLogSink(options, format);
  INFO(url);
  REQUIRE_FALSE(sink.ok());
  CHECK(sink.error().code == ErrorCode::kInvalidArgument);
  return sink.error();
}

TEST_CASE("a syslog message stands after its length") {
  CHECK(FrameSyslog("<110>1 a\n<110>1 bc\n") == "8 <110>1 a9 <110>1 bc");
  CHECK(FrameSyslog("").empty());
}

TEST_CASE("lines of OTLP become one request") {
  const std::string joined =
      JoinOtlp("{\"resourceLogs\":[{\"a\":1}]}\n{\"resourceLogs\":[{\"b\":\"]}\"}]}\n");
  const auto request = ParseJson(joined);
  REQUIRE(request.ok());
  CHECK(request.value() == Json{{"resourceLogs", {{{"a", 1}}, {{"b", "]}"}}}}});
  CHECK(JoinOtlp("") == R"({"resourceLogs":[]})");
}

TEST_CASE("records go to a server that can be named, over TLS, in its own format") {
  const auto made = [](const std::string& url, ExportFormat format) {
    LogSinkOptions options;
    options.url = url;
    return MakeLogSink(options, format).ok();
  };
  CHECK(made("syslog+tls://logs.example.org", ExportFormat::kSyslog));
  CHECK(made("syslog+tls://10.0.0.1:601", ExportFormat::kSyslog));
  CHECK(made("syslog+tls://[2001:db8::1]:6514", ExportFormat::kSyslog));
  CHECK(made("https://collector.example.org/v1/logs", ExportFormat::kOtlp));
  CHECK(made("http://127.0.0.1:4318/v1/logs", ExportFormat::kOtlp));

  for (const char* url : {"syslog+tls://", "syslog+tls://a b", "syslog+tls://user@host",
                          "syslog+tls://host/path", "syslog+tls://host:", "syslog+tls://host:0",
                          "syslog+tls://host:65536", "syslog+tls://host:1x", "syslog+tls://[::1",
                          "syslog+tls://a:b:1", "syslog+tls://host\r\n"}) {
    Refused(url, ExportFormat::kSyslog);
  }
  CHECK(Refused("http://collector.example.org/v1/logs", ExportFormat::kOtlp)
            .message.find("must be https") != std::string::npos);
  CHECK(Refused("https://me:secret@collector.example.org/", ExportFormat::kOtlp)
            .message.find("secret") == std::string::npos);
  Refused("syslog+tls://logs.example.org", ExportFormat::kJsonl);
  Refused("https://collector.example.org/v1/logs", ExportFormat::kSyslog);
  Refused("ftp://collector.example.org/", ExportFormat::kOtlp);
}

}  // namespace
}  // namespace nacre::exporting
