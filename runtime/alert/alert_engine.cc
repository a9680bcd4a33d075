#include "runtime/alert/alert_engine.h"

#include <algorithm>

#include "base/digest.h"
#include "base/safe_text.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/record_time.h"

namespace nacre::alert {
namespace {

// Its text, also where it stands in the data.
std::string MemberOf(const Json& record, const std::string& name) {
  if (name == "tool" || name == "credential") {
    const Json* data = FindMember(record, "data");
    return data == nullptr ? std::string() : StringMember(*data, name);
  }
  return StringMember(record, name);
}

std::vector<std::string> ValuesOf(const Json& record, const std::string& name) {
  if (name != "label") {
    const std::string value = MemberOf(record, name);
    return value.empty() ? std::vector<std::string>() : std::vector<std::string>{value};
  }
  return audit::LabelsOf(record);
}

std::string Hash(const std::string& text) {
  constexpr size_t kDigits = 24;
  return ToHex(Sha256(text)).substr(0, kDigits);
}

// What state belongs to: a rule that means something else begins anew.
std::string IdentityOf(const AlertRule& rule) {
  const audit::RecordFilter& match = rule.match;
  std::string text = std::to_string(rule.count) + "/" + std::to_string(rule.within_ms);
  for (const std::string* part :
       {&rule.id, &match.event, &match.decision, &match.rule, &match.tool, &match.path, &match.host,
        &match.label, &match.actor, &rule.outcome, &rule.by, &rule.first, &rule.per}) {
    text += "/" + std::to_string(part->size()) + *part;
  }
  return Hash(text);
}

bool Fits(const AlertRule& rule, const Json& record) {
  if (!audit::Matches(rule.match, record)) {
    return false;
  }
  if (rule.outcome.empty()) {
    return true;
  }
  const Json* data = FindMember(record, "data");
  const Json* outcome = data == nullptr ? nullptr : FindMember(*data, "outcome");
  return outcome != nullptr && StringMember(*outcome, "kind") == rule.outcome;
}

}  // namespace

OrderedJson ToJson(const Alert& alert) {
  // A record may have any texts, up to tens of thousands of bytes.
  constexpr size_t kCharacters = 256;
  OrderedJson json = {{"event", "alert.raised"}, {"alert", alert.rule}, {"index", alert.index}};
  for (const auto& [key, text] :
       {std::pair("record", &alert.record_id), std::pair("time", &alert.time),
        std::pair("of", &alert.event), std::pair("session", &alert.session),
        std::pair("tool", &alert.tool), std::pair("rule", &alert.policy_rule),
        std::pair("value", &alert.value)}) {
    json[key] = SafeLine(*text, kCharacters);
  }
  json["count"] = alert.count;
  return json;
}

std::vector<Alert> AlertEngine::Add(uint64_t index, const Json& record) {
  std::vector<Alert> alerts;
  const std::string event = StringMember(record, "event");
  if (event.starts_with("alert.")) {
    return alerts;
  }
  for (size_t i = 0; i < rules_.rules.size(); ++i) {
    const AlertRule& rule = rules_.rules[i];
    if (!Fits(rule, record)) {
      continue;
    }
    RuleState& state = states_[i];
    Alert alert{.rule = rule.id,
                .index = index,
                .record_id = StringMember(record, "id"),
                .time = StringMember(record, "time"),
                .event = event,
                .session = StringMember(record, "session"),
                .tenant = StringMember(record, "tenant"),
                .tool = MemberOf(record, "tool"),
                .policy_rule = StringMember(record, "rule"),
                .value = {},
                .count = rule.count,
                .notify = rule.notify};
    if (!rule.first.empty()) {
      const std::string scope = rule.per.empty() ? std::string() : MemberOf(record, rule.per);
      for (const std::string& value : ValuesOf(record, rule.first)) {
        const std::string hash = Hash(scope + "\n" + value);
        if (state.seen.contains(hash)) {
          continue;
        }
        if (state.seen.size() < kValuesSeenMax) {
          state.seen.insert(hash);
        }
        alert.value = value;
        alerts.push_back(alert);
      }
      continue;
    }
    if (rule.count > 1) {
      const std::string key = rule.by.empty() ? std::string() : MemberOf(record, rule.by);
      if (!state.times.contains(key) && state.times.size() == kKeysCountedMax) {
        state.times.erase(std::min_element(
            state.times.begin(), state.times.end(),
            [](const auto& a, const auto& b) { return a.second.back() < b.second.back(); }));
      }
      std::deque<int64_t>& times = state.times[key];
      const int64_t now = audit::MillisOf(alert.time);
      times.push_back(times.empty() ? now : std::max(now, times.back()));
      while (times.back() - times.front() > rule.within_ms) {
        times.pop_front();
      }
      if (times.size() < rule.count) {
        continue;
      }
      state.times.erase(key);
      alert.value = key;
    }
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Json AlertEngine::ToState() const {
  Json state = Json::object();
  for (size_t i = 0; i < states_.size(); ++i) {
    Json times = Json::array();
    for (const auto& [key, list] : states_[i].times) {
      times.push_back({{"key", key}, {"times", list}});
    }
    state[IdentityOf(rules_.rules[i])] = {{"times", std::move(times)}, {"seen", states_[i].seen}};
  }
  return state;
}

Status AlertEngine::TakeState(const Json& state) {
  const Error bad{ErrorCode::kInvalidArgument, "it is no state of alerts"};
  for (size_t i = 0; i < states_.size(); ++i) {
    const Json* own = FindMember(state, IdentityOf(rules_.rules[i]));
    if (own == nullptr) {
      continue;
    }
    const Json* times = FindMember(*own, "times");
    const Json* seen = FindMember(*own, "seen");
    if (times == nullptr || seen == nullptr || !times->is_array() || !seen->is_array() ||
        times->size() > kKeysCountedMax || seen->size() > kValuesSeenMax) {
      return bad;
    }
    for (const Json& each : *times) {
      const Json* list = FindMember(each, "times");
      if (list == nullptr || !list->is_array() || list->empty() || list->size() > kCountMax) {
        return bad;
      }
      std::deque<int64_t>& own_times = states_[i].times[StringMember(each, "key")];
      for (const Json& time : *list) {
        if (!time.is_number_integer()) {
          return bad;
        }
        own_times.push_back(time.get<int64_t>());
      }
    }
    for (const Json& hash : *seen) {
      if (!hash.is_string()) {
        return bad;
      }
      states_[i].seen.insert(hash.get<std::string>());
    }
  }
  return Ok();
}

}  // namespace nacre::alert
