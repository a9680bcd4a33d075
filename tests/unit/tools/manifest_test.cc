#include "tools/manifest.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"
#include "tests/support/skip.h"
#include "tools/python_module.h"
#include "tools/registry.h"

namespace nacre::tools {
namespace {

const char* const kGood = R"(name: word.count
description: Count words.
effect: write
idempotent: true
host_services: [memory]
program: word_count
parameters:
  type: object
  properties:
    zebra: {type: string, format: path-write}
    apple: {type: string, format: path, enum: ["1", true_story]}
    many: {type: integer, minimum: -3}
  required: [zebra]
)";

void AddTool(const std::string& folder, const std::string& yaml) {
  REQUIRE(MakeDirectories(folder).ok());
  REQUIRE(WriteFileAtomically(folder + "/tool.yaml", yaml).ok());
  REQUIRE(WriteFileAtomically(folder + "/word_count", "#!/bin/true\n", 0755).ok());
}

std::string Replaced(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a manifest is read with the order of its parameters kept") {
  const TempDir folder = TempDir::Create().value();
  AddTool(folder.path(), kGood);
  const Manifest manifest = LoadManifest(folder.path()).value();
  CHECK(manifest.name == "word.count");
  CHECK(manifest.description == "Count words.");
  CHECK(manifest.effect == Effect::kWrite);
  CHECK(manifest.idempotent);
  CHECK(manifest.host_services == std::vector{HostService::kMemory});
  CHECK(manifest.program == folder.path() + "/word_count");
  CHECK_FALSE(manifest.builtin);
  CHECK(manifest.paths ==
        std::vector<PathParameter>{{.key = "zebra", .written = true}, {.key = "apple"}});
  CHECK(DumpJson(manifest.parameters) ==
        R"({"type":"object","properties":{"zebra":{"type":"string","format":"path-write"},)"
        R"("apple":{"type":"string","format":"path","enum":["1","true_story"]},)"
        R"("many":{"type":"integer","minimum":-3}},"required":["zebra"]})");
}

// One row per mistake: where it is and what is said.
TEST_CASE("a mistake in a manifest is named with file, line and key") {
  struct Row {
    std::string yaml;
    const char* said;
  };
  const auto row = GENERATE(values<Row>({
      {"", "tool.yaml:1: expected keys and values"},
      {"- a\n", "tool.yaml:1: expected keys and values"},
      {"name: [\n", "tool.yaml:2: "},
      {Replaced("idempotent: true", "idempotant: true"), "tool.yaml:4: unknown key \"idempotant\""},
      {Replaced("idempotent: true", "name: again"), "tool.yaml:4: the key \"name\" is there twice"},
      {Replaced("idempotent: true", "idempotent: yes"), "tool.yaml:4: idempotent: expected true"},
      {Replaced("effect: write", "effect: explode"), "tool.yaml:3: effect: expected read"},
      {Replaced("effect: write", "effect: [write]"), "tool.yaml:3: effect: expected a string"},
      {Replaced("effect: write", "effect: read"), "effect: read, but a parameter has format"},
      {Replaced("effect: write\n", ""), "the key \"effect\" is missing"},
      {Replaced("word.count", "../evil"), "tool.yaml:1: name: expected 1 to 64 letters"},
      {Replaced("word.count", std::string(65, 'a')), "tool.yaml:1: name: expected 1 to 64"},
      {Replaced("word.count", "'..'"), "tool.yaml:1: name: expected 1 to 64"},
      {Replaced("word.count", ".count"), "tool.yaml:1: name: expected 1 to 64"},
      {Replaced("word.count", "word."), "tool.yaml:1: name: expected 1 to 64"},
      {Replaced("word.count", "a..b"), "tool.yaml:1: name: expected 1 to 64"},
      {Replaced("Count words.", "''"), "tool.yaml:2: description: expected 1 to 1024"},
      {Replaced("[memory]", "[network]"), "tool.yaml:5: host_services: expected [] or [memory]"},
      {Replaced("[memory]", "memory"), "tool.yaml:5: host_services: expected"},
      {Replaced("program: word_count", "program: ../word_count"), "tool.yaml:6: program: expected"},
      {Replaced("program: word_count", "program: /bin/sh"), "tool.yaml:6: program: expected"},
      {Replaced("program: word_count", "program: gone"), "No such file or directory"},
      {Replaced("program: word_count", "program: tool.yaml"), "tool.yaml:6: program: "},
      {Replaced("program: word_count", "program: .."), "is not an executable file"},
      {Replaced("idempotent: true", "interpreter: node"),
       "tool.yaml:4: interpreter: expected python3"},
      {Replaced("idempotent: true", "interpreter: /bin/sh"), "interpreter: expected python3"},
      {Replaced("idempotent: true", "interpreter: [python3]"), "interpreter: expected a string"},
      {Replaced("minimum: -3", "minimun: -3"), "unknown word \"minimun\""},
      {Replaced("minimum: -3", "minimum: '-3'"), "minimum: expected an integer"},
      {Replaced("minimum: -3", "minimum:"), "a value is missing"},
      {Replaced("many: {", "apple: {"), "tool.yaml:12: the key \"apple\" is there twice"},
      {Replaced("required: [zebra]", "required: [zebro]"), "names a key that is not in properties"},
      {std::string("description: ") + std::string(70'000, 'x'), "larger than the limit"},
  }));
  CAPTURE(row.yaml.substr(0, 400));
  const TempDir folder = TempDir::Create().value();
  AddTool(folder.path(), row.yaml);
  const Result<Manifest> manifest = LoadManifest(folder.path());
  REQUIRE_FALSE(manifest.ok());
  CHECK_THAT(manifest.error().message, Catch::Contains(row.said));
}

// Six levels of ten aliases each: 60 lines that name a million nodes.
TEST_CASE("a manifest that expands to a huge tree is refused before it is expanded") {
  std::string bomb = "parameters:\n  a0: &a0 [x]\n";
  for (int i = 1; i < 8; ++i) {
    const std::string inner = "*a" + std::to_string(i - 1);
    bomb += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + inner;
    for (int j = 0; j < 9; ++j) {
      bomb += ", " + inner;
    }
    bomb += "]\n";
  }
  const TempDir folder = TempDir::Create().value();
  AddTool(folder.path(), bomb);
  CHECK_THAT(LoadManifest(folder.path()).error().message, Catch::Contains("too large"));
}

TEST_CASE("a script for an interpreter need not be executable") {
  if (::access("/usr/bin/python3", X_OK) != 0) {
    SKIP_HERE("no /usr/bin/python3 on this host");
  }
  const TempDir folder = TempDir::Create().value();
  std::string yaml = Replaced("program: word_count", "program: tool.yaml");
  AddTool(folder.path(), yaml + "interpreter: python3\n");
  const Manifest manifest = LoadManifest(folder.path()).value();
  CHECK(manifest.interpreter == Interpreter::kPython3);
  CHECK(manifest.program.ends_with("/tool.yaml"));
  CHECK(manifest.effect == Effect::kWrite);
}

TEST_CASE("the module for tools in Python is compiled in, with its name first") {
  CHECK(PythonToolModule().starts_with("nacre_tool\n\"\"\"A tool"));
  CHECK(PythonToolModule() ==
        "nacre_tool\n" + ReadFile(NACRE_SOURCE_DIR "/sdk/python/nacre_tool.py", 1 << 20).value());
}

TEST_CASE("a program that is a symbolic link is refused") {
  const TempDir folder = TempDir::Create().value();
  AddTool(folder.path(), Replaced("program: word_count", "program: link"));
  REQUIRE(::symlink("/bin/sh", (folder.path() + "/link").c_str()) == 0);
  CHECK_THAT(LoadManifest(folder.path()).error().message,
             Catch::Contains("is not an executable file"));
}

TEST_CASE("the registry finds the tools of a directory, sorted by name") {
  const TempDir root = TempDir::Create().value();
  AddTool(root.path() + "/1", Replaced("word.count", "b"));
  AddTool(root.path() + "/2", Replaced("word.count", "a"));
  REQUIRE(MakeDirectories(root.path() + "/no-tool").ok());
  Registry registry;
  REQUIRE(registry.AddDirectory(root.path(), true).ok());
  REQUIRE(registry.all().size() == 2);
  CHECK(registry.all()[0].name == "a");
  CHECK(registry.Find("b")->builtin);
  CHECK(registry.Find("c") == nullptr);
}

TEST_CASE("a bad manifest or a taken name adds nothing at all") {
  const TempDir root = TempDir::Create().value();
  AddTool(root.path() + "/1", Replaced("word.count", "b"));
  AddTool(root.path() + "/2", Replaced("word.count", "b"));
  Registry registry;
  const Status added = registry.AddDirectory(root.path(), false);
  REQUIRE_FALSE(added.ok());
  CHECK(added.error().code == ErrorCode::kAlreadyExists);
  CHECK(registry.all().empty());

  AddTool(root.path() + "/2", "name: c\n");
  CHECK_FALSE(registry.AddDirectory(root.path(), false).ok());
  CHECK(registry.all().empty());
  CHECK(registry.AddDirectory(root.path() + "/gone", false).error().code == ErrorCode::kNotFound);
}

TEST_CASE("a folder without a tool is refused, and a tool's own folder is told from it") {
  const TempDir root = TempDir::Create().value();
  REQUIRE(MakeDirectories(root.path() + "/mine").ok());
  REQUIRE(WriteFileAtomically(root.path() + "/mine/tool.yml", "name: c\n").ok());
  Registry registry;
  const Status none = registry.AddDirectory(root.path(), false);
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == ErrorCode::kNotFound);
  CHECK_THAT(none.error().message, Catch::Contains("no sub-folder of " + root.path() + " holds") &&
                                       !Catch::Contains("above"));
  AddTool(root.path() + "/mine", Replaced("word.count", "b"));
  CHECK_THAT(registry.AddDirectory(root.path() + "/mine", false).error().message,
             Catch::Contains("name the folder above it"));
  CHECK(registry.AddDirectory(root.path(), false).ok());
}

// The names, and the order of the arguments, that models are trained on.
TEST_CASE("the built-in tools are what the model has been told they are") {
  Registry registry;
  const Status added = registry.AddDirectory(std::string(NACRE_BINARY_DIR) + "/tools", true);
  CAPTURE(added.ok() ? "" : added.error().message);
  REQUIRE(added.ok());
  std::string summary;
  for (const Manifest& manifest : registry.all()) {
    summary += manifest.name + ":";
    for (const auto& [key, property] : manifest.parameters["properties"].items()) {
      summary += " " + key;
    }
    summary += std::string(" (") + EffectName(manifest.effect) + ")\n";
  }
  CHECK(summary ==
        "fs.edit: path old new all (write)\n"
        "fs.list: path recursive pattern min_size max_size sort limit (read)\n"
        "fs.read: path start_line max_lines (read)\n"
        "fs.search: pattern path ignore_case regex files limit (read)\n"
        "fs.write: path content append (write)\n"
        "memory.note: text (write)\n"
        "memory.search: query (read)\n"
        "proc.run: argv (execute)\n");
}

}  // namespace
}  // namespace nacre::tools
