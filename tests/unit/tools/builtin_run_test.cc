// proc.run and the memory tools, by hand.
#include <signal.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"
#include "tests/unit/tools/tool_process.h"

namespace nacre::testing {
namespace {

std::string Call(const std::string& tool, const Json& arguments, const std::string& directory) {
  std::string text = RunByHand(BuiltinProgram(tool), arguments, directory).out;
  REQUIRE(!text.empty());
  text.pop_back();
  return text;
}

std::string RunProgram(const std::vector<std::string>& argv, const std::string& directory = "/") {
  return Call("proc.run", {{"argv", argv}}, directory);
}

TEST_CASE("proc.run shows the exit status, then output, then errors") {
  CHECK(RunProgram({"true"}) == "exit 0");
  CHECK(RunProgram({"false"}) == "exit 1");
  CHECK(RunProgram({"echo", "a", "b"}) == "exit 0\na b");
  CHECK(RunProgram({"printf", "no end"}) == "exit 0\nno end");
  CHECK(RunProgram({"printf", "x\\n\\n"}) == "exit 0\nx\n");
  CHECK(RunProgram({"sh", "-c", "echo out; echo err >&2; exit 3"}) == "exit 3\nout\nstderr:\nerr");
  CHECK(RunProgram({"sh", "-c", "echo err >&2; exit 1"}) == "exit 1\nstderr:\nerr");
  CHECK(RunProgram({"printf", "caf\\351"}) == "exit 0\ncaf\uFFFD");
}

TEST_CASE("proc.run knows no shell") {
  CHECK(RunProgram({"echo", "$HOME", "*", ";", "true", "`id`"}) == "exit 0\n$HOME * ; true `id`");
  CHECK(RunProgram({"echo a"}) == "error: no such program: echo a");
}

TEST_CASE("proc.run describes a program that a signal ended") {
  CHECK(RunProgram({"sh", "-c", "echo begun; kill -9 $$"}) == "killed by signal 9\nbegun");
}

TEST_CASE("proc.run says why it cannot run") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(folder.path() + "/data.txt", "x").ok());
  REQUIRE(WriteFileAtomically(folder.path() + "/no-interpreter", "x", 0755).ok());
  CHECK(RunProgram({"foo"}) == "error: no such program: foo");
  CHECK(RunProgram({"./foo"}) == "error: no such program: ./foo");
  CHECK(RunProgram({".."}) == "error: no such program: ..");
  CHECK(RunProgram({"./data.txt"}, folder.path()) == "error: not executable: ./data.txt");
  CHECK(RunProgram({"./no-interpreter"}, folder.path()) ==
        "error: not executable: ./no-interpreter");
  CHECK(RunProgram({}) == "error: argv names no program");
  CHECK(RunProgram({""}) == "error: argv names no program");
  CHECK(RunProgram({std::string("ls\0x", 4)}) == "error: argv holds a NUL byte");
  CHECK_THAT(Call("proc.run", {{"argv", "ls"}}, "/"), Catch::StartsWith("error: bad arguments"));
  CHECK_THAT(Call("proc.run", {{"argv", {1}}}, "/"), Catch::StartsWith("error: bad arguments"));
}

TEST_CASE("proc.run starts a program of the workspace by its path") {
  const TempDir folder = TempDir::Create().value();
  REQUIRE(WriteFileAtomically(folder.path() + "/own", "#!/bin/sh\npwd\n", 0755).ok());
  CHECK(RunProgram({"./own"}, folder.path()) == "exit 0\n" + folder.path());
}

TEST_CASE("proc.run keeps the beginning of a long output and counts the rest") {
  // "1\n" to "N\n": the first 64 KiB end within line 12774.
  const std::string text = RunProgram({"seq", "1", "100000"});
  CHECK_THAT(text, Catch::StartsWith("exit 0\n1\n2\n") &&
                       Catch::EndsWith("\n12773\n(truncated: 87227 more lines)"));
  const std::string endless_line =
      RunProgram({"sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x"});
  CHECK(endless_line.size() < 66'000);
  CHECK_THAT(endless_line, Catch::EndsWith("x\n(truncated: 1 more line)"));
  CHECK_THAT(RunProgram({"sh", "-c", "yes | head -40000 >&2"}),
             Catch::StartsWith("exit 0\nstderr:\ny\n") &&
                 Catch::EndsWith("\ny\n(truncated: 7232 more lines)"));
}

// The background process sleeps far longer than the test may take, with the output open.
TEST_CASE("proc.run does not wait for what a program leaves running") {
  const std::string text = RunProgram({"sh", "-c", "sleep 1000 & echo $!"});
  REQUIRE(text.substr(0, 7) == "exit 0\n");
  CHECK(::kill(std::stoi(text.substr(7)), SIGKILL) == 0);
}

TEST_CASE("a program that proc.run starts has no input to wait for") {
  CHECK(RunProgram({"cat"}) == "exit 0");
}

TEST_CASE("the memory tools work by hand, with an empty memory") {
  CHECK(Call("memory.note", {{"text", "x"}}, "/") == "noted");
  CHECK(Call("memory.note", {{"text", ""}}, "/") == "error: text is empty");
  CHECK(Call("memory.search", {{"query", "x"}}, "/") == "0 notes");
}

}  // namespace
}  // namespace nacre::testing
