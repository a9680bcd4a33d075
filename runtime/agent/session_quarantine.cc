// SessionDriver's part that keeps a quarantine: what is withheld, and the tools that the runtime does itself.
#include <algorithm>

#include "runtime/agent/extraction.h"
#include "runtime/agent/flow_traits.h"
#include "runtime/agent/followed_path.h"
#include "runtime/agent/quarantine_tools.h"
#include "runtime/agent/session_driver.h"

namespace nacre::agent {
namespace {

// The part of an extracted value that could be named in a later call. Words of ours name nothing.
std::string NamedBy(const std::string& value) {
  return value == "true" || value == "false" || value == "none" ? std::string() : value;
}

// A tool that is gone vouches for nothing that it said, and may have written any file and note ...
policy::ToolTraits TraitsOfGone() {
  return {.effects = {policy::CallEffect::kWrite, policy::CallEffect::kExecute},
          .result = {.integrity = policy::Integrity::kUntrusted},
          .memory = true,
          .anywhere = true};
}

// ... and read it: which of its arguments were paths or hosts, nobody can say any more.
policy::Request RequestOfGone(const memory::CallRecord& call, const Quarantine& quarantine) {
  policy::Request request{.tool = call.tool};
  request.paths = {{"", "/", policy::PathAccess::kWrite}};
  if (Result<Json> arguments = ParseJson(call.arguments_json); arguments.ok()) {
    request.arguments = std::move(arguments).value();
    if (auto placed = PutInPlace(request.arguments, quarantine, std::string::npos); placed.ok()) {
      request.withheld = std::move(placed).value();
    }
  }
  return request;
}

}  // namespace

std::variant<ToolCall, BadToolCall> SessionDriver::Parse(
    const inference::EmittedCall& emitted) const {
  const bool quarantine = HasQuarantine();
  std::variant<ToolCall, BadToolCall> parsed =
      ParseToolCall(emitted, services_.tools, {options_.workspace, services_.home},
                    quarantine ? &quarantine_ : nullptr);
  if (auto* call = std::get_if<ToolCall>(&parsed)) {
    FollowLinks(options_.workspace, call->request);
    if (!IsThere(*call->tool)) {
      return BadToolCall{"there is no tool \"" + call->tool->name + "\" here"};
    }
    if (const std::optional<std::string> problem = QuarantineCallProblem(*call)) {
      return BadToolCall{"arguments of " + call->tool->name + ": " + *problem};
    }
  }
  return parsed;
}

bool SessionDriver::HasQuarantine() const {
  return options_.policy->data.quarantine.present || quarantine_.size() > 0;
}

bool SessionDriver::IsThere(const tools::Manifest& tool) const {
  return !tool.runtime || HasQuarantine();
}

bool SessionDriver::Offers(const char* tool) const {
  const std::vector<const tools::Manifest*> allowed = AllowedTools();
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const tools::Manifest* each) { return each->name == tool; });
}

SessionDriver::Told SessionDriver::Tell(const ToolCall& call, const policy::Request& request,
                                        const CallResult& result) const {
  Told told{.text = FitResult(result.text), .withheld = {}, .label = {}};
  if (result.own_words) {
    return told;
  }
  // What could be shown is what counts: a part of a result is not what all of it was.
  told.label = context_.ResultLabel(TraitsOf(*call.tool), request, told.text);
  if (!context_.Withholds(told.label)) {
    return told;
  }
  if (std::optional<Told> fields = TellFields(call, request, result)) {
    return std::move(*fields);
  }
  told.withheld = CutToWithhold(result.text);
  told.text = WithheldText({.handle = quarantine_.NextHandle(),
                            .tool = call.tool->name,
                            .text = told.withheld,
                            .label = told.label,
                            .error = result.error,
                            .cut = told.withheld.size() < result.text.size(),
                            .extract = Offers(policy::kExtractTool),
                            .reveal = Offers(policy::kRevealTool)});
  return told;
}

std::optional<SessionDriver::Told> SessionDriver::TellFields(const ToolCall& call,
                                                             const policy::Request& request,
                                                             const CallResult& result) const {
  if (result.text.size() > kWithheldBytesMax) {
    return std::nullopt;
  }
  Told told;
  told.fields = context_.Fields(TraitsOf(*call.tool), request, result.text);
  std::vector<ToldField> parts;
  std::vector<std::string> shown;
  std::vector<std::string> withheld;
  for (policy::ContextTracker::Field& field : told.fields) {
    // There is nothing to withhold in a text that is empty.
    field.withheld = field.withheld && !field.text.empty();
    parts.push_back({field.name, field.text,
                     field.withheld ? quarantine_.NextHandle(withheld.size()) : std::string()});
    (field.withheld ? withheld : shown).push_back(field.text);
    if (field.withheld) {
      told.label = field.label;
    }
  }
  if (withheld.empty() || withheld.size() > kWithheldFieldsMax) {
    return std::nullopt;
  }
  told.withheld = WithheldFieldsText(shown, withheld);
  told.text = FieldsText({.handle = quarantine_.NextHandle(),
                          .tool = call.tool->name,
                          .text = {},
                          .label = told.label,
                          .error = result.error,
                          .extract = Offers(policy::kExtractTool),
                          .reveal = Offers(policy::kRevealTool)},
                         parts);
  // A part of what is shown is not what all of it was, here as well.
  return FitResult(told.text) == told.text ? std::optional(std::move(told)) : std::nullopt;
}

std::vector<std::string> SessionDriver::Keep(const policy::ToolTraits& tool,
                                             const policy::Request& request, const Told& told) {
  if (told.fields.empty()) {
    return {quarantine_.Keep(told.withheld, told.label)};
  }
  std::vector<std::string> handles;
  for (const policy::ContextTracker::Field& field : told.fields) {
    if (field.withheld) {
      handles.push_back(quarantine_.Keep(field.text, field.label));
    } else {
      context_.AddField(tool, request, field.text, field.label);  // nothing, where it is empty
    }
  }
  return handles;
}

Json SessionDriver::WithheldRecord(const std::vector<std::string>& handles) const {
  const Quarantine::Entry* first = quarantine_.Find(handles.front());
  Json texts = Json::array();
  for (const std::string& handle : handles) {
    texts.push_back(quarantine_.Find(handle)->text);
  }
  // A content itself, and not a map that holds one: only these are encrypted in the log.
  Json record = AuditContent(*options_.policy, handles.size() == 1 ? first->text : DumpJson(texts),
                             first->label);
  record["handle"] = handles.front();
  if (handles.size() > 1) {
    record["handles"] = handles;
  }
  record["labels"] = policy::LabelTexts(first->label);
  return record;
}

void SessionDriver::RecallRun(const memory::CallRecord& call) {
  const std::variant<ToolCall, BadToolCall> parsed = Parse({call.tool, call.arguments_json});
  const auto* known = std::get_if<ToolCall>(&parsed);
  policy::Request request = known != nullptr ? known->request : RequestOfGone(call, quarantine_);
  if (const Result<Json> outcome = ParseJson(call.outcome_json); outcome.ok()) {
    RecallStoredLabels(outcome.value(), request);
  }
  context_.AddRun(known != nullptr ? TraitsOf(*known->tool) : TraitsOfGone(), request);
}

std::vector<std::string> SessionDriver::RecallResult(const memory::CallRecord& call) {
  const std::variant<ToolCall, BadToolCall> parsed = Parse({call.tool, call.arguments_json});
  const auto* known = std::get_if<ToolCall>(&parsed);
  const policy::ToolTraits traits = known != nullptr ? TraitsOf(*known->tool) : TraitsOfGone();
  policy::Request request = known != nullptr ? known->request : RequestOfGone(call, quarantine_);
  const Result<Json> outcome = ParseJson(call.outcome_json);
  if (outcome.ok()) {
    RecallStoredLabels(outcome.value(), request);
  }
  if (!call.withheld.empty()) {
    const StoredWithheld stored = ReadStoredWithheld(call.withheld, call.outcome_json);
    for (const std::string& text : stored.shown) {
      context_.AddField(traits, request, text, stored.shown_label);
    }
    std::vector<std::string> handles;
    for (const std::string& text : stored.texts) {
      policy::Label label = context_.ResultLabel(traits, request, text);
      if (stored.in_parts) {
        label = policy::Join(label, stored.label);
      }
      label.integrity = policy::Integrity::kUntrusted;
      handles.push_back(quarantine_.Keep(text, std::move(label)));
    }
    return handles;
  }
  if (outcome.ok() && BoolMember(outcome.value(), "own_words")) {
    return {};
  }
  if (known != nullptr && known->tool->name == policy::kExtractTool) {
    const policy::WithheldArgument& text = request.withheld.front();
    quarantine_.CountExtraction(text.handle);
    context_.AddExtracted(text.label, call.result_error ? "" : NamedBy(call.result_text));
    return {};
  }
  if (known != nullptr && known->tool->name == policy::kEndorseTool && !call.result_error) {
    const policy::WithheldArgument& text = request.withheld.front();
    quarantine_.Endorse(text.handle);
    context_.AddEndorsed(text.label, call.result_text);
    return {};
  }
  context_.AddResult(traits, request, call.result_text);
  return {};
}

Input SessionDriver::UseQuarantine(Turn& turn, const AuthorizedCall& call, const Stop& stop) {
  const policy::Request& request = call.call().request;
  const policy::WithheldArgument& withheld = request.withheld.front();
  const MonotonicTime start = services_.clock.Monotonic();
  memory::CallRecord record;
  record.id = call.id();
  record.tool = request.tool;
  record.state = memory::CallState::kFinished;
  if (request.tool == policy::kExtractTool) {
    const Result<std::string> value = ExtractValue(turn, call, record, stop.any);
    if (!value.ok()) {
      return RuntimeFailed{value.error()};
    }
    // One that was stopped has ended as well: nothing is left open by it, and what it used is counted.
    record.result_text = value.value();
  } else if (request.tool == policy::kEndorseTool) {
    const Result<std::string> text = EndorseText(turn, call, record);
    if (!text.ok()) {
      return RuntimeFailed{text.error()};
    }
    record.result_text = text.value();
  } else {
    record.result_text = FitResult(StringMember(request.arguments, withheld.key));
    context_.AddResult(TraitsOf(*call.call().tool), request, record.result_text);
    if (Status recorded = Record(
            "data.revealed", turn, call.id(),
            {{"handle", withheld.handle},
             {"result", AuditContent(*options_.policy, record.result_text, context_.context())}});
        !recorded.ok()) {
      return RuntimeFailed{recorded.error()};
    }
  }
  const int64_t wall_us =
      std::chrono::duration_cast<std::chrono::microseconds>(services_.clock.Monotonic() - start)
          .count();
  const Json outcome = {{"kind", sandbox::OutcomeKindName(sandbox::OutcomeKind::kExited)},
                        {"wall_us", wall_us},
                        {"runtime", true}};  // there was no sandbox
  if (Status recorded = Record(
          "call.finished", turn, call.id(),
          {{"tool", request.tool},
           {"outcome", outcome},
           {"error", record.result_error},
           {"result", AuditContent(*options_.policy, record.result_text, context_.context())}});
      !recorded.ok()) {
    return RuntimeFailed{recorded.error()};
  }
  record.outcome_json = DumpJson(outcome);
  record.finished_ms = UnixMillis(services_.clock.Now());
  record.wall_ms = UncountedWall(turn);
  record.run_us = wall_us;
  if (Status stored = services_.store.FinishCall(record); !stored.ok()) {
    return RuntimeFailed{WithContext("the session store", stored.error())};
  }
  CountCall(request.tool, {0, record.run_us, 0});
  sink_.OnEvent(CallFinished{call.id(), request.tool,
                             sandbox::OutcomeKindName(sandbox::OutcomeKind::kExited),
                             record.result_error, record.result_text, wall_us, 0, Json(), Json(),
                             policy::LabelTexts(context_.context())});
  const inference::TokenUse tokens = {.prompt = static_cast<uint32_t>(record.prompt_tokens),
                                      .generated = static_cast<uint32_t>(record.generated_tokens)};
  if (stop.any.cancelled()) {
    machine_.CountStopped(tokens);
    return stop.Reason();
  }
  return CallEnded{record.result_text, tokens};
}

Result<std::string> SessionDriver::EndorseText(const Turn& turn, const AuthorizedCall& call,
                                               memory::CallRecord& record) {
  const policy::WithheldArgument withheld = call.call().request.withheld.front();
  if (call.approved_by().empty()) {
    // Not reached: no decision allows it without a yes. Were it to be, nobody vouches for the text.
    record.result_error = true;
    return std::string("error: nobody has said that it may be believed");
  }
  const std::string text = quarantine_.Find(withheld.handle)->text;
  policy::Label believed = withheld.label;
  believed.integrity = policy::Integrity::kTrusted;
  // Who, of what, from which label to which: on disk before it is believed.
  NACRE_TRY(Record("data.endorsed", turn, call.id(),
                   {{"handle", withheld.handle},
                    {"by", call.approved_by()},
                    {"from", policy::LabelTexts(withheld.label)},
                    {"to", policy::LabelTexts(believed)},
                    {"result", AuditContent(*options_.policy, text, withheld.label)}}));
  quarantine_.Endorse(withheld.handle);
  const std::string shown = FitResult(text);
  context_.AddEndorsed(believed, shown);
  return shown;
}

Result<std::string> SessionDriver::ExtractValue(const Turn& turn, const AuthorizedCall& call,
                                                memory::CallRecord& record,
                                                const CancelToken& cancel) {
  const policy::Request& request = call.call().request;
  const policy::WithheldArgument& withheld = request.withheld.front();
  const auto refuse = [&](const std::string& why) {
    record.result_error = true;
    return "error: " + why;
  };
  if (quarantine_.Find(withheld.handle)->extractions >= kExtractionsMax) {
    return refuse(std::to_string(kExtractionsMax) + " values were extracted from " +
                  withheld.handle + ", and no more may be");
  }
  quarantine_.CountExtraction(withheld.handle);
  const Extraction extraction = NACRE_TRY(ReadExtraction(request.arguments));
  inference::GenerateRequest asked =
      AskFor(extraction, StringMember(request.arguments, withheld.key));
  NACRE_TRY(CountTenantUse());
  if (!FitTokens(asked, machine_.TokensLeft())) {
    context_.AddExtracted(withheld.label, "");  // as RecallResult() does with every extraction
    return refuse("too few tokens are left in the budget to read " + withheld.handle);
  }
  EngineUse use;
  if (CountBytesOut(asked, use).has_value()) {
    context_.AddExtracted(withheld.label, "");
    return refuse("too few bytes are left in the budget to read " + withheld.handle);
  }
  NACRE_TRY(Record("model.asked", turn, call.id(), AskedRecord(asked)));
  inference::EnergyMeter::Span energy(services_.energy);
  const Extracted extracted = Extract(services_.engine, extraction, asked, cancel);
  NACRE_TRY(CountEnergy(energy, use));
  const inference::TokenUse& tokens = extracted.tokens;
  record.bytes_out = static_cast<int64_t>(use.bytes_out);
  record.energy_uj = static_cast<int64_t>(use.energy_uj);
  record.prompt_tokens = tokens.prompt - std::min(tokens.prompt, tokens.prompt_cached);
  record.generated_tokens = tokens.generated;
  NACRE_TRY(Record("model.replied", turn, call.id(), UseRecord("value", tokens, use)));
  const bool found = extracted.value.ok();
  // That there is no such value tells of the text as well.
  context_.AddExtracted(withheld.label, found ? NamedBy(extracted.value.value()) : "");
  const std::string told =
      found ? extracted.value.value() : refuse(extracted.value.error().message);
  const policy::Label read = policy::Join(context_.context(), withheld.label);
  Json data = {{"handle", withheld.handle},
               {"type", extraction.type_name},
               {"question", AuditContent(*options_.policy, extraction.question, read)},
               {"value", AuditContent(*options_.policy, told, read)},
               {"found", found},
               {"labels", policy::LabelTexts(withheld.label)}};
  if (!extracted.problem.empty()) {
    // It may quote what the engine was shown.
    data["problem"] = AuditContent(*options_.policy, extracted.problem, read);
  }
  NACRE_TRY(Record("data.extracted", turn, call.id(), std::move(data)));
  return told;
}

}  // namespace nacre::agent
