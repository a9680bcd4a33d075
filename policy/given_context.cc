#include "policy/given_context.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "policy/internal/display.h"

namespace nacre::policy {
namespace {

constexpr std::string_view kIntegrity = "integrity:";
constexpr std::string_view kConfidentiality = "confidentiality:";
constexpr std::string_view kCategory = "category:";

// Joins what the word says into the label; false for one that is neither of the two lattices'.
bool JoinWord(const std::string& word, Label& label) {
  if (word == IntegrityName(Integrity::kUntrusted)) {
    label.integrity = Integrity::kUntrusted;
    return true;
  }
  for (size_t i = 0; i < kConfidentialities; ++i) {
    const auto level = static_cast<Confidentiality>(i);
    if (word == ConfidentialityName(level)) {
      label.confidentiality = std::max(label.confidentiality, level);
      return true;
    }
  }
  return word == IntegrityName(Integrity::kTrusted);
}

}  // namespace

FlowFacts GivenContext::Facts(std::vector<CallEffect> effects) const {
  return given ? FlowFacts{.effects = std::move(effects), .context = label, .arguments = origins}
               : FlowFacts();
}

Result<Label> ParseLabel(const std::string& text) {
  Label label = Label::Clean();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "expected words such as untrusted,secret,pii, with nothing but commas between"};
    }
    if (!JoinWord(word, label)) {
      label.categories.insert(word);
    }
  }
  return label;
}

Result<ArgumentOrigin> ParseRoleOrigin(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string role_name = text.substr(0, equals);
  const auto role = role_name == ArgumentRoleName(ArgumentRole::kLink)
                        ? std::optional(ArgumentRole::kLink)
                        : ParseArgumentRole(role_name);
  const auto origin =
      equals == std::string::npos ? std::nullopt : ParseOrigin(text.substr(equals + 1));
  if (!role.has_value() || !origin.has_value()) {
    return Error{
        ErrorCode::kInvalidArgument,
        "\"" + ShownText(text, 80) +
            "\": expected ROLE=ORIGIN, such as recipient=stranger: docs/information-flow.md"};
  }
  return ArgumentOrigin{role_name, *role, "(any)", *origin};
}

Result<GivenContext> ReadGivenContext(const std::string& label,
                                      const std::vector<std::string>& origins) {
  GivenContext context;
  context.given = !label.empty() || !origins.empty();
  if (!label.empty()) {
    context.label = NACRE_TRY(ParseLabel(label));
  }
  for (const std::string& origin : origins) {
    context.origins.push_back(NACRE_TRY(ParseRoleOrigin(origin)));
  }
  return context;
}

Label LabelOfTexts(const std::vector<std::string>& texts) {
  Label label = Label::Clean();
  for (const std::string& text : texts) {
    if (text.starts_with(kIntegrity)) {
      JoinWord(text.substr(kIntegrity.size()), label);
    } else if (text.starts_with(kConfidentiality)) {
      JoinWord(text.substr(kConfidentiality.size()), label);
    } else if (text.starts_with(kCategory)) {
      label.categories.insert(text.substr(kCategory.size()));
    }
  }
  return label;
}

}  // namespace nacre::policy
