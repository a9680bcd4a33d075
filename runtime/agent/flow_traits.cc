#include "runtime/agent/flow_traits.h"

#include <algorithm>

namespace nacre::agent {

policy::ToolTraits TraitsOf(const tools::Manifest& manifest) {
  policy::ToolTraits traits;
  traits.tool = manifest.name;
  for (const std::string& name : manifest.flow.effects) {
    // A word that the policy does not know cannot come from a manifest that was loaded; were it to,
    // the strongest effect is the careful answer.
    traits.effects.push_back(policy::ParseCallEffect(name).value_or(policy::CallEffect::kExecute));
  }
  if (traits.effects.empty()) {
    traits.effects = {manifest.effect == tools::Effect::kRead    ? policy::CallEffect::kRead
                      : manifest.effect == tools::Effect::kWrite ? policy::CallEffect::kWrite
                                                                 : policy::CallEffect::kExecute};
  }
  // What its calls mean to others does not hide that they run a program.
  if (manifest.effect == tools::Effect::kExecute &&
      std::find(traits.effects.begin(), traits.effects.end(), policy::CallEffect::kExecute) ==
          traits.effects.end()) {
    traits.effects.push_back(policy::CallEffect::kExecute);
  }
  for (const auto& [argument, role] : manifest.flow.roles) {
    traits.roles[argument] =
        policy::ParseArgumentRole(role).value_or(policy::ArgumentRole::kSetting);
  }
  const tools::FlowSection& flow = manifest.flow;
  if (flow.result_trusted.has_value()) {
    traits.result.integrity =
        *flow.result_trusted ? policy::Integrity::kTrusted : policy::Integrity::kUntrusted;
  }
  traits.result.echo = flow.result_echo;
  traits.result.format = flow.result_format == "json"   ? policy::ResultFormat::kJson
                         : flow.result_format == "yaml" ? policy::ResultFormat::kYaml
                                                        : policy::ResultFormat::kText;
  traits.result.trusted.insert(flow.trusted_fields.begin(), flow.trusted_fields.end());
  traits.result.untrusted.insert(flow.untrusted_fields.begin(), flow.untrusted_fields.end());
  traits.result.keys_trusted = flow.keys_trusted;
  traits.memory = std::find(manifest.host_services.begin(), manifest.host_services.end(),
                            tools::HostService::kMemory) != manifest.host_services.end();
  return traits;
}

}  // namespace nacre::agent
