#include "runtime/agent/flow_traits.h"

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::agent {
namespace {

constexpr const char* kManifest =
    "name: mail.post\ndescription: Post.\neffect: write\nprogram: p\n"
    "parameters: {type: object, properties: {to: {type: string}, note: {type: string}}}\n";

Result<tools::Manifest> Load(const std::string& flow) {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(folder.path() + "/tool.yaml", kManifest + flow).ok());
  REQUIRE(WriteFileAtomically(folder.path() + "/p", "#!/bin/true\n", 0755).ok());
  return tools::LoadManifest(folder.path());
}

TEST_CASE("what a manifest says of flows reaches the policy; what it does not say is looked at") {
  const auto manifest = Load(
      "flow: {effects: [send, write], args: {to: recipient}, result: {format: json, trusted: [id], "
      "untrusted: [text], keys: trusted}}\n");
  REQUIRE(manifest.ok());
  const policy::ToolTraits traits = TraitsOf(manifest.value());
  CHECK(traits.effects == std::vector{policy::CallEffect::kSend, policy::CallEffect::kWrite});
  CHECK(traits.RoleOf("to") == policy::ArgumentRole::kRecipient);
  CHECK(traits.RoleOf("note") == policy::ArgumentRole::kSetting);
  CHECK(traits.result == policy::ResultTraits{.integrity = policy::Integrity::kUntrusted,
                                              .format = policy::ResultFormat::kJson,
                                              .trusted = {"id"},
                                              .untrusted = {"text"},
                                              .keys_trusted = true});
  const policy::ToolTraits silent = TraitsOf(Load("").value());
  CHECK(silent.effects == std::vector{policy::CallEffect::kWrite});
  CHECK_FALSE(silent.result.integrity.has_value());
  // What it means to others does not hide that it runs a program.
  tools::Manifest program = manifest.value();
  program.effect = tools::Effect::kExecute;
  CHECK(TraitsOf(program).effects == std::vector{policy::CallEffect::kSend,
                                                 policy::CallEffect::kWrite,
                                                 policy::CallEffect::kExecute});
  const auto both = Load("flow: {result: {format: json, trusted: [id], untrusted: [id]}}\n");
  CHECK(both.error().message.find("\"id\" is both trusted and untrusted") != std::string::npos);
  CHECK(TraitsOf(Load("flow: {result: echo}\n").value()).result.echo);
}

// So that the two lists of words cannot drift apart.
TEST_CASE("a manifest may use every word of the policy, and no other") {
  for (size_t i = 0; i < policy::kCallEffects; ++i) {
    const auto effect = static_cast<policy::CallEffect>(i);
    const auto manifest =
        Load(std::string("flow: {effects: [send, ") + policy::CallEffectName(effect) + "]}\n");
    REQUIRE(manifest.ok());
    CHECK(TraitsOf(manifest.value()).effects.back() == effect);
  }
  for (size_t i = 0; i < policy::kArgumentRoles; ++i) {
    const auto role = static_cast<policy::ArgumentRole>(i);
    const auto manifest =
        Load(std::string("flow: {args: {to: ") + policy::ArgumentRoleName(role) + "}}\n");
    CAPTURE(policy::ArgumentRoleName(role));
    CHECK(manifest.ok() == (role != policy::ArgumentRole::kLink));
    if (manifest.ok()) {
      CHECK(TraitsOf(manifest.value()).RoleOf("to") == role);
    }
  }
}

TEST_CASE("a mistake in a flow section is named with its line") {
  struct Row {
    const char* flow;
    const char* said;
  };
  const Row row = GENERATE(values<Row>({
      {"flow: x\n", "tool.yaml:6: flow: expected effects, args and result"},
      {"flow: {efects: [send]}\n", "flow: expected effects (a list), args (a map) and result"},
      {"flow: {effects: [sned]}\n", "flow.effects: expected one of read, fetch, write"},
      {"flow: {effects: [read]}\n", "flow.effects: less than effect: write"},
      {"flow: {args: {too: recipient}}\n", "flow.args: there is no parameter \"too\""},
      {"flow: {args: {to: link}}\n", "flow.args: expected one of option, recipient"},
      {"flow: {result: yes}\n", "flow.result: expected one of trusted, untrusted, echo"},
      {"flow: {result: {trusted: [id]}}\n", "a format: json or yaml"},
      {"flow: {result: {format: xml}}\n", "flow.result.format: expected one of json, yaml"},
      {"flow: {result: {format: json, fields: []}}\n", "expected format, trusted"},
  }));
  CAPTURE(row.flow);
  const auto manifest = Load(row.flow);
  REQUIRE_FALSE(manifest.ok());
  CHECK_THAT(manifest.error().message, Catch::Matchers::Contains(row.said));
}

}  // namespace
}  // namespace nacre::agent
