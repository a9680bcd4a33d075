// Stored texts of labels, one a line, from hostile bytes: what is read is written again as the same label, and a text
// that says nothing is never clean.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "policy/given_context.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre::policy;
  std::vector<std::string> texts = {""};
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] == '\n') {
      texts.emplace_back();
    } else {
      texts.back() += static_cast<char>(bytes[i]);
    }
  }
  const Label all = LabelOfTexts(texts);
  Label joined = Label::Clean();
  for (const std::string& text : texts) {
    const Label label = LabelOfTexts({text});
    const bool says_clean = text == "integrity:trusted" || text == "confidentiality:public";
    if ((label == Label::Clean()) != says_clean || LabelOfTexts(LabelTexts(label)) != label) {
      std::abort();
    }
    joined = Join(joined, label);
  }
  if (joined != all) {
    std::abort();
  }
  return 0;
}
