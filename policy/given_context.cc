#include "policy/given_context.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "policy/internal/call_origins.h"
#include "policy/internal/data_reader.h"
#include "policy/internal/display.h"
#include "policy/internal/problems.h"

namespace nacre::policy {
namespace {

constexpr std::string_view kIntegrity = "integrity:";
constexpr std::string_view kConfidentiality = "confidentiality:";
constexpr std::string_view kCategory = "category:";

// Joins what the word says into the label; false for one that is not of the lattice.
bool JoinIntegrity(const std::string& word, Label& label) {
  if (word == IntegrityName(Integrity::kUntrusted)) {
    label.integrity = Integrity::kUntrusted;
    return true;
  }
  return word == IntegrityName(Integrity::kTrusted);
}

bool JoinConfidentiality(const std::string& word, Label& label) {
  for (size_t i = 0; i < kConfidentialities; ++i) {
    const auto level = static_cast<Confidentiality>(i);
    if (word == ConfidentialityName(level)) {
      label.confidentiality = std::max(label.confidentiality, level);
      return true;
    }
  }
  return false;
}

// The same of one of LabelTexts().
bool JoinText(const std::string& text, Label& label) {
  if (text.starts_with(kIntegrity)) {
    return JoinIntegrity(text.substr(kIntegrity.size()), label);
  }
  if (text.starts_with(kConfidentiality)) {
    return JoinConfidentiality(text.substr(kConfidentiality.size()), label);
  }
  if (!text.starts_with(kCategory) || !IsCategory(text.substr(kCategory.size()))) {
    return false;
  }
  label.categories.insert(text.substr(kCategory.size()));
  return true;
}

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? std::string()
                                    : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

FlowFacts GivenContext::Facts(const DataRules& rules, const ToolTraits& tool,
                              const Request& call) const {
  if (!given) {
    return {};
  }
  FlowFacts facts{.effects = tool.effects, .context = label, .arguments = {}};
  // Each once: of several values that somebody named, a flow needs one.
  std::set<std::pair<ArgumentRole, Origin>> known;
  CallOrigins found(label.integrity == Integrity::kTrusted && !rules.quarantine.present, facts);
  for (const auto& [name, value] : call.arguments.items()) {
    found.Look(name, tool.RoleOf(name), value, [&](ArgumentRole role, const std::string& /*text*/) {
      std::vector<Origin> said;
      for (const ArgumentOrigin& origin : origins) {
        if (origin.role == role && known.emplace(role, origin.origin).second) {
          said.push_back(origin.origin);
        }
      }
      return said;
    });
  }
  found.Finish(tool);
  return facts;
}

GivenContext NamedByAnyone(Label label) {
  GivenContext context{.given = true, .label = std::move(label), .origins = {}};
  for (size_t role = 0; role < kArgumentRoles; ++role) {
    for (size_t origin = 0; origin < kOrigins; ++origin) {
      context.origins.push_back(
          {"", static_cast<ArgumentRole>(role), "", static_cast<Origin>(origin)});
    }
  }
  return context;
}

Result<Label> ParseLabel(const std::string& text) {
  Label label = Label::Clean();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = Trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (word.empty()) {
      return Error{ErrorCode::kInvalidArgument,
                   "expected words such as untrusted,secret,pii, with nothing but commas between"};
    }
    if (JoinIntegrity(word, label) || JoinConfidentiality(word, label)) {
      continue;
    }
    if (!IsCategory(word)) {
      return Error{ErrorCode::kInvalidArgument, "\"" + ShownText(word, 80) + "\": " + kCategoryIs};
    }
    label.categories.insert(word);
  }
  return label;
}

Result<ArgumentOrigin> ParseRoleOrigin(const std::string& text) {
  const size_t equals = text.find('=');
  const std::string role_name = text.substr(0, equals);
  const auto role = role_name == ArgumentRoleName(ArgumentRole::kLink)
                        ? std::optional(ArgumentRole::kLink)
                        : ParseArgumentRole(role_name);
  if (role == ArgumentRole::kOption) {
    return Error{ErrorCode::kInvalidArgument,
                 "\"" + ShownText(text, 80) + "\": of an option nobody asks who named it"};
  }
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

Status CheckCategories(const GivenContext& context, const std::vector<const DataRules*>& policies) {
  std::set<std::string> named;
  for (const DataRules* rules : policies) {
    for (const DataSource& source : rules->sources) {
      named.insert(source.categories.begin(), source.categories.end());
    }
    for (const FlowRule& flow : rules->flows) {
      named.insert(flow.categories.begin(), flow.categories.end());
    }
  }
  for (const std::string& category : context.label.categories) {
    if (named.count(category) > 0) {
      continue;
    }
    std::vector<std::string> words = ConfidentialityNames();
    words.insert(words.end(),
                 {IntegrityName(Integrity::kTrusted), IntegrityName(Integrity::kUntrusted)});
    words.insert(words.end(), named.begin(), named.end());
    const std::string nearest = Nearest(category, words);
    return Error{ErrorCode::kInvalidArgument,
                 "the policy names no category \"" + ShownText(category, 80) + "\"" +
                     (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?")};
  }
  return Status();
}

std::optional<std::string> UnfitOrigin(const GivenContext& context, const FlowFacts& facts) {
  for (const ArgumentOrigin& origin : context.origins) {
    if (std::none_of(
            facts.arguments.begin(), facts.arguments.end(),
            [&](const ArgumentOrigin& argument) { return argument.role == origin.role; })) {
      return std::string("origin ") + ArgumentRoleName(origin.role) + "=" +
             OriginName(origin.origin) + ": " +
             (origin.role == ArgumentRole::kLink
                  ? "no title or body of the call names a network place"
                  : "no argument of the call has that role");
    }
  }
  return std::nullopt;
}

Label LabelOfTexts(const std::vector<std::string>& texts) {
  Label label = Label::Clean();
  for (const std::string& text : texts) {
    if (!JoinText(text, label)) {
      label.integrity = Integrity::kUntrusted;
      label.confidentiality = Confidentiality::kSecret;
    }
  }
  return label;
}

Label LabelOfJson(const Json& texts) {
  constexpr const char* kNone = "";
  std::vector<std::string> read;
  if (!texts.is_array() && !texts.is_null()) {
    read.emplace_back(kNone);
  }
  for (const Json& text : texts.is_array() ? texts : Json::array()) {
    read.push_back(text.is_string() ? text.get<std::string>() : kNone);
  }
  return LabelOfTexts(read);
}

std::vector<std::string> OriginTexts(const FlowFacts& facts) {
  std::set<std::string> texts;
  for (const ArgumentOrigin& argument : facts.arguments) {
    texts.insert(std::string(ArgumentRoleName(argument.role)) + '=' + OriginName(argument.origin));
  }
  return {texts.begin(), texts.end()};
}

GivenContext RecordedContext(const std::vector<std::string>& labels,
                             const std::vector<std::string>& origins) {
  GivenContext context{.given = true, .label = LabelOfTexts(labels), .origins = {}};
  for (const std::string& text : origins) {
    Result<ArgumentOrigin> origin = ParseRoleOrigin(text);
    if (!origin.ok()) {
      return NamedByAnyone(context.label);
    }
    context.origins.push_back(std::move(origin).value());
  }
  return context;
}

}  // namespace nacre::policy
