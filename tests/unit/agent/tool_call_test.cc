#include "runtime/agent/tool_call.h"

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"

namespace nacre::agent {
namespace {

// A registry with one tool that takes a path and a number.
const tools::Registry& OneTool() {
  static const TempDir directory = TempDir::Create().value();
  static const tools::Registry registry = [] {
    const std::string folder = directory.path() + "/fs.peek";
    REQUIRE(MakeDirectories(folder).ok());
    REQUIRE(WriteFileAtomically(folder + "/peek", "#!/bin/true\n", 0755).ok());
    REQUIRE(WriteFileAtomically(folder + "/tool.yaml",
                                "name: fs.peek\n"
                                "description: Looks at a file.\n"
                                "program: peek\n"
                                "effect: read\n"
                                "idempotent: true\n"
                                "parameters:\n"
                                "  type: object\n"
                                "  properties:\n"
                                "    path: {type: string, format: path}\n"
                                "    lines: {type: integer, minimum: 1}\n"
                                "  required: [path]\n")
                .ok());
    tools::Registry filled;
    const Status added = filled.AddDirectory(directory.path(), false);
    INFO((added.ok() ? "" : added.error().message));
    REQUIRE(added.ok());
    return filled;
  }();
  return registry;
}

const PathContext kContext{"/home/ada/project", "/home/ada"};

}  // namespace

TEST_CASE("a path argument has one normal form, whatever way it is written") {
  struct Row {
    const char* written;
    const char* normal;
  };
  const auto row = GENERATE(values<Row>({
      {"a.txt", "/workspace/a.txt"},
      {"./a//b/../c", "/workspace/a/c"},
      {".", "/workspace"},
      {"", "/workspace"},
      {"..", "/"},
      {"../a", "/a"},
      {"../../../../etc/shadow", "/etc/shadow"},
      {"/etc/shadow", "/etc/shadow"},
      {"/workspace/../etc/shadow", "/etc/shadow"},
      {"/workspace-evil/x", "/workspace-evil/x"},
      {"/home/ada/project/src/a.c", "/workspace/src/a.c"},
      {"/home/ada/project", "/workspace"},
      {"/home/ada/project-evil/x", "/home/ada/project-evil/x"},
      {"/home/ada/project/../.ssh/id_rsa", "/home/ada/.ssh/id_rsa"},
      {"~/.ssh/id_rsa", "/home/ada/.ssh/id_rsa"},
      {"~/project/notes.md", "/workspace/notes.md"},
      {"~evil/x", "/workspace/~evil/x"},
      {"a/~/b", "/workspace/a/~/b"},
  }));
  CAPTURE(row.written);
  CHECK(NormalizePath(row.written, kContext) == row.normal);
}

TEST_CASE("a good call carries its normalised path in arguments and path list") {
  const auto parsed =
      ParseToolCall({"fs.peek", R"({"path":"src/../a.c","lines":3})"}, OneTool(), kContext);
  REQUIRE(std::holds_alternative<ToolCall>(parsed));
  const policy::Request& request = std::get<ToolCall>(parsed).request;
  CHECK(request.tool == "fs.peek");
  CHECK(request.arguments == Json{{"path", "/workspace/a.c"}, {"lines", 3}});
  REQUIRE(request.paths.size() == 1);
  CHECK(request.paths[0] ==
        policy::PathArgument{"path", "/workspace/a.c", policy::PathAccess::kRead});
}

TEST_CASE("whatever else the model writes is a bad call with a reason") {
  struct Row {
    const char* name;
    std::string arguments;
    const char* reason;
  };
  const auto row = GENERATE(values<Row>({
      {"fs.nope", "{}", "there is no tool"},
      {"fs.peek", "", "not valid JSON"},
      {"fs.peek", "[]", "object"},
      {"fs.peek", "{}", "path"},
      {"fs.peek", R"({"path":7})", "path"},
      {"fs.peek", R"({"path":"a","path":"b"})", "duplicate key"},
      {"fs.peek", R"({"path":"a","lines":0})", "lines"},
      {"fs.peek", R"({"path":"a","evil":1})",
       "arguments of fs.peek: /evil: no such argument; there are path, lines"},
      {"fs.peek", R"({"path":"a\u0000b"})",
       "/path: expected a path of at most 4096 bytes without NUL"},
      {"fs.peek", R"({"path":"/proc/self/cwd/a"})", "by its own path"},
      {"fs.peek", R"({"path":"x/../../proc/1/task/1/root/workspace/a"})", "by its own path"},
      {"fs.peek", R"({"path":"/proc/self/cwd"})", "by its own path"},
      {"fs.peek", R"({"path":"/dev/fd/3/a"})", "by its own path"},
      {"fs.peek", "{\"path\":\"" + std::string(5000, 'a') + "\"}",
       "/path: expected a path of at most 4096 bytes without NUL"},
      {"fs.peek", "{\"path\":\"" + std::string(300'000, 'a') + "\"}", "exceeds the limit"},
      {"fs.peek", R"({"path":[[[[[[[[[[1]]]]]]]]]]})", "nested deeper"},
  }));
  CAPTURE(row.name, row.arguments.substr(0, 60));
  const auto parsed = ParseToolCall({row.name, row.arguments}, OneTool(), kContext);
  REQUIRE(std::holds_alternative<BadToolCall>(parsed));
  CHECK_THAT(std::get<BadToolCall>(parsed).reason, Catch::Contains(row.reason));
}

}  // namespace nacre::agent
