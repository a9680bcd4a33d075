// MemoryService: the notes of a workspace, as a tool reaches them over its call's channel. A write
// is recorded before it is done, like every other effect.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "memory/session_store.h"
#include "runtime/audit/audit_log.h"
#include "tools/tool_channel.h"

namespace nacre::agent {

class MemoryService final : public tools::HostServices {
 public:
  struct Scope {
    std::string workspace;
    std::string session;
    std::string turn;
    std::string call;
    std::string policy_digest;
    std::vector<std::string> labels;  // of what is known by who writes a note
  };
  // Borrows the first three.
  MemoryService(memory::SessionStore& store, audit::AuditLog& log, const Clock& clock, Scope scope)
      : store_(store), log_(log), clock_(clock), scope_(std::move(scope)) {}

  Result<Json> Call(const std::string& method, const Json& arguments) override;

  // Of all notes that were answered, joined.
  const std::vector<std::string>& read_labels() const { return read_labels_; }

 private:
  memory::SessionStore& store_;
  audit::AuditLog& log_;
  const Clock& clock_;
  Scope scope_;
  std::vector<std::string> read_labels_;
};

}  // namespace nacre::agent
