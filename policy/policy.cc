#include "policy/policy.h"

#include <utility>

#include "policy/internal/program.h"

namespace nacre::policy {

Policy::Policy(PolicyDocument document)
    : PolicyDocument(std::move(document)),
      shared_grant_(std::make_shared<const Grant>(grant)),
      program_(std::make_unique<const Program>(tools, *shared_grant_)),
      narrow_program_(std::make_unique<const Program>(narrow, Grant())) {}

const char* PerName(CallRate::Per per) {
  switch (per) {
    case CallRate::Per::kTurn:
      return "turn";
    case CallRate::Per::kSession:
      return "session";
    case CallRate::Per::kMinute:
      return "minute";
    case CallRate::Per::kHour:
      return "hour";
    case CallRate::Per::kDay:
      return "day";
  }
  return "turn";
}

Policy::~Policy() = default;

std::shared_ptr<const Policy> Policy::Compile(PolicyDocument document) {
  return std::shared_ptr<const Policy>(new Policy(std::move(document)));
}

}  // namespace nacre::policy
