#include "runtime/plot/session_trace.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "runtime/audit/record_format.h"

namespace nacre::plot {
namespace {

uint64_t BytesOf(const Json& data, std::string_view key) {
  const Json* content = FindMember(data, key);
  return content == nullptr
             ? 0
             : static_cast<uint64_t>(std::max<int64_t>(0, IntMember(*content, "bytes")));
}

std::string OneDecimal(double value) {
  std::string text = std::to_string(static_cast<int64_t>(value * 10 + 0.5));
  text.insert(text.size() < 2 ? 0 : text.size() - 1, text.size() < 2 ? "0." : ".");
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

std::string Grouped(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t at = text.size(); at > 3; at -= 3) {
    text.insert(at - 3, ",");
  }
  return text;
}

}  // namespace

std::string DateTimeText(int64_t millis) {
  std::string text = FormatRfc3339(WallTime(std::chrono::milliseconds(millis))).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string DurationText(int64_t millis) {
  const auto two = [](int64_t value, int64_t big, const char* big_name, const char* small_name) {
    return std::to_string(value / big) + " " + big_name +
           (value % big == 0 ? "" : " " + std::to_string(value % big) + " " + small_name);
  };
  if (millis < 1000) {
    return std::to_string(millis) + " ms";
  }
  if (millis < 60'000) {
    return OneDecimal(static_cast<double>(millis) / 1000) + " s";
  }
  const int64_t seconds = millis / 1000;
  return seconds < 3600    ? two(seconds, 60, "min", "s")
         : seconds < 86400 ? two(seconds / 60, 60, "h", "min")
                           : two(seconds / 3600, 24, "d", "h");
}

std::string BytesText(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return bytes < 1000        ? Count(bytes, "byte")
         : bytes < 1'000'000 ? OneDecimal(value / 1e3) + " kB"
                             : OneDecimal(value / 1e6) + " MB";
}

std::string Count(uint64_t count, std::string_view one) {
  return Grouped(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

int64_t SessionTrace::TimeOf(const Json& record) {
  const int64_t time = MillisOf(StringMember(record, "time"));
  if (records == 1) {
    span = {.begin = std::max<int64_t>(time, 0), .end = std::max<int64_t>(time, 0)};
  }
  if (time + 1000 < span.end) {
    ++clock_set_back;
  }
  // Writers may overtake each other by a moment.
  span.end = std::max(span.end, time);
  return span.end;
}

TracedCall* SessionTrace::Find(const std::string& id) {
  for (auto open = open_calls_.rbegin(); open != open_calls_.rend(); ++open) {
    if (calls[*open].id == id) {
      return &calls[*open];
    }
  }
  return nullptr;
}

void SessionTrace::SetLabels(const Json& record, int64_t now, TracedCall* by) {
  const std::vector<std::string> present = audit::LabelsOf(record);
  const auto is_present = [&](const std::string& label) {
    return std::find(present.begin(), present.end(), label) != present.end();
  };
  for (TracedLabel& known : labels) {
    if (known.span.end < 0 && !is_present(known.label)) {
      known.span.end = now;
    }
  }
  constexpr size_t kLabelsMax = 1000;
  for (const std::string& label : present) {
    const bool known = std::any_of(labels.begin(), labels.end(), [&](const TracedLabel& each) {
      return each.span.end < 0 && each.label == label;
    });
    if (!known && labels.size() < kLabelsMax) {
      labels.push_back({.label = label,
                        .span = {.begin = now, .end = -1},
                        .by = by == nullptr ? std::string() : by->tool});
      if (by != nullptr) {
        by->labels_added.push_back(label);
      }
    }
  }
}

bool SessionTrace::Add(uint64_t index, const Json& record) {
  if (records == kTraceRecordsMax) {
    cut = true;
    return false;
  }
  first_record = records == 0 ? index : first_record;
  last_record = index;
  ++records;
  const int64_t now = TimeOf(record);
  const std::string event = StringMember(record, "event");
  const std::string call_id = StringMember(record, "call");
  const Json empty = Json::object();
  const Json* found = FindMember(record, "data");
  const Json& data = found != nullptr ? *found : empty;
  if (event == "session.created") {
    session = StringMember(record, "session");
    workspace = StringMember(data, "workspace");
    policy = StringMember(data, "policy");
    model = StringMember(data, "model");
  } else if (event == "turn.started" || event == "turn.resumed") {
    turns.push_back({.id = StringMember(record, "turn"),
                     .span = {.begin = now, .end = -1},
                     .state = {},
                     .request_bytes = BytesOf(data, "request")});
  } else if ((event == "turn.finished" || event == "turn.abandoned") && !turns.empty()) {
    turns.back().span.end = now;
    turns.back().state = event == "turn.abandoned" ? "abandoned" : StringMember(data, "state");
    turns.back().answer_bytes = BytesOf(data, "answer");
  } else if (event == "model.asked") {
    engine.push_back({.begin = now, .end = now});
    asked_ = true;
  } else if (event == "model.replied" && asked_) {
    engine.back().end = now;
    asked_ = false;
  } else if (event == "call.malformed") {
    ++malformed_calls;
  } else if (event == "call.decided") {
    TracedCall call{.id = call_id,
                    .tool = StringMember(data, "tool"),
                    .rule = StringMember(record, "rule"),
                    .reason = StringMember(data, "reason"),
                    .verdict = StringMember(data, "verdict")};
    call.span = {.begin = now, .end = now};
    call.end = call.verdict == "allow" ? CallEnd::kUnknown : CallEnd::kRefused;
    call.argument_bytes = BytesOf(data, "arguments");
    if (const Json* arguments = FindMember(data, "arguments"); arguments != nullptr) {
      const std::string on = StringMember(*arguments, "erased_on");
      const std::string unreadable = StringMember(*arguments, "unreadable");
      call.arguments = !on.empty() ? "(erased on " + on.substr(0, 10) + ": " +
                                         StringMember(*arguments, "erased_reason") + ")"
                       : BoolMember(*arguments, "erased") ? "(erased)"
                       : !unreadable.empty()              ? "(" + unreadable + ")"
                                             : StringMember(*arguments, "content").substr(0, 400);
    }
    call.first_record = index;
    const std::vector<std::string> context = audit::LabelsOf(record);
    call.untrusted_context =
        std::find(context.begin(), context.end(), "integrity:untrusted") != context.end();
    open_calls_.push_back(calls.size());
    calls.push_back(std::move(call));
    constexpr size_t kOpenCallsMax = 64;  // calls run one after the other; more is a hostile log
    if (open_calls_.size() > kOpenCallsMax) {
      open_calls_.erase(open_calls_.begin());
    }
  } else if (TracedCall* call = Find(call_id); call != nullptr) {
    if (event == "call.approval") {
      call->approver = StringMember(data, "by");
      call->approved = BoolMember(data, "approved");
      call->end = call->approved ? CallEnd::kUnknown : CallEnd::kRefused;
      call->span.end = now;
    } else if (event == "workspace.commit") {
      for (const char* key : {"created", "changed", "deleted"}) {
        call->files_changed += static_cast<uint64_t>(std::max<int64_t>(0, IntMember(data, key)));
      }
    } else if (event == "call.finished" || event == "call.recovered") {
      const Json* outcome = FindMember(data, "outcome");
      call->outcome = outcome != nullptr ? StringMember(*outcome, "kind") : "";
      call->result_bytes = BytesOf(data, "result");
      call->span.end = now;
      call->end = call->outcome != "exited" && !call->outcome.empty() ? CallEnd::kStopped
                  : BoolMember(data, "error")                         ? CallEnd::kFailed
                                                                      : CallEnd::kAnswered;
      SetLabels(record, now, call);
      return true;
    }
  }
  // Not every record is about the context: one that is not has no labels, and takes none away.
  if (event.starts_with("model.") || event.starts_with("call.") || event == "turn.finished") {
    SetLabels(record, now, nullptr);
  }
  return true;
}

void SessionTrace::Finish() {
  for (TracedTurn& turn : turns) {
    turn.span.end = turn.span.end < 0 ? span.end : turn.span.end;
  }
  for (TracedLabel& label : labels) {
    label.span.end = label.span.end < 0 ? span.end : label.span.end;
  }
  if (asked_) {
    engine.back().end = span.end;
  }
}

}  // namespace nacre::plot
