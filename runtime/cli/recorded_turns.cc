#include "runtime/cli/recorded_turns.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "runtime/audit/record_time.h"

namespace nacre::cli {
namespace {

// Of "alice (uid 1000)" or "alice": the account; empty for anything else.
std::string AccountOf(std::string_view person) {
  const size_t end = person.find(" (uid ");
  const std::string_view rest = end == std::string_view::npos ? "" : person.substr(end);
  const std::string_view name = person.substr(0, end);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  const bool account = !name.empty() && name.front() != '-' && name.front() != '.' &&
                       std::all_of(name.begin(), name.end(), plain);
  return account && (rest.empty() || rest.back() == ')') ? std::string(name) : std::string();
}

// So that two can be added. More of anything is no number that a turn used.
int64_t CountIn(const Json& data, const char* key) {
  return std::clamp<int64_t>(IntMember(data, key), 0, std::numeric_limits<int64_t>::max() / 2);
}

}  // namespace

void RecordedTurns::Add(const Json& record) {
  const std::string event = StringMember(record, "event");
  const std::string id = StringMember(record, "turn");
  const int64_t time_ms = audit::MillisOf(StringMember(record, "time"));
  if (event == "turn.started" || event == "turn.resumed") {
    turns_[id].began_ms = time_ms;
    return;
  }
  const auto known = turns_.find(id);
  const Json* data = FindMember(record, "data");
  if (known == turns_.end() || data == nullptr) {
    return;
  }
  Turn& turn = known->second;
  policy::TurnUse& use = turn.use;
  if (event == "call.started") {
    ++use.calls[StringMember(*data, "tool")];
  } else if (event == "turn.finished") {
    use.steps = CountIn(*data, "steps");
    use.tool_calls = CountIn(*data, "calls") + CountIn(*data, "denied");
    use.tokens = CountIn(*data, "tokens");
    use.wall = std::chrono::milliseconds(std::max<int64_t>(time_ms - turn.began_ms, 0));
    if (!turn.ended.has_value()) {
      turn.ended = ended_.size();
      ended_.emplace_back();
    }
    // A turn that was resumed after its end was recorded ends again, with all that it used.
    ended_[*turn.ended] = use;
  }
}

std::vector<std::string> AccountsIn(const std::string& by) {
  constexpr std::string_view kThrough = " through the gateway";
  std::string_view rest = by;
  if (rest.ends_with(kThrough)) {
    rest.remove_suffix(kThrough.size());
  }
  std::vector<std::string> accounts;
  for (size_t begin = 0; begin <= rest.size();) {
    const size_t end = std::min(rest.find(", ", begin), rest.size());
    std::string account = AccountOf(rest.substr(begin, end - begin));
    if (account.empty()) {
      return {};
    }
    accounts.push_back(std::move(account));
    begin = end + 2;
  }
  return accounts;
}

}  // namespace nacre::cli
