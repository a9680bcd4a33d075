// Cosignatures: a witness, which is another nacre, says that it has seen a checkpoint and that the log had not
// been another one before. The form is C2SP's (c2sp.org/tlog-cosignature, cosignature/v1): one more line under
// the note, by a key of its own kind, over a time and the note's text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/audit/note_key.h"

namespace nacre::audit {

// The public line of a witness: NAME+HHHHHHHH+BASE64(0x04 || public key), with a newline.
std::string CosignerLine(const VerifyingKey& witness);

// The note with one more line. kInvalidArgument for what is no note.
Result<std::string> Cosign(std::string_view note, const SigningKey& witness, WallTime now);

// When the witness of this line signed the note, in seconds since 1970. kDataLoss when it did not, or wrongly.
Result<uint64_t> CosignedAt(std::string_view note, std::string_view cosigner_line);

// The notes of a file, one after another, each followed by an empty line or the end. kDataLoss for any other text.
Result<std::vector<std::string>> SplitNotes(std::string_view text);
// The note with the lines that are signatures under `name` only.
std::string WithSignatureOf(std::string_view note, std::string_view name);

}  // namespace nacre::audit
