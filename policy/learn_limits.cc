#include "policy/learn_limits.h"

#include <algorithm>

#include "policy/internal/generalise.h"
#include "policy/internal/language.h"

namespace nacre::policy {
namespace {

constexpr int64_t kMillisecondsOfASecond = 1000;

// Half as much again, but what the language lets be.
int64_t Roomy(int64_t most, const Field& field) {
  const int64_t known = std::clamp<int64_t>(most, 0, field.maximum);
  const int64_t half = known / 2 + known % 2;
  return std::max(field.minimum, known > field.maximum - half ? field.maximum : known + half);
}

template <typename Part>
int64_t MostOf(const std::vector<TurnUse>& turns, const Part& part) {
  int64_t most = 0;
  for (const TurnUse& turn : turns) {
    most = std::max<int64_t>(most, part(turn));
  }
  return most;
}

}  // namespace

std::vector<std::string> Unrated(const std::vector<TurnUse>& turns,
                                 const std::set<std::string>& rated) {
  std::vector<std::string> without;
  for (const std::string& tool : rated) {
    if (std::none_of(turns.begin(), turns.end(),
                     [&](const TurnUse& turn) { return turn.calls.count(tool) > 0; })) {
      without.push_back(tool);
    }
  }
  return without;
}

std::string LimitsYaml(const std::vector<TurnUse>& turns, const std::set<std::string>& rated) {
  if (turns.empty()) {
    return {};
  }
  const std::string of_turns =
      turns.size() == 1 ? "the one turn" : "the most of " + std::to_string(turns.size()) + " turns";
  const auto line = [&](const char* key, int64_t most, const std::string& value,
                        const std::string& unit) {
    return std::string("    ") + key + ": " + value + "  # " + of_turns + " was " +
           std::to_string(most) + unit + ", and half as much again\n";
  };
  std::string yaml = "\nbudgets:\n  turn:\n";
  const auto count = [&](const char* key, int64_t most) {
    yaml += line(key, most, std::to_string(Roomy(most, FieldOf("budgets.turn", key))), "");
  };
  count("steps", MostOf(turns, [](const TurnUse& turn) { return turn.steps; }));
  count("tool_calls", MostOf(turns, [](const TurnUse& turn) { return turn.tool_calls; }));
  count("tokens", MostOf(turns, [](const TurnUse& turn) { return turn.tokens; }));
  const int64_t wall_ms = MostOf(turns, [](const TurnUse& turn) { return turn.wall.count(); });
  // In whole seconds, of which a short turn gets one.
  const int64_t wall_s =
      (Roomy(wall_ms, FieldOf("budgets.turn", "wall")) + kMillisecondsOfASecond - 1) /
      kMillisecondsOfASecond;
  yaml += line("wall", wall_ms, std::to_string(wall_s) + "s", " ms");
  std::string rates;
  int number = 0;
  for (const std::string& tool : rated) {
    const int64_t most = MostOf(turns, [&](const TurnUse& turn) {
      const auto found = turn.calls.find(tool);
      return found == turn.calls.end() ? 0 : static_cast<int64_t>(found->second);
    });
    if (most > 0) {
      rates += "    - {id: learned-" + std::to_string(++number) +
               ", reason: more calls than any recorded turn had, tool: " + YamlQuoted(tool) +
               ", calls: " + std::to_string(most) + ", per: turn}  # as many as in " +
               (turns.size() == 1 ? "the one turn" : "the turn that had most") + "\n";
    }
  }
  return yaml + (rates.empty() ? "" : "  rates:\n" + rates);
}

}  // namespace nacre::policy
