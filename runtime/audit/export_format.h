// What other systems are given for a record: one line, in the form that they know. Whatever the record holds,
// the line has no byte that ends it, begins another field, or does something to a terminal: in all formats but
// kJsonl it is printable ASCII.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

namespace nacre::audit {

enum class ExportFormat {
  kJsonl = 0,  // the record's own bytes: the leaf hash can be computed from the line
  kOcsf,       // OCSF 1.8.0, a class per event: schema.ocsf.io
  kCef,        // ArcSight Common Event Format, version 0
  kSyslog,     // RFC 5424
  kOtlp,       // OpenTelemetry logs: an OTLP request in JSON, of one record
};

// Every event that nacre records: each has its class in OCSF.
std::vector<std::string_view> ExportedEvents();

std::optional<ExportFormat> ParseExportFormat(std::string_view name);

struct ExportSource {
  std::string log;      // the log's name, which is its key's
  std::string host;     // where it was exported
  std::string version;  // of nacre
};

struct ExportedRecord {
  uint64_t index = 0;
  std::string_view bytes;
  Sha256Digest leaf{};
};

// Without a newline. kDataLoss when the bytes are no record.
Result<std::string> FormatRecord(ExportFormat format, const ExportSource& source,
                                 const ExportedRecord& record);

}  // namespace nacre::audit
