#include "runtime/audit/erasures.h"

#include <algorithm>
#include <utility>

#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/content_erase.h"
#include "runtime/audit/log_query.h"

namespace nacre::audit {

void Erasures::Load() {
  std::map<std::pair<std::string, std::string>, Erasure> found;
  const auto note = [&](uint64_t index, const Json& record) {
    const Json* data = FindMember(record, "data");
    const Json* keys = data == nullptr ? nullptr : FindMember(*data, "keys");
    if (keys == nullptr || !keys->is_array()) {
      return true;
    }
    for (const Json& key : *keys) {
      if (key.is_string()) {
        // The first one counts: after a crash the same is recorded again.
        found.emplace(std::pair(StringMember(*data, "session"), key.get<std::string>()),
                      Erasure{.record = index,
                              .time = StringMember(record, "time"),
                              .reason = StringMember(*data, "reason")});
      }
    }
    return true;
  };
  RecordFilter filter;
  filter.event = kContentErasedEvent;
  // Such a record explains nothing by others of its kind, whatever stands in it.
  const QueryOptions options{.index_directory = index_directory_,
                             .first_record = known_,
                             .explain_erased = false,
                             .progress = {}};
  const auto report = QueryAuditLog(directory_, filter, options, random_, note);
  if (!report.ok() || !report.value().problems.empty()) {
    problem_ = report.ok() ? report.value().problems.front() : report.error().message;
  }
  for (const auto& [key, erasure] : found) {
    if (report.ok() && erasure.record < report.value().signed_records) {
      erased_.emplace(key, erasure);
    }
  }
  if (report.ok() && report.value().pruned.has_value()) {
    pruned_ = Describe(*report.value().pruned);
  }
  if (report.ok()) {
    known_ = std::max(known_, report.value().signed_records);
  }
}

bool Erasures::HasGrown() {
  const std::optional<uint64_t> hint = RecordsHint(directory_);
  return std::exchange(hint_, hint) != hint;
}

void Erasures::ExplainOne(const std::string& session, Json* entry) {
  if (!BoolMember(*entry, "erased")) {
    return;
  }
  const std::pair key(session, StringMember(*entry, "key"));
  auto found = erased_.find(key);
  if (found == erased_.end() && HasGrown()) {
    Load();
    found = erased_.find(key);
  }
  if (found != erased_.end()) {
    (*entry)["erased_on"] = found->second.time;
    (*entry)["erased_reason"] = found->second.reason;
    (*entry)["erased_record"] = found->second.record;
    return;
  }
  entry->erase("erased");
  std::string why = "its key is lost: no signed record says that it was erased";
  if (!problem_.empty()) {
    why += ", as far as the log is to be read: " + problem_;
  } else if (!pruned_.empty()) {
    why += "; but " + pruned_;
  }
  (*entry)["unreadable"] = why;
}

void Erasures::Explain(Json* record) {
  const auto data = record->find("data");
  if (data == record->end() || !data->is_object()) {
    return;
  }
  for (Json& member : *data) {
    if (member.is_object()) {
      ExplainOne(StringMember(*record, "session"), &member);
    }
  }
}

}  // namespace nacre::audit
