// Redaction: a content as it may be kept for people who audit what was done, without the secrets in it. What is no secret
// stays as it is, and so does the structure.
//
// It finds what has a known form (keys and tokens of well-known services, private keys) or a telling name (`password`,
// `api_key`, `authorization`, ...). No pattern knows every secret: where the labels say that a content is confidential,
// nothing of it is kept; where nothing may be kept at all, the policy says `digest`.
//
// Each secret becomes "[redacted KIND, N bytes, ID]": KIND is `confidential`, `named`, `private-key`, `authorization` or
// `token`. ID are 16 hexadecimal digits, the same for equal secrets while the process runs; afterwards nobody can compute
// them again, so that a short secret cannot be guessed by its ID.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"

namespace nacre::audit {

struct Redacted {
  std::string content;
  size_t marks = 0;  // in it
};

// Of a text, be it JSON or not. With `confidential` all of it is one mark. Takes time in proportion to its length.
Redacted RedactText(std::string_view text, bool confidential);

// Of a call's arguments, whose own names are those that the tool's manifest gives: each text in them, and with
// `confidential` or below a telling name each value; names deeper in them as texts. Compact JSON.
Redacted RedactArguments(const Json& arguments, bool confidential);

}  // namespace nacre::audit
