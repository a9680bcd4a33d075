#include "policy/policy.h"

#include <utility>

#include "policy/internal/program.h"

namespace nacre::policy {

Policy::Policy(PolicyDocument document)
    : PolicyDocument(std::move(document)),
      shared_grant_(std::make_shared<const Grant>(grant)),
      program_(std::make_unique<const Program>(tools, *shared_grant_)) {}

Policy::~Policy() = default;

std::shared_ptr<const Policy> Policy::Compile(PolicyDocument document) {
  return std::shared_ptr<const Policy>(new Policy(std::move(document)));
}

}  // namespace nacre::policy
