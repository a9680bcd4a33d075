// Base64 (RFC 4648, section 4), strict: each byte string has one text, each text at most one byte
// string, so that no character of a signed file can be changed without being noticed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nacre::audit {

std::string EncodeBase64(std::string_view bytes);

// Nothing for wrong length, foreign characters, missing padding or set bits after the last byte.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace nacre::audit
