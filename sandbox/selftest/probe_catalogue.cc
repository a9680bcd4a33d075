#include "sandbox/selftest/probe_catalogue.h"

#include "base/file.h"
#include "base/json.h"

namespace nacre::sandbox {
namespace {

constexpr size_t kCatalogueBytesMax = 1 << 20;

Error Malformed(const std::string& why) {
  return {ErrorCode::kInvalidArgument, "probes.json: " + why};
}

Result<Probe::Elsewhere> ParseElsewhere(const std::string& text) {
  constexpr std::string_view kAllowed = "allowed: ";
  constexpr std::string_view kNotTried = "not tried: ";
  constexpr std::string_view kOr = " or ";
  Probe::Elsewhere result;
  if (text.starts_with(kAllowed)) {
    result.allowed = text.substr(kAllowed.size());
    return result;
  }
  if (text.starts_with(kNotTried)) {
    result.not_tried = text.substr(kNotTried.size());
    return result;
  }
  std::string_view left = text;
  while (true) {
    const auto layer = ParseLayer(left.substr(0, left.find(kOr)));
    if (!layer) {
      return Malformed("a profile expects an unknown layer");
    }
    result.layers.push_back(*layer);
    if (left.find(kOr) == std::string_view::npos) {
      return result;
    }
    left.remove_prefix(left.find(kOr) + kOr.size());
  }
}

Result<Probe> ParseProbe(const Json& entry) {
  Probe probe;
  probe.name = StringMember(entry, "name");
  probe.kind = StringMember(entry, "class");
  probe.attack = StringMember(entry, "attack");
  probe.escaped = StringMember(entry, "escaped");
  probe.control = StringMember(entry, "control");
  probe.source = StringMember(entry, "source");
  if (probe.name.empty() || probe.kind.empty() || probe.attack.empty()) {
    return Malformed("an entry without name, class or attack");
  }
  const Json* layers = FindMember(entry, "layers");
  if (layers == nullptr || !layers->is_array() || layers->empty()) {
    return Malformed(probe.name + " expects no layer");
  }
  for (const Json& each : *layers) {
    const auto layer = each.is_string() ? ParseLayer(each.get<std::string>()) : std::nullopt;
    if (!layer) {
      return Malformed(probe.name + " expects an unknown layer");
    }
    probe.layers.push_back(*layer);
  }
  if (const Json* in = FindMember(entry, "in"); in != nullptr && in->is_object()) {
    for (const auto& [profile, text] : in->items()) {
      if (!text.is_string()) {
        return Malformed(probe.name + " says nothing of profile " + profile);
      }
      probe.elsewhere.emplace(profile, NACRE_TRY(ParseElsewhere(text.get<std::string>())));
    }
  }
  const std::string calls = StringMember(entry, "calls");
  probe.calls = calls == "together"  ? Probe::Calls::kTogether
                : calls == "in turn" ? Probe::Calls::kInTurn
                                     : Probe::Calls::kOne;
  probe.wall = std::chrono::milliseconds(IntMember(entry, "wall_ms"));
  return probe;
}

}  // namespace

Result<std::vector<Probe>> ParseProbes(std::string_view text) {
  const Json json = NACRE_TRY(ParseJson(text, {.bytes_max = kCatalogueBytesMax, .depth_max = 8}));
  if (!json.is_array() || json.empty()) {
    return Malformed("it is not a list of probes");
  }
  std::vector<Probe> probes;
  for (const Json& entry : json) {
    probes.push_back(NACRE_TRY(ParseProbe(entry)));
  }
  return probes;
}

Result<std::vector<Probe>> LoadProbes(const std::string& directory) {
  return ParseProbes(NACRE_TRY(ReadFile(directory + "/probes.json", kCatalogueBytesMax)));
}

}  // namespace nacre::sandbox
