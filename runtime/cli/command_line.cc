#include "runtime/cli/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::cli {
namespace {

CLI::Validator Refusing(bool (*unusable)(const std::string&), const char* why) {
  return {[unusable, why](const std::string& text) {
            return unusable(text) ? std::string(why) : std::string();
          },
          ""};
}

bool IsEmpty(const std::string& text) {
  return text.empty();
}

bool IsNoUnsigned(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error != std::errc() || end != text.data() + text.size();
}

bool IsNotFinite(const std::string& text) {
  return !std::isfinite(std::strtod(text.c_str(), nullptr));
}

// The words up to "--", which ends nacre's own options.
std::vector<std::string_view> OwnWords(int argc, char** argv) {
  const std::span<char*> all(argv, static_cast<size_t>(argc));
  std::vector<std::string_view> words(all.begin() + (all.empty() ? 0 : 1), all.end());
  words.erase(std::find(words.begin(), words.end(), "--"), words.end());
  return words;
}

std::string Explain(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* command = &root;
  std::string name = root.get_name();
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  const std::vector<std::string> left = root.remaining(true);
  const bool words_left = !left.empty() && !left.front().starts_with("-");
  if (words_left && command->get_require_subcommand_min() > 0) {
    return "there is no command \"" + left.front() + "\"; " + name + " --help lists them";
  }
  const bool quotes = words_left && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  return std::string(error.what()) + (quotes ? "; put what has spaces in quotes" : "") + "; " +
         name + " --help says what is";
}

}  // namespace

void RefuseUnusableValues(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    const bool words = option->get_positional() && option->get_items_expected_max() > 1;
    if (option->get_items_expected_max() > 0 && !words) {
      option->check(Refusing(IsEmpty, "it must not be empty"));
    }
    if (option->get_type_name().starts_with("UINT")) {
      option->check(Refusing(IsNoUnsigned, "it must be a whole number that fits 64 bits"));
    } else if (option->get_type_name().starts_with("FLOAT")) {
      option->check(Refusing(IsNotFinite, "it must be a number"));
    }
  }
  for (CLI::App* each : command.get_subcommands([](CLI::App*) { return true; })) {
    RefuseUnusableValues(*each);
  }
}

void RefuseEmptyAssignments(int argc, char** argv) {
  for (const std::string_view word : OwnWords(argc, argv)) {
    if (word.starts_with("--") && word.find('=') == word.size() - 1) {
      throw CLI::ValidationError(std::string(word.substr(0, word.size() - 1)),
                                 "it must not be empty");
    }
  }
}

int FailUsage(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) {  // --help, --version
    root.exit(error);
    return kExitOk;
  }
  const std::vector<std::string_view> words = OwnWords(argc, argv);
  Globals globals;
  globals.json = std::find(words.begin(), words.end(), "--json") != words.end();
  return Fail(globals, {ErrorCode::kInvalidArgument, Explain(root, error)}, kExitUsage);
}

}  // namespace nacre::cli
