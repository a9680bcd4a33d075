// Terms: what an index knows a record by. A term is a hash of a string of the record, or of one word in it.
// They find candidates only: two texts may have the same term, and who asks looks at the record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::audit {

// 40 bits, never 0.
using Term = uint64_t;

// The case of ASCII letters makes no difference.
Term TermOf(std::string_view text);

// Longer strings have no term of their own, only their words have.
constexpr size_t kTermBytesMax = 1024;

// Runs of ASCII letters, digits, '_' and characters beyond ASCII, in lower case.
std::vector<std::string> WordsOf(std::string_view text);
// The words by which a string of a record is found: those, and because it may be JSON itself, also what is left
// of one when "\n" or "\u001b" before it are an escape.
std::vector<std::string> WordsIn(std::string_view text);

// Stands for the text of all members `ciphertext`: such a record may have any words.
Term SealedTerm();

// Adds the terms of all strings that are values in `record`, but for those of its keys `id`, `previous`,
// `time` and `trace`, and of keys `ciphertext` anywhere. False when it is not in the form that EncodeRecord writes: then some may be lacking.
bool AddTerms(std::string_view record, std::vector<Term>* terms);

}  // namespace nacre::audit
