// A policy for a test: loads or fails the case with the loader's message.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "policy/policy_loader.h"

namespace nacre::policy {

inline std::shared_ptr<const Policy> Loaded(Result<std::shared_ptr<const Policy>> result) {
  INFO((result.ok() ? std::string() : result.error().message));
  REQUIRE(result.ok());
  return std::move(result).value();
}

inline std::shared_ptr<const Policy> FromText(const std::string& text,
                                              const LoadOptions& options = {}) {
  return Loaded(LoadPolicyText("p.yaml", "nacre: policy/1\nname: p\n" + text, options));
}

// What the loader says to a document, each problem on its own line.
inline std::string Refusal(const std::string& text, const LoadOptions& options = {}) {
  const auto result = LoadPolicyText("p.yaml", text, options);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
  return result.error().message;
}

}  // namespace nacre::policy
