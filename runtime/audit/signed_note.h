// A text with one signature under it: the C2SP signed note (c2sp.org/signed-note) that checkpoints of
// the log and reports of `nacre selftest` are.
//
//   TEXT                 lines, each with its newline; it may have empty lines
//                        (empty)
//   — NAME BASE64        the signature over TEXT, before it the key id
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/audit/note_key.h"

namespace nacre::audit {

// What a signature line begins with: U+2014 and a space.
inline constexpr std::string_view kSignatureMark = "\xe2\x80\x94 ";

// kInvalidArgument for a text that is empty or whose last line has no newline.
Result<std::string> SignNote(std::string_view text, const SigningKey& key);

// The text of a note that `key` signed, and that holds no other signature. kDataLoss with the reason
// otherwise. No byte of `note` can be changed without that.
Result<std::string> OpenNote(std::string_view note, const VerifyingKey& key);

}  // namespace nacre::audit
