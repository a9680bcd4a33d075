// The table of the language is what the loader does, and what docs/ says is the table.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/file.h"
#include "base/units.h"
#include "load.h"
#include "policy/internal/document.h"
#include "policy/internal/language.h"
#include "policy/internal/settings.h"
#include "policy/language_docs.h"

namespace nacre::policy {
namespace {

namespace fs = std::filesystem;
using Type = Field::Type;

constexpr size_t kDocumentBytes = 4U << 20;

std::string InTree(const std::string& path) {
  return std::string(NACRE_SOURCE_DIR) + "/" + path;
}

// "workspace.commit.bytes", "1MiB" -> a policy with that one setting.
std::string Setting(const std::string& path, const std::string& value) {
  std::string text = value;
  for (size_t end = path.size(); end != std::string::npos;) {
    const size_t dot = end == 0 ? std::string::npos : path.rfind('.', end - 1);
    const size_t from = dot == std::string::npos ? 0 : dot + 1;
    text = path.substr(from, end - from) + ": " + (end == path.size() ? text : "{" + text + "}");
    end = dot;
  }
  return "nacre: policy/1\nname: p\n" + text + "\n";
}

std::string Written(const Field& field, int64_t value) {
  return field.type == Type::kSize      ? FormatSize(static_cast<uint64_t>(value))
         : field.type == Type::kInteger ? std::to_string(value)
                                        : FormatDuration(std::chrono::milliseconds(value));
}

std::vector<std::string> Accepted(const Field& field) {
  if (field.type == Type::kChoice) {
    return field.choices;
  }
  if (field.type == Type::kBoolean) {
    return {"true", "false"};
  }
  if (field.type == Type::kText) {
    return {"/var/lib/file"};
  }
  return {Written(field, field.minimum), Written(field, field.maximum)};
}

std::vector<std::string> Refused(const Field& field) {
  std::vector<std::string> values;
  if (field.type == Type::kChoice || field.type == Type::kBoolean) {
    values.emplace_back("something-else");
  } else if (field.type == Type::kText) {
    values.emplace_back("var/lib/file");
  } else {
    const int64_t step = field.type == Type::kSeconds ? 1000 : 1;
    values.push_back(Written(field, field.minimum - step));
    values.push_back(Written(field, field.maximum + step));
  }
  return values;
}

std::string EffectiveValue(const std::string& text, const std::string& path) {
  OrderedJson at = ToDocument(*Loaded(LoadPolicyText("p.yaml", text)));
  for (size_t from = 0; from <= path.size();) {
    const size_t dot = std::min(path.find('.', from), path.size());
    if (!at.contains(path.substr(from, dot - from))) {
      return "";
    }
    at = OrderedJson(at.at(path.substr(from, dot - from)));
    from = dot + 1;
  }
  return at.is_string() ? at.get<std::string>() : DumpJson(at);
}

TEST_CASE("a setting takes the values of its line in the table, and no others") {
  size_t settings = 0;
  for (const Field& field : LanguageFields()) {
    if (!IsSetting(field)) {
      continue;
    }
    ++settings;
    const std::string path = PathOf(field);
    for (const std::string& value : Accepted(field)) {
      INFO(path << ": " << value);
      CHECK(EffectiveValue(Setting(path, value), path) == value);
    }
    for (const std::string& value : Refused(field)) {
      INFO(path << ": " << value);
      const auto result = LoadPolicyText("p.yaml", Setting(path, value));
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().message.find(": " + path + ": ") != std::string::npos);
    }
    INFO(path);
    CHECK(EffectiveValue("nacre: policy/1\nname: p\n", path) == field.initial);
  }
  CHECK(settings >= 25);
}

TEST_CASE("a key of the table that is not enforced is refused by name") {
  size_t refused = 0;
  for (const Field& field : LanguageFields()) {
    if (field.type == Type::kNotEnforced) {
      const std::string path = PathOf(field);
      INFO(path);
      CHECK(Refusal(Setting(path, "{}")).find("this version does not enforce \"" + field.key) !=
            std::string::npos);
      ++refused;
    }
  }
  CHECK(refused > 0);
}

// The part of a document between the two marks.
TEST_CASE("docs/policy-reference.md holds the tables that nacre policy reference prints") {
  const std::string path = InTree("docs/policy-reference.md");
  const std::string begin = "<!-- keys: printed by `nacre policy reference` -->\n";
  const std::string end = "<!-- end of keys -->";
  std::string document = ReadFile(path, kDocumentBytes).value();
  const size_t from = document.find(begin);
  const size_t to = document.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  const std::string tables = "\n" + ReferenceTables() + "\n";
  const bool same = document.substr(from + begin.size(), to - from - begin.size()) == tables;
  if (!same && std::getenv("NACRE_UPDATE_DOCS") != nullptr) {
    document.replace(from + begin.size(), to - from - begin.size(), tables);
    REQUIRE(WriteFileAtomically(path, document).ok());
  }
  INFO("write it anew: NACRE_UPDATE_DOCS=1 policy_test 'docs/*', and look at the difference");
  CHECK(same);
}

TEST_CASE("docs/policy.schema.json is what nacre policy schema prints") {
  const std::string path = InTree("docs/policy.schema.json");
  const std::string schema = LanguageSchema().dump(2) + "\n";
  const Result<std::string> document = ReadFile(path, kDocumentBytes);
  const bool same = document.ok() && document.value() == schema;
  if (!same && std::getenv("NACRE_UPDATE_DOCS") != nullptr) {
    REQUIRE(WriteFileAtomically(path, schema).ok());
  }
  INFO("write it anew: NACRE_UPDATE_DOCS=1 policy_test 'docs/*', and look at the difference");
  CHECK(same);
}

// tests/style/check_policy_schema.py puts the same files to the schema.
TEST_CASE("the sample policies are valid, and the others are refused as their first line says") {
  size_t valid = 0;
  for (const auto& entry : fs::directory_iterator(InTree("tests/data/policies/valid"))) {
    INFO(entry.path());
    Loaded(LoadPolicy(entry.path().string()));
    ++valid;
  }
  size_t invalid = 0;
  for (const auto& entry : fs::directory_iterator(InTree("tests/data/policies/invalid"))) {
    INFO(entry.path());
    const std::string text = ReadFile(entry.path().string(), kDocumentBytes).value();
    const std::string mark = "# refused: ";
    REQUIRE(text.rfind(mark, 0) == 0);
    CHECK(Refusal(text) == "p.yaml:" + text.substr(mark.size(), text.find('\n') - mark.size()));
    ++invalid;
  }
  CHECK(valid >= 3);
  CHECK(invalid >= 15);
}

}  // namespace
}  // namespace nacre::policy
