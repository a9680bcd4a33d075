// Extraction: one value of a bounded type, found by an engine in a text that nobody vouches for.
//
// The engine reads a stranger's words here and may obey them. What it can do by that is choose the value:
// it has no tools, sees no conversation, and what it says is believed only where ReadAnswer() finds exactly
// one value of the type in it. So a value is wrong at worst; it never holds a sentence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel_token.h"
#include "base/json.h"
#include "base/result.h"
#include "runtime/inference/engine.h"

namespace nacre::agent {

// What is asked, as the arguments of data.extract say it.
struct Extraction {
  enum class Type { kBoolean = 0, kInteger, kNumber, kOneOf, kDate };

  Type type = Type::kBoolean;
  std::string type_name;  // "date"
  std::string question;
  int64_t minimum = 0;  // kInteger, kNumber
  int64_t maximum = 0;
  std::vector<std::string> choices;  // kOneOf
  int64_t items_max = 0;             // a list of at most so many; 0: one value
};

// Of arguments that the tool's schema lets be. kInvalidArgument says what does not fit together, for the model.
Result<Extraction> ReadExtraction(const Json& arguments);

// JSON Schema of {"answer": a value, a list of values, or null: the text does not say}.
OrderedJson AnswerSchema(const Extraction& extraction);

// What an engine said, as a text that holds nothing but the value: "true", "-12", "3.5", a choice as it was
// given, "2026-12-24", "[1, 2]", "none". kInvalidArgument for everything else; its message quotes nothing.
Result<std::string> ReadAnswer(const Extraction& extraction, std::string_view reply);

struct Extracted {
  Result<std::string> value;  // else a clause for the model, which quotes nothing
  std::string problem = {};   // of the engine, for the record
  inference::TokenUse tokens = {};
};

// What the engine is to be shown, and how much it may say.
inference::GenerateRequest AskFor(const Extraction& extraction, const std::string& text);

// The tokens of its prompt, before an engine has counted them: four bytes of a text that is mostly letters are taken
// for one, two of any other.
uint32_t EstimatedPrompt(const inference::GenerateRequest& request);

// Whether so many tokens may be enough for it; then it is made to use no more for its answer.
bool FitTokens(inference::GenerateRequest& request, uint64_t tokens_left);

// Blocks, at most kExtractionWait and until `cancel` fires. Shows what the engine says to nobody. An engine that was
// stopped, or lost, is taken to have read the whole prompt.
Extracted Extract(inference::Engine& engine, const Extraction& extraction,
                  const inference::GenerateRequest& request, const CancelToken& cancel);

}  // namespace nacre::agent
