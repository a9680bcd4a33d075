// A yes is to one exact call, and what only looks like another is shown as what it is.
#include "runtime/agent/approval.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "base/clock.h"
#include "base/digest.h"
#include "base/random.h"
#include "base/temp_dir.h"
#include "runtime/audit/record_format.h"

namespace nacre::agent {
namespace {

struct Workspace {
  TempDir folder = TempDir::Create("approval").value();
  tools::Manifest tool;

  Workspace() { tool.name = "t.run"; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder.path() + "/" + name) << text;
  }
  ApprovalSubject Describe(const Json& arguments) const {
    ToolCall call{&tool, {.tool = "t.run", .arguments = arguments, .paths = {}}};
    if (const Json* path = FindMember(arguments, "path")) {
      call.request.paths.push_back({"path", path->get<std::string>(), policy::PathAccess::kRead});
    }
    return DescribeApproval(call, folder.path());
  }
};

TEST_CASE("what is approved holds the arguments, the workspace and the files that they name") {
  const Workspace workspace;
  workspace.Write("a.sh", "echo a");
  workspace.Write("b.txt", "b");
  const ApprovalSubject subject = workspace.Describe(
      {{"path", "/workspace/new.txt"}, {"argv", {"sh", "a.sh", "./b.txt", "/etc/passwd", "-x"}}});
  CHECK(subject.workspace == workspace.folder.path());
  CHECK(subject.files == std::vector<ApprovedFile>{{"/workspace/new.txt", "absent"},
                                                   {"/workspace/a.sh", Sha256Text("echo a")},
                                                   {"/workspace/b.txt", Sha256Text("b")}});
  const Json json = ToJson(subject);
  CHECK(json["files"]["/workspace/a.sh"] == Sha256Text("echo a"));
  CHECK(json["digest"].get<std::string>().rfind("sha256:", 0) == 0);
}

TEST_CASE("whatever a file is called, the answer can be recorded, and names stay apart") {
  const Workspace workspace;
  const std::vector<std::string> names = {"r\xC3\xA9sum\xC3\xA9.txt", "r%C3%A9sum%C3%A9.txt",
                                          "\xE6\x97\xA5 \"\x01.md"};
  for (const std::string& name : names) {
    workspace.Write(name, name);
  }
  const Json json = ToJson(workspace.Describe({{"argv", names}}));
  SystemClock clock;
  SystemRandom random;
  CHECK(audit::EncodeRecord({.event = "call.approval", .data = json}, clock, random).ok());
  REQUIRE(json["files"].size() == names.size());
  CHECK(json["files"]["/workspace/r%C3%A9sum%C3%A9.txt"] == Sha256Text(names[0]));
  CHECK(json["files"]["/workspace/r%25C3%25A9sum%25C3%25A9.txt"] == Sha256Text(names[1]));
  // Counted as it is recorded: three times as long.
  std::string longer;
  for (int i = 0; i < 6'000; ++i) {
    longer += "\xC3\xA9";
  }
  CHECK(workspace.Describe({{"path", longer}}).unbound.find("name fewer") != std::string::npos);
}

TEST_CASE("an edited call, another folder and a changed file are other subjects") {
  const Workspace workspace;
  workspace.Write("a.sh", "echo a");
  const Json arguments = {{"argv", {"sh", "a.sh"}}};
  const ApprovalSubject before = workspace.Describe(arguments);
  CHECK(workspace.Describe(arguments) == before);
  CHECK_FALSE(workspace.Describe({{"argv", {"sh", "a.sh", "-v"}}}) == before);
  CHECK_FALSE(Workspace().Describe(arguments) == before);
  workspace.Write("a.sh", "echo b");
  CHECK_FALSE(workspace.Describe(arguments) == before);
  REQUIRE(::unlink((workspace.folder.path() + "/a.sh").c_str()) == 0);
  CHECK_FALSE(workspace.Describe(arguments) == before);
}

TEST_CASE("links are not followed, and what is no file is not waited for") {
  const Workspace workspace;
  const std::string root = workspace.folder.path();
  REQUIRE(::symlink("/etc/passwd", (root + "/link").c_str()) == 0);
  REQUIRE(::symlink("/etc", (root + "/etc").c_str()) == 0);
  REQUIRE(::mkfifo((root + "/fifo").c_str(), 0600) == 0);
  const ApprovalSubject subject =
      workspace.Describe({{"argv", {"link", "fifo", "fifo/below", "none/below", "."}}});
  CHECK(subject.unbound == "");
  CHECK(subject.files ==
        std::vector<ApprovedFile>{{"/workspace/link", "link: " + Sha256Text("/etc/passwd")},
                                  {"/workspace/fifo", "unreadable"}});
}

TEST_CASE("what is behind a link to a folder cannot be approved") {
  const Workspace workspace;
  const std::string root = workspace.folder.path();
  REQUIRE(::mkdir((root + "/real").c_str(), 0700) == 0);
  workspace.Write("real/a.sh", "echo a");
  REQUIRE(::symlink("real", (root + "/alias").c_str()) == 0);
  for (const Json& arguments :
       {Json{{"argv", {"sh", "alias/a.sh"}}}, Json{{"path", "/workspace/alias/new"}}}) {
    CHECK(workspace.Describe(arguments).unbound.find("behind a link") != std::string::npos);
  }
  CHECK(workspace.Describe({{"argv", {"sh", "real/a.sh"}}}).unbound == "");
}

TEST_CASE("more files than an approval holds cannot be approved, and as many can") {
  const Workspace workspace;
  Json argv = Json::array();
  for (int i = 0; i < 256; ++i) {
    workspace.Write("f" + std::to_string(i), "x");
    argv.push_back("f" + std::to_string(i));
  }
  argv.push_back("f0");
  const ApprovalSubject most = workspace.Describe({{"argv", argv}});
  CHECK(most.unbound == "");
  CHECK(most.files.size() == 256);
  workspace.Write("more", "x");
  argv.push_back("more");
  CHECK(workspace.Describe({{"argv", argv}}).unbound.find("more than 256") != std::string::npos);
}

TEST_CASE("names that are too long for a record cannot be approved") {
  const Workspace workspace;
  CHECK(workspace.Describe({{"path", std::string(20'000, 'x')}}).unbound == "");
  CHECK(workspace.Describe({{"path", std::string(60'000, 'x')}}).unbound.find("name fewer") !=
        std::string::npos);
  CHECK(workspace.Describe({{"path", std::string(5'000, '\x01')}}).unbound.find("name fewer") !=
        std::string::npos);
}

TEST_CASE("a file above the limit is known by its size and time, however long it says it is") {
  const Workspace workspace;
  const std::string large = workspace.folder.path() + "/large";
  workspace.Write("large", "");
  REQUIRE(::truncate(large.c_str(), (64LL << 20) + 1) == 0);
  const auto digest = [&](const std::string& name) {
    return workspace.Describe({{"argv", {name}}}).files.at(0).digest;
  };
  CHECK(digest("large").rfind("large: 67108865 bytes", 0) == 0);
  REQUIRE(::truncate(large.c_str(), 64LL << 20) == 0);
  CHECK(digest("large").rfind("sha256:", 0) == 0);
  // Says 0 bytes, and has 256 GiB.
  Workspace process;
  const ToolCall call{&process.tool,
                      {.tool = "t.run", .arguments = {{"argv", {"pagemap"}}}, .paths = {}}};
  const std::string endless = DescribeApproval(call, "/proc/self").files.at(0).digest;
  if (endless == "unreadable") {
    WARN("this kernel keeps a process from reading its page map");
  } else {
    CHECK(endless.rfind("large: 0 bytes", 0) == 0);
  }
}

TEST_CASE("letters that look like others are written out") {
  struct Row {
    const char* text;
    const char* shown;
  };
  const Row row = GENERATE(values<Row>({
      {"pay alice@example.com", "pay alice@example.com"},
      {"p\xD0\xB0ypal.com", "p\\u{430}ypal.com"},  // Cyrillic a
      {"\xD1\x80\xD0\xB0", "\\u{440}\\u{430}"},    // a word of Cyrillic alone
      {"\xCE\xBFk", "\\u{3BF}k"},                  // Greek omicron
      {"\xEF\xBD\x81", "\\u{FF41}"},               // fullwidth a
      {"\xF0\x9D\x90\x9A", "\\u{1D41A}"},          // mathematical a
      {"example\xE2\x80\xA4"
       "com",
       "example\\u{2024}com"},  // one dot leader
      {"M\xC3\xBCller caf\xC3\xA9", "M\xC3\xBCller caf\xC3\xA9"},
      {"\xE6\x97\xA5\xE6\x9C\xAC", "\xE6\x97\xA5\xE6\x9C\xAC"},
      {"a\xE6\x97\xA5", "a\\u{65E5}"},  // mixed into an ASCII word
      {"", ""},
  }));
  INFO(row.text);
  CHECK(ShowConfusables(row.text) == row.shown);
}

TEST_CASE("bytes that are no UTF-8 do not end the look for confusables") {
  CHECK(ShowConfusables("\xD0"
                        "a")
            .find('a') != std::string::npos);
  CHECK_FALSE(ShowConfusables(std::string("\xF0\x9D", 2)).empty());
}

}  // namespace
}  // namespace nacre::agent
