#include "runtime/inference/worker/chat_format.h"

#include <algorithm>

#include "base/json.h"

namespace nacre::inference {
namespace {

constexpr const char* kChatMl =
    "{%- for message in messages -%}\n"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

constexpr std::string_view kMark = "NACREPART";
constexpr std::string_view kMarkEnd = "END";
constexpr const char* kKeyOne = "NACREKEYONE";
constexpr const char* kKeyTwo = "NACREKEYTWO";
constexpr const char* kProbeId =
    "nacre0000";  // nine letters and digits: the strictest template's rule

const CallForm kOwnForm{
    .prefix = R"(<tool_call>{"name":")", .infix = R"(","arguments":)", .suffix = "}</tool_call>"};

enum class Need { kMayVanish = 0, kMustAppear };

// The contents that placeholders stand for.
class Placeholders {
 public:
  std::string Add(std::string text, Need need) {
    if (text.empty()) {
      return "";  // templates ask whether a content is empty
    }
    contents_.push_back({std::move(text), need, false});
    return Name(contents_.size() - 1);
  }

  // An object whose rendering is replaced, braces included, by `text`.
  OrderedJson AddArguments(std::string text, const CallForm& form) {
    const std::string mark = Add(std::move(text), Need::kMustAppear);
    contents_.back().rendered =
        "{\"" + std::string(kKeyOne) + "\"" + form.key_separator + "\"" + mark + "\"}";
    return {{kKeyOne, mark}};
  }

  static std::string Name(size_t index) {
    return std::string(kMark) + std::to_string(index) + std::string(kMarkEnd);
  }

  Result<std::vector<PromptPart>> Split(std::string rendered) {
    for (size_t i = 0; i < contents_.size(); ++i) {
      const std::string& whole = contents_[i].rendered;
      if (const size_t at = whole.empty() ? std::string::npos : rendered.find(whole);
          at != std::string::npos) {
        rendered.replace(at, whole.size(), Name(i));
      }
    }
    std::vector<PromptPart> parts;
    size_t from = 0;
    while (true) {
      const size_t at = rendered.find(kMark, from);
      AddPart(rendered.substr(from, at - from), PromptPart::Origin::kTemplate, &parts);
      if (at == std::string::npos) {
        break;
      }
      size_t digits = at + kMark.size();
      size_t index = 0;
      while (digits < rendered.size() && rendered[digits] >= '0' && rendered[digits] <= '9' &&
             index < contents_.size()) {
        index = index * 10 + static_cast<size_t>(rendered[digits++] - '0');
      }
      if (index >= contents_.size() || rendered.compare(digits, kMarkEnd.size(), kMarkEnd) != 0) {
        return Error{ErrorCode::kInvalidArgument,
                     "the model's chat template changes what was said"};
      }
      AddPart(contents_[index].text, PromptPart::Origin::kContent, &parts);
      contents_[index].seen = true;
      from = digits + kMarkEnd.size();
    }
    for (const Content& content : contents_) {
      if (content.need == Need::kMustAppear && !content.seen) {
        return Error{ErrorCode::kInvalidArgument,
                     "the model's chat template leaves out part of the conversation"};
      }
    }
    return parts;
  }

 private:
  struct Content {
    std::string text;
    Need need;
    bool seen;
    std::string rendered = {};
  };

  static void AddPart(std::string text, PromptPart::Origin origin, std::vector<PromptPart>* parts) {
    if (!text.empty()) {
      parts->push_back({std::move(text), origin});
    }
  }

  std::vector<Content> contents_;
};

void DumpStyled(const OrderedJson& value, const CallForm& form, std::string* out) {
  if (!value.is_structured() || value.empty()) {
    *out += DumpJson(value);
    return;
  }
  bool first = true;
  *out += value.is_object() ? "{" : "[";
  for (const auto& [key, member] : value.items()) {
    *out += first ? "" : form.item_separator;
    first = false;
    if (value.is_object()) {
      *out += DumpJson(OrderedJson(key)) + form.key_separator;
    }
    DumpStyled(member, form, out);
  }
  *out += value.is_object() ? "}" : "]";
}

// The arguments as this model writes them; a malformed text stays as it is.
std::string StyledArguments(const std::string& json, const CallForm& form) {
  const Result<OrderedJson> parsed = ParseOrderedJson(json, {.bytes_max = 256 << 10});
  if (!parsed.ok()) {
    return json;
  }
  std::string out;
  DumpStyled(parsed.value(), form, &out);
  return out;
}

bool IsHarmless(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == ' ';
  });
}

// A tool may come from someone else's server: its texts are content too. They land inside of JSON
// strings, so what replaces them is escaped.
void HideTexts(OrderedJson* value, Placeholders* placeholders) {
  if (value->is_structured()) {
    for (auto& [key, member] : value->items()) {
      HideTexts(&member, placeholders);
    }
  } else if (value->is_string() && !IsHarmless(value->get_ref<const std::string&>())) {
    const std::string quoted = DumpJson(*value);
    *value = placeholders->Add(quoted.substr(1, quoted.size() - 2), Need::kMayVanish);
  }
}

bool HasHarmlessKeys(const OrderedJson& value) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      if ((!IsHarmless(key) && key != "$schema" && key != "$ref" && key != "$defs") ||
          !HasHarmlessKeys(member)) {
        return false;
      }
    }
  } else if (value.is_array()) {
    return std::all_of(value.begin(), value.end(), HasHarmlessKeys);
  }
  return true;
}

std::string TrimLeft(std::string text) {
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  return text;
}

std::string TrimRight(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

OrderedJson Message(const char* role, std::string content) {
  return {{"role", role}, {"content", std::move(content)}};
}

std::string CallId(size_t number) {
  std::string digits = std::to_string(number % 10000);
  return "nacre" + std::string(4 - digits.size(), '0') + digits;
}

std::string OwnToolLines(const std::vector<ToolSchema>& tools) {
  std::string lines;
  for (const ToolSchema& tool : tools) {
    lines += "\n" + DumpJson(OrderedJson{{"name", tool.name},
                                         {"description", tool.description},
                                         {"parameters", tool.parameters}});
  }
  return lines;
}

}  // namespace

Result<ChatFormat> ChatFormat::Create(const Options& options) {
  ChatTemplate chat_template = NACRE_TRY(
      ChatTemplate::Create(options.template_source.empty() ? kChatMl : options.template_source,
                           options.bos, options.eos));
  ChatFormat format(std::move(chat_template), options.end_texts);
  const Result<std::string> with_system = format.template_.Render(
      OrderedJson::array({Message("system", "NACRESYSTEM"), Message("user", "NACREUSER")}).dump(),
      "", ChatTemplate::GenerationPrompt::kYes);
  if (with_system.ok()) {
    format.system_role_ = with_system.value().find("NACRESYSTEM") == std::string::npos
                              ? SystemRole::kIgnored
                              : SystemRole::kShown;
  }
  if (!format.template_.capabilities().tool_calls ||
      (!format.DeriveForm(Style::kObjectArguments) && !format.DeriveForm(Style::kTextArguments))) {
    format.form_ = kOwnForm;
    format.style_ = Style::kOwn;
  }
  return format;
}

OrderedJson ChatFormat::CallMessage(const std::string& name, const OrderedJson& arguments,
                                    Style style, const std::string& id) const {
  OrderedJson function{{"name", name}};
  function["arguments"] =
      style == Style::kTextArguments ? OrderedJson(arguments.dump()) : arguments;
  OrderedJson call{{"type", "function"}, {"id", id}, {"function", std::move(function)}};
  OrderedJson message = Message("assistant", "");
  message["tool_calls"] = OrderedJson::array({std::move(call)});
  return message;
}

// True when calls can be cut out of the template's rendering; then form_ and style_ are set.
bool ChatFormat::DeriveForm(Style style) {
  const std::string name = "NACRENAME";
  const OrderedJson user = Message("user", "NACREUSER");
  const OrderedJson call =
      CallMessage(name, {{kKeyOne, "NACREVALUEONE"}, {kKeyTwo, "NACREVALUETWO"}}, style, kProbeId);
  OrderedJson result = Message("tool", "NACRERESULT");
  result["tool_call_id"] = kProbeId;
  result["name"] = name;

  const auto prompt =
      template_.Render(OrderedJson::array({user}).dump(), "", ChatTemplate::GenerationPrompt::kYes);
  const auto with_call = template_.Render(OrderedJson::array({user, call}).dump(), "",
                                          ChatTemplate::GenerationPrompt::kNo);
  const auto with_result = template_.Render(OrderedJson::array({user, call, result}).dump(), "",
                                            ChatTemplate::GenerationPrompt::kYes);
  if (!prompt.ok() || !with_call.ok() || !with_result.ok() ||
      with_result.value().find("NACRERESULT") == std::string::npos) {
    return false;
  }
  const std::string& before = prompt.value();
  const std::string& text = with_call.value();

  // The arguments, and with them the model's JSON style.
  const std::string key_one = "\"" + std::string(kKeyOne) + "\"";
  const std::string key_two = "\"" + std::string(kKeyTwo) + "\"";
  const size_t one = text.find("{" + key_one);
  const size_t value_one = text.find("\"NACREVALUEONE\"");
  const size_t two = text.find(key_two);
  const size_t value_two = text.find("\"NACREVALUETWO\"}");
  const size_t name_at = text.find(name);
  if (one == std::string::npos || value_one == std::string::npos || two == std::string::npos ||
      value_two == std::string::npos || name_at == std::string::npos || !(name_at < one) ||
      !(one < value_one && value_one < two && two < value_two)) {
    return false;
  }
  const size_t after_value_one = value_one + std::string("\"NACREVALUEONE\"").size();
  CallForm form;
  form.key_separator =
      text.substr(one + 1 + key_one.size(), value_one - (one + 1 + key_one.size()));
  form.item_separator = text.substr(after_value_one, two - after_value_one);
  if ((form.key_separator != ":" && form.key_separator != ": ") ||
      (form.item_separator != "," && form.item_separator != ", ")) {
    return false;
  }

  // Where the reply begins: the two texts agree up to there. When a template puts something else
  // before a call than before any reply, go back to the start of a line or tag.
  size_t start = static_cast<size_t>(
      std::mismatch(before.begin(), before.end(), text.begin(), text.end()).first - before.begin());
  if (start < before.size()) {
    start = before.find_last_of("\n>", start == 0 ? 0 : start - 1);
    start = start == std::string::npos ? 0 : start + 1;
  }
  if (start > name_at || start < text.find("NACREUSER")) {
    return false;
  }
  form.prefix = TrimLeft(text.substr(start, name_at - start));
  form.infix = text.substr(name_at + name.size(), one - (name_at + name.size()));
  form.suffix = text.substr(value_two + std::string("\"NACREVALUETWO\"}").size());
  for (const std::string& end : end_texts_) {
    if (!end.empty()) {
      form.suffix = form.suffix.substr(0, form.suffix.find(end));
    }
  }
  form.suffix = TrimRight(form.suffix);
  if (form.suffix.find(kProbeId) != std::string::npos) {
    form.suffix
        .clear();  // the rest only repeats an id that we choose: the call is whole without it
  }
  const bool names_id = (form.prefix + form.infix).find(kProbeId) != std::string::npos;
  const bool starts_like_text =
      form.prefix.empty() || (form.prefix[0] & 0x80) != 0 || IsHarmless(form.prefix.substr(0, 1));
  if (names_id || starts_like_text || form.infix.empty()) {
    return false;
  }
  form_ = form;
  style_ = style;
  return true;
}

Result<std::vector<PromptPart>> ChatFormat::Render(const std::vector<ChatMessage>& messages,
                                                   const std::vector<ToolSchema>& tools) const {
  Placeholders placeholders;
  OrderedJson list = OrderedJson::array();
  const bool describe_tools =
      !tools.empty() && (style_ == Style::kOwn ||
                         (!template_.capabilities().tools && system_role_ == SystemRole::kShown));

  std::string system;
  if (describe_tools) {
    system = "To act, reply with one call of a tool and nothing else, like this:\n" + form_.prefix +
             "NAME" + form_.infix + "{\"KEY\"" + form_.key_separator + "VALUE}" + form_.suffix +
             "\nOtherwise answer in plain text. Tools:" +
             placeholders.Add(OwnToolLines(tools), Need::kMayVanish);
  }
  for (const ChatMessage& message : messages) {
    if (message.role == Role::kSystem) {
      system +=
          (system.empty() ? "" : "\n\n") + placeholders.Add(message.content, Need::kMayVanish);
    }
  }
  const bool system_in_user_turn =
      !system.empty() && (system_role_ == SystemRole::kRefused ||
                          (system_role_ == SystemRole::kIgnored && style_ == Style::kOwn));
  if (!system.empty() && !system_in_user_turn) {
    list.push_back(Message("system", system));
  }
  size_t calls = 0;
  std::string last_name;
  bool first_user_turn = true;
  for (const ChatMessage& message : messages) {
    switch (message.role) {
      case Role::kSystem:
        break;
      case Role::kUser: {
        const std::string content = placeholders.Add(message.content, Need::kMustAppear);
        list.push_back(Message(
            "user", first_user_turn && system_in_user_turn ? system + "\n\n" + content : content));
        first_user_turn = false;
        break;
      }
      case Role::kAssistant: {
        if (!message.call.has_value()) {
          list.push_back(
              Message("assistant", placeholders.Add(message.content, Need::kMustAppear)));
          break;
        }
        last_name = message.call->name;
        const std::string name = placeholders.Add(message.call->name, Need::kMustAppear);
        std::string arguments = StyledArguments(message.call->arguments_json, form_);
        arguments = arguments.empty() ? "{}" : arguments;
        if (style_ == Style::kOwn) {
          list.push_back(
              Message("assistant", form_.prefix + name + form_.infix +
                                       placeholders.Add(std::move(arguments), Need::kMustAppear) +
                                       form_.suffix));
        } else {
          list.push_back(CallMessage(name, placeholders.AddArguments(std::move(arguments), form_),
                                     style_, CallId(++calls)));
        }
        break;
      }
      case Role::kTool: {
        const std::string content = placeholders.Add(message.content, Need::kMustAppear);
        if (style_ == Style::kOwn) {
          list.push_back(Message("user", "<tool_response>\n" + content + "\n</tool_response>"));
        } else {
          OrderedJson result = Message("tool", content);
          result["tool_call_id"] = CallId(calls);
          result["name"] = placeholders.Add(last_name, Need::kMayVanish);
          list.push_back(std::move(result));
        }
        break;
      }
    }
  }

  OrderedJson offered = OrderedJson::array();
  if (style_ != Style::kOwn && template_.capabilities().tools) {
    for (const ToolSchema& tool : tools) {
      if (!HasHarmlessKeys(tool.parameters)) {
        return Error{ErrorCode::kInvalidArgument, "the schema of a tool has unusual key names"};
      }
      OrderedJson function{
          {"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}};
      HideTexts(&function, &placeholders);
      offered.push_back({{"type", "function"}, {"function", std::move(function)}});
    }
  }
  std::string rendered =
      NACRE_TRY(template_.Render(DumpJson(list), offered.empty() ? "" : DumpJson(offered),
                                 ChatTemplate::GenerationPrompt::kYes));
  return placeholders.Split(std::move(rendered));
}

}  // namespace nacre::inference
