#include "policy/label.h"

#include <algorithm>

namespace nacre::policy {

const char* IntegrityName(Integrity integrity) {
  return integrity == Integrity::kTrusted ? "trusted" : "untrusted";
}

const char* ConfidentialityName(Confidentiality confidentiality) {
  switch (confidentiality) {
    case Confidentiality::kPublic:
      return "public";
    case Confidentiality::kInternal:
      return "internal";
    case Confidentiality::kConfidential:
      return "confidential";
    case Confidentiality::kSecret:
      return "secret";
  }
  return "secret";
}

Label Join(const Label& a, const Label& b) {
  Label joined = {.integrity = std::min(a.integrity, b.integrity),
                  .confidentiality = std::max(a.confidentiality, b.confidentiality),
                  .categories = a.categories};
  joined.categories.insert(b.categories.begin(), b.categories.end());
  return joined;
}

bool Covers(const Label& high, const Label& low) {
  return Join(high, low) == high;
}

std::vector<std::string> LabelTexts(const Label& label) {
  std::vector<std::string> texts;
  for (const std::string& category : label.categories) {
    texts.push_back("category:" + category);
  }
  if (label.confidentiality != Confidentiality::kPublic) {
    texts.push_back(std::string("confidentiality:") + ConfidentialityName(label.confidentiality));
  }
  if (label.integrity != Integrity::kTrusted) {
    texts.push_back(std::string("integrity:") + IntegrityName(label.integrity));
  }
  return texts;
}

std::string ShownLabel(const Label& label) {
  std::vector<std::string> words;
  if (label.integrity != Integrity::kTrusted) {
    words.emplace_back(IntegrityName(label.integrity));
  }
  if (label.confidentiality != Confidentiality::kPublic) {
    words.emplace_back(ConfidentialityName(label.confidentiality));
  }
  words.insert(words.end(), label.categories.begin(), label.categories.end());
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

}  // namespace nacre::policy
