// CallEncoding, the way back: from what the solver found to a call.
#include <algorithm>
#include <optional>

#include "policy/analysis/call_encoding.h"
#include "policy/internal/matcher.h"

namespace nacre::policy {
namespace {

using StepKind = PathStep::Kind;

constexpr size_t kItemsMadeMax = 4096;

}  // namespace

Formula CallEncoding::Under(const std::string& argument, const std::string& folder) {
  return places_.at(argument)->Under(folder);
}

Formula CallEncoding::Differs() {
  std::vector<Formula> any;
  for (const auto& [path, place] : places_) {
    any.push_back(place->Differs());
  }
  for (const auto& [path, list] : lists_) {
    for (const auto& other : list->others) {
      any.push_back(other->Differs());
    }
  }
  return solver_.AnyOf(any);
}

std::vector<Formula> CallEncoding::Pinned(const Request& request) {
  std::vector<Formula> pinned;
  const auto pin = [&](Place& place, const Json* value) {
    for (const Formula formula : place.Pinned(value)) {
      pinned.push_back(formula);
    }
  };
  for (const auto& [path, place] : places_) {
    const auto known = std::find_if(request.paths.begin(), request.paths.end(),
                                    [&path = path](const PathArgument& argument) {
                                      return MemberPath("", argument.key) == path;
                                    });
    const Json text(known != request.paths.end() ? known->path : std::string());
    const Json* value = &request.arguments;
    for (const PathStep& step : wanted_.at(path).steps) {
      value = value == nullptr                                  ? nullptr
              : step.kind == StepKind::kMember                  ? FindMember(*value, step.name)
              : value->is_array() && step.index < value->size() ? &(*value)[step.index]
                                                                : nullptr;
    }
    pin(*place, known != request.paths.end() ? &text : value);
    const auto list = lists_.find(path);
    if (list != lists_.end() && value != nullptr && value->is_array()) {
      const auto size = static_cast<uint32_t>(value->size());
      pinned.push_back(solver_.InRange(list->second->length, size, size));
    }
  }
  return pinned;
}

CandidateCall CallEncoding::Call() const {
  CandidateCall call{tool_.name, Json::object()};
  for (const auto& [path, place] : places_) {
    if (const std::optional<Json> value = place->Value();
        value.has_value() && lists_.count(path) == 0) {
      PutArgument(call.arguments, wanted_.at(path).steps, *value);
    }
  }
  for (const auto& [path, list] : lists_) {
    const std::optional<Json> value = list->self->Value();
    if (!value.has_value() || !value->is_array()) {
      if (value.has_value()) {
        PutArgument(call.arguments, wanted_.at(path).steps, *value);
      }
      continue;
    }
    Json items = Json::array();
    for (const Place* element : list->elements) {
      if (const std::optional<Json> item = element->Value()) {
        items.push_back(*item);
      }
    }
    const size_t length = std::min<size_t>(solver_.Value(list->length), kItemsMadeMax);
    while (items.size() < length) {
      items.push_back(items.empty() ? Json("x") : items.back());
    }
    PutArgument(call.arguments, wanted_.at(path).steps, items);
  }
  if (tool_.schema.is_object()) {
    AddRequiredArguments(tool_.schema, call.arguments);
  }
  return call;
}

FlowFacts CallEncoding::Facts() const {
  FlowFacts facts{.effects = tool_.traits.effects};
  facts.context.integrity = solver_.Holds(untrusted_) ? Integrity::kUntrusted : Integrity::kTrusted;
  facts.context.confidentiality = static_cast<Confidentiality>(solver_.Value(confidentiality_));
  for (const auto& [category, there] : categories_) {
    if (solver_.Holds(there)) {
      facts.context.categories.insert(category);
    }
  }
  for (const auto& [which, there] : origins_) {
    if (solver_.Holds(there)) {
      facts.arguments.push_back({ArgumentRoleName(which.first), which.first, "x", which.second});
    }
  }
  return facts;
}

}  // namespace nacre::policy
