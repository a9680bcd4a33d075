// The newest checkpoint of a log, for somebody else to keep: {"log": NAME, "records": N, "checkpoint": NOTE}.
#pragma once

#include <string>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/audit/log_anchor.h"

namespace nacre::exporting {

// kInvalidArgument for anything but https, or http to this machine.
Status CheckAnchorUrl(const std::string& url);

// Of a report that verified. One try of 10 s; ok when it was answered 2xx. `token` is sent as a bearer token, unless
// empty. The URL is in no error.
Status SendAnchor(const std::string& url, const std::string& token,
                  const audit::AnchorReport& report, const CancelToken& cancel);

}  // namespace nacre::exporting
