// Quarantine: what was withheld from the model in one session, by handle.
//
//   handle = quarantine.Keep(text, label)       "$r1", "$r2", ... in the order in which they were kept
//   PutInPlace(arguments, quarantine)           the text for the handle, where a call names it
//   WithheldText(...)                           what the model is told instead of the text
//
// A handle means something only where the model itself wrote it, as a whole text in the arguments of a call:
// one that stands in a file, a result or in the middle of a text is only what it looks like, and what was put
// in place is not looked at again. Handles are of one session: another session's "$r1" is another text.
//
// Values and pure functions. Thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "policy/label.h"
#include "policy/request.h"

namespace nacre::agent {

// Longer results are cut here, between characters; the model is told.
inline constexpr size_t kWithheldBytesMax = 128U << 10;
// Values that may be extracted from one text: each tells the model a little of what a stranger wrote.
inline constexpr int kExtractionsMax = 16;

class Quarantine final {
 public:
  struct Entry {
    std::string text;
    policy::Label label;
    int extractions = 0;
  };

  // The handle of the next text to be kept, and of those after it.
  std::string NextHandle(size_t after = 0) const;
  std::string Keep(std::string text, policy::Label label);
  // Null for a handle of no text of this session.
  const Entry* Find(std::string_view handle) const;
  // Of a handle that Find() knows.
  void CountExtraction(std::string_view handle);
  // A person says that it may be believed: its label becomes trusted, and stays as private as it was.
  void Endorse(std::string_view handle);

  size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;  // "$r1" is the first
};

// "$r1" to "$r999999": what may be a handle, of whichever session.
bool IsHandle(std::string_view text);

// At most kWithheldBytesMax of it.
std::string CutToWithhold(const std::string& text);

// Replaces each text of the arguments, at any depth, that is a handle. kNotFound for one of no text of this
// session, kResourceExhausted when the arguments would exceed `bytes_max`: clauses that the model may be told.
Result<std::vector<policy::WithheldArgument>> PutInPlace(Json& arguments,
                                                         const Quarantine& quarantine,
                                                         size_t bytes_max);

// "$r1", "$r1 and $r2": the handles of a call.
std::string ShownHandles(const std::vector<policy::WithheldArgument>& withheld);

// One result of which some fields are withheld: at most so many, else all of it is.
inline constexpr size_t kWithheldFieldsMax = 32;

// As the store has a result that was withheld in parts, beside the mark of it that is in the call's outcome.
Json WithheldFieldsMark(const policy::Label& shown, const policy::Label& withheld);
std::string WithheldFieldsText(const std::vector<std::string>& shown,
                               const std::vector<std::string>& withheld);

// What a call's row has of what was withheld.
struct StoredWithheld {
  std::vector<std::string> texts;  // each has a handle, in this order
  // Of one that was withheld in parts; else the labels are of no meaning.
  bool in_parts = false;
  std::vector<std::string> shown;
  policy::Label shown_label;
  policy::Label label;
};
StoredWithheld ReadStoredWithheld(const std::string& withheld, const std::string& outcome_json);

// What the model is told of a withheld result. Nothing in it was chosen by who wrote the result, but for its
// size and whether the tool says that it failed.
struct WithheldResult {
  std::string handle;
  std::string tool;
  std::string text;  // all of it, for its size
  policy::Label label;
  bool error = false;
  bool cut = false;
  bool extract = false;  // the two tools that are offered
  bool reveal = false;
};
std::string WithheldText(const WithheldResult& result);

// The same of one of which fields are shown. Their names and texts were vouched for.
struct ToldField {
  std::string name;
  std::string text;
  std::string handle;  // empty: it is shown
};
std::string FieldsText(const WithheldResult& result, const std::vector<ToldField>& fields);

}  // namespace nacre::agent
