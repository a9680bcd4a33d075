// A file of queries from hostile bytes: reading never crashes, and what is read can be asked.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/analysis/prover.h"
#include "policy/analysis/query.h"
#include "policy/policy_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace nacre;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto queries = policy::ParseProofQueries("fuzz.yaml", text);
  if (!queries.ok()) {
    return queries.error().message.empty() ? (std::abort(), 0) : 0;
  }
  // A policy that allows nothing lets nothing, whatever the query speaks of.
  static const auto kNothing =
      policy::LoadPolicyText("n.yaml", "nacre: policy/1\nname: n\n").value();
  static const std::vector<policy::ToolModel> kTools = {
      {.name = "fs.read", .schema = {}, .paths = {{"path", policy::PathAccess::kRead}}}};
  policy::ProverInput input{.policy = kNothing.get(), .tools = &kTools};
  input.read = [](const policy::CandidateCall& call) {
    return policy::Request{.tool = call.tool, .arguments = call.arguments, .paths = {}};
  };
  for (const policy::ProofQuery& query : queries.value()) {
    if (query.id.empty()) {
      std::abort();
    }
    if (query.kind == policy::ProofQuery::Kind::kNothingLets &&
        policy::Prove(input, query).status != policy::ProofStatus::kProved) {
      std::abort();
    }
  }
  return 0;
}
