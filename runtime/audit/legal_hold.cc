#include "runtime/audit/legal_hold.h"

#include <algorithm>
#include <map>

#include "base/ids.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/pruning.h"

namespace nacre::audit {
namespace {

Hold HoldOf(const Json& data, std::string time) {
  return {.id = StringMember(data, "hold"),
          .session = StringMember(data, "session"),
          .from = static_cast<uint64_t>(std::max<int64_t>(0, IntMember(data, "from"))),
          .to = static_cast<uint64_t>(std::max<int64_t>(0, IntMember(data, "to"))),
          .reason = StringMember(data, "reason"),
          .time = std::move(time)};
}

}  // namespace

Status CheckReason(const std::string& reason) {
  const bool plain = std::all_of(reason.begin(), reason.end(), [](char letter) {
    return static_cast<unsigned char>(letter) >= ' ' && letter != '\x7f';
  });
  if (reason.empty() || reason.size() > kHoldReasonBytesMax || !plain) {
    return Error{ErrorCode::kInvalidArgument, "say why, in one line of at most " +
                                                  std::to_string(kHoldReasonBytesMax) +
                                                  " bytes: --reason TEXT"};
  }
  return Ok();
}

bool Hold::Holds(uint64_t index, std::string_view record) const {
  if (session.empty()) {
    return index >= from && index <= to;
  }
  return record.find("\"session\":\"" + session + "\"") != std::string_view::npos;
}

std::string Hold::ToText() const {
  return "the hold " + id + " (" + reason + ") of " +
         (session.empty() ? "records " + std::to_string(from) + " to " + std::to_string(to)
                          : "session " + session);
}

Json ToJson(const Hold& hold) {
  Json json = {{"hold", hold.id}, {"reason", hold.reason}, {"time", hold.time}};
  if (hold.session.empty()) {
    json["from"] = hold.from;
    json["to"] = hold.to;
  } else {
    json["session"] = hold.session;
  }
  return json;
}

Json ToJson(const std::vector<Hold>& holds) {
  Json json = Json::array();
  for (const Hold& hold : holds) {
    json.push_back(ToJson(hold));
  }
  return json;
}

void ApplyHolds(const Json& record, std::vector<Hold>* holds) {
  const std::string event = StringMember(record, "event");
  const Json* data = FindMember(record, "data");
  if (data == nullptr) {
    return;
  }
  const auto remove = [&](const std::string& id) {
    std::erase_if(*holds, [&](const Hold& hold) { return hold.id == id; });
  };
  if (event == kHoldPlacedEvent) {
    remove(StringMember(*data, "hold"));
    holds->push_back(HoldOf(*data, StringMember(record, "time")));
  } else if (event == kHoldReleasedEvent) {
    remove(StringMember(*data, "hold"));
  } else if (event == kPrunedEvent) {
    const Json* carried = FindMember(*data, "holds");
    if (carried != nullptr && carried->is_array()) {
      holds->clear();
      for (const Json& hold : *carried) {
        holds->push_back(HoldOf(hold, StringMember(hold, "time")));
      }
    }
  }
}

Status LoadHolds(const std::string& directory, const std::string& index_directory, Random& random,
                 uint64_t first_record, std::vector<Hold>* holds) {
  std::map<uint64_t, Json> records;
  for (const char* event : {kHoldPlacedEvent, kHoldReleasedEvent, kPrunedEvent}) {
    RecordFilter filter;
    filter.event = event;
    std::map<uint64_t, Json> found;
    const auto keep = [&](uint64_t index, const Json& record) {
      found.emplace(index, record);
      return true;
    };
    const QueryOptions options = {
        .index_directory = index_directory, .first_record = first_record, .progress = {}};
    const QueryReport report = NACRE_TRY(QueryAuditLog(directory, filter, options, random, keep));
    if (!report.problems.empty()) {
      return Error{ErrorCode::kDataLoss, "nobody knows what is held: " + report.problems.front()};
    }
    found.erase(found.lower_bound(report.signed_records), found.end());
    records.merge(found);
  }
  for (const auto& [index, record] : records) {
    ApplyHolds(record, holds);
  }
  return Ok();
}

Result<Hold> PlaceHold(const LogChange& change, Hold hold) {
  NACRE_TRY(CheckReason(hold.reason));
  if (hold.session.empty() ? hold.to < hold.from : !IsUlid(hold.session)) {
    return Error{ErrorCode::kInvalidArgument,
                 "a hold is of a session, by its id, or of the records --from INDEX --to INDEX"};
  }
  hold.id = NewUlid(change.clock, change.random);
  auto writer = NACRE_TRY(LogWriter::Open(change.directory, change.clock, change.random,
                                          change.storage, change.sessions));
  if (!hold.session.empty()) {
    RecordFilter filter;
    filter.session = hold.session;
    const QueryOptions options = {
        .index_directory = change.index_directory, .newest = 1, .progress = {}};
    const auto any = [](uint64_t, const Json&) { return true; };
    const QueryReport report =
        NACRE_TRY(QueryAuditLog(change.directory, filter, options, change.random, any));
    if (report.found == 0) {
      return Error{ErrorCode::kNotFound, "the log has no record of session " + hold.session};
    }
  }
  std::vector<Hold> holds;
  const uint64_t known = NACRE_TRY(CheckedLog::Open(change.directory)).signed_records();
  NACRE_TRY(LoadHolds(change.directory, change.index_directory, change.random, 0, &holds));
  const auto decide = [&]() -> Result<AuditRecord> {
    NACRE_TRY(LoadHolds(change.directory, change.index_directory, change.random, known, &holds));
    if (holds.size() >= kHoldsMax) {
      return Error{ErrorCode::kResourceExhausted,
                   "there are " + std::to_string(holds.size()) + " holds: release one first"};
    }
    std::vector<Hold> all = holds;
    all.push_back(hold);
    all.back().time = FormatRfc3339(change.clock.Now());
    if (DumpJson(ToJson(all)).size() > kHoldsBytesMax) {
      return Error{ErrorCode::kResourceExhausted,
                   "the holds in force and this one have more than " +
                       std::to_string(kHoldsBytesMax) +
                       " bytes together: release one first, or give a shorter reason"};
    }
    CheckedLog log = NACRE_TRY(CheckedLog::Open(change.directory));
    const auto pruning = NACRE_TRY(FindPruning(log));
    if (hold.session.empty() && pruning.has_value() && hold.from < pruning->before) {
      return Error{ErrorCode::kNotFound, "too late: " + Describe(*pruning)};
    }
    if (hold.session.empty() && hold.to >= log.signed_records()) {
      return Error{ErrorCode::kNotFound,
                   "the log has only " + std::to_string(log.signed_records()) + " records"};
    }
    Json data = ToJson(hold);
    data.erase("time");
    return AuditRecord{.event = kHoldPlacedEvent, .data = std::move(data)};
  };
  const uint64_t index = NACRE_TRY(writer->CommitSigned(decide));
  NACRE_TRY(ReadAuditLog(change.directory, index, [&](uint64_t, const Json& record) {
    hold.time = StringMember(record, "time");
    return false;
  }));
  return hold;
}

Status ReleaseHold(const LogChange& change, const std::string& id, const std::string& reason) {
  NACRE_TRY(CheckReason(reason));
  auto writer = NACRE_TRY(LogWriter::Open(change.directory, change.clock, change.random,
                                          change.storage, change.sessions));
  std::vector<Hold> holds;
  const uint64_t known = NACRE_TRY(CheckedLog::Open(change.directory)).signed_records();
  NACRE_TRY(LoadHolds(change.directory, change.index_directory, change.random, 0, &holds));
  const auto decide = [&]() -> Result<AuditRecord> {
    NACRE_TRY(LoadHolds(change.directory, change.index_directory, change.random, known, &holds));
    if (std::none_of(holds.begin(), holds.end(), [&](const Hold& hold) { return hold.id == id; })) {
      return Error{ErrorCode::kNotFound, "no hold " + id + " is in force; see nacre audit holds"};
    }
    return AuditRecord{.event = kHoldReleasedEvent, .data = {{"hold", id}, {"reason", reason}}};
  };
  NACRE_TRY(writer->CommitSigned(decide));
  return Ok();
}

}  // namespace nacre::audit
