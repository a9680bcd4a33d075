// A record as OpenTelemetry has it: an ExportLogsServiceRequest of one LogRecord, in OTLP's JSON.
// Source: opentelemetry-proto 1.x, logs/v1/logs.proto; the OTLP specification on its JSON encoding.
#pragma once

#include <string>

#include "base/json.h"
#include "runtime/audit/export_format.h"

namespace nacre::audit {

// Begins with {"resourceLogs":[ and ends with ]}: several become one request by what is between.
std::string OtlpLine(const ExportSource& source, const ExportedRecord& exported,
                     const Json& record);

}  // namespace nacre::audit
