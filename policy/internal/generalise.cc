#include "policy/internal/generalise.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/safe_text.h"
#include "policy/internal/display.h"
#include "policy/internal/host.h"
#include "policy/internal/sandbox_path.h"

namespace nacre::policy {
namespace {

constexpr size_t kExactMax = 8;
constexpr size_t kListedMax = 1000;       // one_of takes no more
constexpr size_t kListedBytesMax = 4096;  // nor longer ones
constexpr size_t kPatternBytesMax = 1024;

// The character at `at`, which moves behind it; a byte that begins none is taken for U+FFFD.
uint32_t NextCharacter(std::string_view text, size_t& at) {
  const Character next = DecodeUtf8(text.substr(at));
  at += std::max<size_t>(next.bytes, 1);
  return next.bytes == 0 ? 0xFFFD : next.code;
}

// What policies cannot hold in a text: see internal/yaml_tree.
bool Sayable(const std::string& text) {
  if (text.size() > kListedBytesMax) {
    return false;
  }
  for (size_t at = 0; at < text.size();) {
    const uint32_t character = NextCharacter(text, at);
    if ((character < 0x20 && character != '\n' && character != '\t') ||
        (character >= 0x7F && character < 0xA0) || (character >= 0xE000 && character <= 0xE002) ||
        character == 0xFFFD || character == 0xFEFF || (character & 0xFFFEU) == 0xFFFE) {
      return false;
    }
  }
  return true;
}

// A regular expression for exactly these texts, each character by its number; empty when too long.
std::string PatternOf(const std::set<Json>& values) {
  std::string pattern;
  for (const Json& value : values) {
    pattern += pattern.empty() ? "" : "|";
    const auto& text = value.get_ref<const std::string&>();
    for (size_t at = 0; at < text.size();) {
      const uint32_t character = NextCharacter(text, at);
      const bool plain = (character >= 'a' && character <= 'z') ||
                         (character >= 'A' && character <= 'Z') ||
                         (character >= '0' && character <= '9') || character == '/';
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, plain ? "%c" : "\\x{%x}", character);
      pattern += escaped;
    }
    if (pattern.size() > kPatternBytesMax) {
      return {};
    }
  }
  return values.size() == 1 && pattern.empty() ? "" : pattern;
}

Generalised ByLength(const std::set<Json>& values) {
  size_t longest = 0;
  for (const Json& value : values) {
    longest = std::max(longest, value.get_ref<const std::string&>().size());
  }
  return {"max_length", longest,
          "any text of at most " + std::to_string(longest) + " bytes (" +
              std::to_string(values.size()) + " seen)"};
}

Generalised Listed(const std::set<Json>& values) {
  if (values.size() == 1) {
    return {"equals", *values.begin(), {}};
  }
  return {"one_of", Json(std::vector<Json>(values.begin(), values.end())), {}};
}

Generalised TextsExactly(const std::set<Json>& values) {
  const bool sayable = std::all_of(values.begin(), values.end(), [](const Json& value) {
    return Sayable(value.get_ref<const std::string&>());
  });
  if (sayable && values.size() <= kListedMax) {
    return Listed(values);
  }
  if (std::string pattern = PatternOf(values); !pattern.empty()) {
    return {"matches", std::move(pattern), {}};
  }
  return ByLength(values);
}

// The deepest folder that all of these are in, full.
std::string CommonFolder(const std::set<Json>& paths) {
  std::string common;
  for (const Json& value : paths) {
    const auto& path = value.get_ref<const std::string&>();
    std::string folder = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
    if (path == kWorkspaceRoot) {
      folder = path;
    }
    common = common.empty() ? folder : common;
    while (!IsUnder(folder, common)) {
      common.resize(std::max<size_t>(common.rfind('/'), 1));
    }
  }
  return common;
}

Generalised Paths(const std::set<Json>& paths) {
  if (paths.size() > kExactMax) {
    const std::string folder = CommonFolder(paths);
    if ((IsUnder(folder, kWorkspaceRoot) || paths.size() > kListedMax) && Sayable(folder)) {
      return {"under", folder,
              "every file below " + folder + " (" + std::to_string(paths.size()) + " seen)"};
    }
  }
  std::set<Json> written;
  for (const Json& value : paths) {
    const auto& path = value.get_ref<const std::string&>();
    if (!Sayable(path)) {
      return TextsExactly(paths);  // as a pattern of whole paths
    }
    const auto relative = WorkspaceRelative(path);
    written.insert(!relative.has_value() ? path : relative->empty() ? "." : *relative);
  }
  return Listed(written);
}

std::optional<Generalised> Hosts(const std::set<Json>& urls) {
  std::set<Json> hosts;
  for (const Json& value : urls) {
    const std::optional<std::string> host = HostOf(value.get_ref<const std::string&>());
    if (!host.has_value() || HostPatternProblem(*host).has_value()) {
      return std::nullopt;
    }
    hosts.insert(*host);
  }
  if (hosts.size() > kListedMax) {
    return std::nullopt;
  }
  return Generalised{"host_in", Json(std::vector<Json>(hosts.begin(), hosts.end())),
                     "every address at " + std::to_string(hosts.size()) + " hosts (" +
                         std::to_string(urls.size()) + " seen)"};
}

Generalised Numbers(const std::set<Json>& numbers) {
  const bool whole = std::all_of(numbers.begin(), numbers.end(), [](const Json& number) {
    return number.is_number_integer() && std::abs(number.get<double>()) < 9e18;
  });
  if (whole && numbers.size() > kExactMax) {
    return {"range", Json::array({*numbers.begin(), *numbers.rbegin()}),
            "every number between (" + std::to_string(numbers.size()) + " seen)"};
  }
  return Listed(numbers);
}

template <typename Is>
bool All(const std::set<Json>& values, Is is) {
  return std::all_of(values.begin(), values.end(), is);
}

}  // namespace

std::optional<Generalised> Generalise(const std::set<Json>& values, const ArgumentUse& use) {
  if (values.empty() ||
      !All(values, [](const Json& value) { return value.is_primitive() && !value.is_null(); })) {
    return std::nullopt;
  }
  if (All(values, [](const Json& value) { return value.is_number(); }) &&
      values.size() <= kListedMax) {
    return Numbers(values);
  }
  if (!All(values, [](const Json& value) { return value.is_string(); })) {
    const bool sayable = All(values, [](const Json& value) {
      return !value.is_string() || Sayable(value.get_ref<const std::string&>());
    });
    return sayable && values.size() <= kListedMax ? std::optional(Listed(values)) : std::nullopt;
  }
  if (use.is_path) {
    return Paths(values);
  }
  if (use.role == ArgumentRole::kUrl) {
    if (auto hosts = Hosts(values)) {
      return hosts;
    }
  }
  const bool free = use.role == ArgumentRole::kTitle || use.role == ArgumentRole::kBody ||
                    (use.role == ArgumentRole::kOption && values.size() > kExactMax);
  return free && !use.exact ? ByLength(values) : TextsExactly(values);
}

std::string YamlQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (size_t at = 0; at < text.size();) {
    const uint32_t character = NextCharacter(text, at);
    if (character >= 0x20 && character < 0x7F && character != '"' && character != '\\') {
      quoted += static_cast<char>(character);
      continue;
    }
    char escaped[16];
    std::snprintf(escaped, sizeof escaped,
                  character < 0x100     ? "\\x%02X"
                  : character < 0x10000 ? "\\u%04X"
                                        : "\\U%08X",
                  character);
    quoted += escaped;
  }
  return quoted + "\"";
}

std::string YamlValue(const Json& value) {
  if (value.is_string()) {
    return YamlQuoted(value.get_ref<const std::string&>());
  }
  if (!value.is_array()) {
    return DumpJson(value);
  }
  std::string list;
  for (const Json& item : value) {
    list += (list.empty() ? "" : ", ") + YamlValue(item);
  }
  return "[" + list + "]";
}

std::string CommentText(const std::string& text, size_t bytes_max) {
  std::string comment;
  for (const char c : ShownText(text, bytes_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      comment += c;
    } else if ((byte & 0xC0U) != 0x80U) {  // one for each character
      comment += '?';
    }
  }
  return comment;
}

}  // namespace nacre::policy
