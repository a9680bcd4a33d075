#include "runtime/agent/quarantine.h"

#include <algorithm>
#include <charconv>

#include "policy/given_context.h"

namespace nacre::agent {
namespace {

constexpr std::string_view kPrefix = "$r";
constexpr size_t kDigitsMax = 6;
constexpr int kDepthMax = 16;

// The number of a handle, or 0.
size_t NumberOf(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    return 0;
  }
  text.remove_prefix(kPrefix.size());
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && text.size() <= kDigitsMax && text.front() != '0' ? number : 0;
}

class Placer {
 public:
  Placer(const Quarantine& quarantine, size_t bytes_max)
      : quarantine_(quarantine), bytes_left_(bytes_max) {}

  Status Place(const std::string& key, Json& value, int depth) {
    if (depth > kDepthMax) {
      return Ok();  // no tool takes what is deeper
    }
    if (value.is_structured()) {
      for (Json& inner : value) {
        NACRE_TRY(Place(key, inner, depth + 1));
      }
      return Ok();
    }
    if (!value.is_string() || !IsHandle(value.get_ref<const std::string&>())) {
      return Ok();
    }
    const std::string handle = value.get<std::string>();
    const Quarantine::Entry* entry = quarantine_.Find(handle);
    if (entry == nullptr) {
      const std::string last = "$r" + std::to_string(quarantine_.size());
      return Error{ErrorCode::kNotFound,
                   "there is no " + handle + "; " +
                       (quarantine_.size() == 0   ? "nothing was withheld in this session"
                        : quarantine_.size() == 1 ? "what was withheld in this session is $r1"
                                                  : "handles of this session are $r1 to " + last)};
    }
    if (entry->text.size() > bytes_left_) {
      return Error{ErrorCode::kResourceExhausted,
                   "with " + handle + " in its place the arguments are too large for a call"};
    }
    bytes_left_ -= entry->text.size();
    value = entry->text;
    placed_.push_back({key, handle, entry->label});
    return Ok();
  }

  std::vector<policy::WithheldArgument> Take() { return std::move(placed_); }

 private:
  const Quarantine& quarantine_;
  size_t bytes_left_;
  std::vector<policy::WithheldArgument> placed_;
};

constexpr const char* kFieldsMark = "withheld_fields";

std::vector<std::string> TextsOf(const Json& object, const char* member) {
  std::vector<std::string> texts;
  const Json* list = FindMember(object, member);
  for (const Json& each : list != nullptr && list->is_array() ? *list : Json::array()) {
    if (each.is_string()) {
      texts.push_back(each.get<std::string>());
    }
  }
  return texts;
}

std::string SizeOf(const std::string& text) {
  const auto lines =
      std::count(text.begin(), text.end(), '\n') + (text.empty() || text.back() == '\n' ? 0 : 1);
  return std::to_string(text.size()) + " bytes, " + std::to_string(lines) +
         (lines == 1 ? " line" : " lines");
}

// A name is one line, whatever it was made of.
std::string ShownName(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char byte) {
    return byte > 0x20 && byte < 0x7F && byte != ':' && byte != '"';
  });
  return plain ? name : Json(name).dump(-1, ' ', true, Json::error_handler_t::replace);
}

// What may be done with what is withheld.
std::string WaysOn(const WithheldResult& result) {
  return std::string(result.extract ? " To learn one value in it, call data.extract." : "") +
         (result.reveal ? " To read it, call data.reveal: a person must agree." : "");
}

}  // namespace

std::string Quarantine::NextHandle(size_t after) const {
  return std::string(kPrefix) + std::to_string(entries_.size() + 1 + after);
}

std::string Quarantine::Keep(std::string text, policy::Label label) {
  std::string handle = NextHandle();
  entries_.push_back({std::move(text), std::move(label)});
  return handle;
}

const Quarantine::Entry* Quarantine::Find(std::string_view handle) const {
  const size_t number = NumberOf(handle);
  return number == 0 || number > entries_.size() ? nullptr : &entries_[number - 1];
}

void Quarantine::CountExtraction(std::string_view handle) {
  ++entries_.at(NumberOf(handle) - 1).extractions;
}

void Quarantine::Endorse(std::string_view handle) {
  entries_.at(NumberOf(handle) - 1).label.integrity = policy::Integrity::kTrusted;
}

bool IsHandle(std::string_view text) {
  return NumberOf(text) != 0;
}

std::string CutToWithhold(const std::string& text) {
  size_t end = std::min(text.size(), kWithheldBytesMax);
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

Result<std::vector<policy::WithheldArgument>> PutInPlace(Json& arguments,
                                                         const Quarantine& quarantine,
                                                         size_t bytes_max) {
  Placer placer(quarantine, bytes_max);
  if (arguments.is_object()) {
    for (auto member = arguments.begin(); member != arguments.end(); ++member) {
      NACRE_TRY(placer.Place(member.key(), member.value(), 1));
    }
  }
  return placer.Take();
}

std::string ShownHandles(const std::vector<policy::WithheldArgument>& withheld) {
  std::string shown;
  for (const policy::WithheldArgument& argument : withheld) {
    shown += (shown.empty() ? "" : " and ") + argument.handle;
  }
  return shown;
}

Json WithheldFieldsMark(const policy::Label& shown, const policy::Label& withheld) {
  return {{"shown", policy::LabelTexts(shown)}, {"withheld", policy::LabelTexts(withheld)}};
}

std::string WithheldFieldsText(const std::vector<std::string>& shown,
                               const std::vector<std::string>& withheld) {
  return DumpJson(Json{{"shown", shown}, {"withheld", withheld}});
}

StoredWithheld ReadStoredWithheld(const std::string& withheld, const std::string& outcome_json) {
  const Result<Json> outcome = ParseJson(outcome_json.empty() ? "{}" : outcome_json);
  const Json* mark = outcome.ok() ? FindMember(outcome.value(), kFieldsMark) : nullptr;
  if (mark == nullptr) {
    return {.texts = {withheld}, .shown = {}, .shown_label = {}, .label = {}};
  }
  const Result<Json> fields = ParseJson(withheld);
  const Json empty = Json::object();
  const Json& listed = fields.ok() ? fields.value() : empty;
  return {.texts = TextsOf(listed, "withheld"),
          .in_parts = true,
          .shown = TextsOf(listed, "shown"),
          .shown_label = policy::LabelOfJson(mark->value("shown", Json("missing"))),
          .label = policy::LabelOfJson(mark->value("withheld", Json("missing")))};
}

std::string FieldsText(const WithheldResult& result, const std::vector<ToldField>& fields) {
  std::string told = "in parts: what " + result.tool +
                     (result.error ? " says of its failure" : " answered") + ".\n";
  for (const ToldField& field : fields) {
    told += (field.name.empty() ? std::string() : ShownName(field.name) + ": ") +
            (field.handle.empty() ? DumpJson(Json(field.text))
                                  : "withheld as " + field.handle + ", " + SizeOf(field.text)) +
            '\n';
  }
  told += "You cannot read what is withheld (" + policy::ShownLabel(result.label) +
          "). To pass a part on, give its handle, such as \"" + result.handle +
          "\", as the whole of an argument.";
  return told + WaysOn(result);
}

std::string WithheldText(const WithheldResult& result) {
  std::string told = "withheld as " + result.handle + ": what " + result.tool +
                     (result.error ? " says of its failure" : " answered") + ", " +
                     SizeOf(result.text) + (result.cut ? ", the rest cut off" : "") + " (" +
                     policy::ShownLabel(result.label) +
                     "). You cannot read it. To pass it on, give \"" + result.handle +
                     "\" as the whole of an argument.";
  return told + WaysOn(result);
}

}  // namespace nacre::agent
