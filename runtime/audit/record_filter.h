// RecordFilter: which records are asked for. What is empty asks for nothing; all that is asked must hold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "runtime/audit/record_terms.h"

namespace nacre::audit {

struct RecordFilter {
  // As records have it, "2026-11-26T12:00:00.000Z": it is compared as text. `since` is the first
  // instant, `until` the first no more.
  std::string since;
  std::string until;
  // Members of the record, exactly.
  std::string tenant;
  std::string session;
  std::string turn;
  std::string call;
  std::string rule;
  std::string event;
  std::string actor;
  std::string label;  // or its part after the colon: "untrusted" for "integrity:untrusted"
  // Members of its data, exactly.
  std::string tool;  // also of the subject of an approval
  // `verdict`: allow, deny, ask; or how a person answered: approved, refused.
  std::string decision;
  // Some string in its data, or in a call's arguments there, is this path or one below it. What calls see as
  // /workspace/a is a here.
  std::string path;
  // Some string in its data has this host, or one below it, as a word, a part of a URL or of an address, whatever its
  // case: example.com is in "https://api.example.com:8443/x", and not in "example.com.evil.test".
  std::string host;
  // Each word of this text is in some string of its data, whatever its case.
  std::string text;
};

bool Matches(const RecordFilter& filter, const Json& record);

// A bundle with a matching record has all of these terms ...
std::vector<Term> TermsOf(const RecordFilter& filter);
// ... and the record itself has all of these bytes.
std::vector<std::string> NeedlesOf(const RecordFilter& filter);

// What people write for an instant, as records have it: "2026-11-26", "2026-11-26T12:30", with seconds, with
// milliseconds and with or without Z, always UTC, of a day that there is; or how long before `now`: "90s", "15m", "2h", "7d".
// kInvalidArgument for anything else, and for longer ago than 36,500 days.
Result<std::string> ParseInstant(std::string_view text, WallTime now);

// kInvalidArgument when the filter can find nothing by mistake: a time that ends before it begins, or a label that none
// is.
Status CheckSpan(const RecordFilter& filter);
Status CheckLabel(std::string_view label);

// The path as it is compared: without "/workspace/" or "./" before it, and "/" after it.
std::string_view ComparedPath(std::string_view path);

}  // namespace nacre::audit
