#include "tools/builtin/common/size.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "nacre/sdk/tool.h"
#include "tools/builtin/common/path.h"
#include "tools/builtin/common/text.h"

namespace nacre::tools::builtin {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double bytes;
};
constexpr Unit kUnits[] = {
    {"", 1},         {"b", 1},           {"byte", 1},           {"bytes", 1},
    {"k", 1e3},      {"kb", 1e3},        {"kilobyte", 1e3},     {"kilobytes", 1e3},
    {"m", 1e6},      {"mb", 1e6},        {"megabyte", 1e6},     {"megabytes", 1e6},
    {"g", 1e9},      {"gb", 1e9},        {"gigabyte", 1e9},     {"gigabytes", 1e9},
    {"kib", 1024.0}, {"mib", 1048576.0}, {"gib", 1073741824.0},
};

}  // namespace

double ParseSize(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    if (c != ' ') {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  double number = 0;
  const auto [end, failure] =
      std::from_chars(plain.data(), plain.data() + plain.size(), number, std::chars_format::fixed);
  const std::string_view unit_name(end, static_cast<size_t>(plain.data() + plain.size() - end));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const Unit& known) { return known.name == unit_name; });
  // The first character keeps out "-1", "inf" and "nan".
  if (failure != std::errc() || unit == std::end(kUnits) ||
      std::isdigit(static_cast<unsigned char>(plain.front())) == 0) {
    throw sdk::ToolError("not a size: " + ShownName(Cut(text, 64, "...")));
  }
  return number * unit->bytes;
}

}  // namespace nacre::tools::builtin
