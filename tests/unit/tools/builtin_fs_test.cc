// The file tools through their programs, on trees of their own. The texts are those that models are
// trained on: a change here changes what a model has learnt.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/file.h"
#include "base/temp_dir.h"
#include "tests/support/skip.h"
#include "tests/unit/tools/tool_process.h"

namespace nacre::testing {
namespace {

class Tree final {
 public:
  const std::string& path() const { return folder_.path(); }

  void Add(const std::string& name, const std::string& content) const {
    const std::string whole = path() + "/" + name;
    REQUIRE(MakeDirectories(whole.substr(0, whole.rfind('/'))).ok());
    REQUIRE(WriteFileAtomically(whole, content, 0644).ok());
  }
  std::string Read(const std::string& name) const {
    return ReadFile(path() + "/" + name, 128U << 20).value();
  }
  // What the model sees.
  std::string Call(const std::string& tool, const Json& arguments) const {
    Ran ran = RunByHand(BuiltinProgram(tool), arguments, path());
    const bool error = ran.out.rfind("error: ", 0) == 0;
    CAPTURE(tool, ran.out, ran.err);
    CHECK(ran.status == (error ? 1 : 0));
    REQUIRE(!ran.out.empty());
    ran.out.pop_back();  // the newline that --call adds for people
    return ran.out;
  }

 private:
  TempDir folder_ = TempDir::Create().value();
};

void SetTime(const std::string& path, time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

// ---- fs.list

TEST_CASE("fs.list counts and shows what is there, directories first") {
  const Tree tree;
  tree.Add("report.csv", std::string(20480, 'x'));
  tree.Add("map.svg", std::string(15210, 'x'));
  tree.Add("zoo/deep/.hidden", "1");
  CHECK(tree.Call("fs.list", Json::object()) ==
        "2 files, 1 directory\nzoo/\nmap.svg 15210\nreport.csv 20480");
  CHECK(tree.Call("fs.list", {{"path", tree.path() + "/zoo/./"}}) == "0 files, 1 directory\ndeep/");
  CHECK(tree.Call("fs.list", {{"recursive", true}}) ==
        "3 files, 2 directories\nzoo/\nzoo/deep/\nmap.svg 15210\nreport.csv 20480\n"
        "zoo/deep/.hidden 1");
  CHECK(tree.Call("fs.list", {{"path", "zoo"}, {"recursive", true}}) ==
        "1 file, 1 directory\ndeep/\ndeep/.hidden 1");
}

TEST_CASE("fs.list of an empty directory is a count line") {
  CHECK(Tree().Call("fs.list", Json::object()) == "0 files, 0 directories");
}

TEST_CASE("fs.list filters by size, strictly, and then shows files only") {
  const Tree tree;
  tree.Add("a", std::string(999, 'x'));
  tree.Add("b", std::string(1000, 'x'));
  tree.Add("c", std::string(1001, 'x'));
  tree.Add("d/e", std::string(2000, 'x'));
  CHECK(tree.Call("fs.list", {{"min_size", "1 kB"}}) == "1 file, 0 directories\nc 1001");
  CHECK(tree.Call("fs.list", {{"max_size", "1kB"}}) == "1 file, 0 directories\na 999");
  CHECK(tree.Call("fs.list", {{"min_size", "999"}, {"max_size", "1001 bytes"}}) ==
        "1 file, 0 directories\nb 1000");
}

TEST_CASE("fs.list understands sizes as people write them") {
  struct Row {
    const char* text;
    const char* result;  // of three files with 10000, 10240 and 1500000 bytes: which are larger
  };
  const auto row = GENERATE(values<Row>({
      {"9999", "3 files"},
      {"10 kB", "2 files"},
      {"10KB", "2 files"},
      {"10k", "2 files"},
      {"10 KiB", "1 file"},
      {"1.5 MB", "0 files"},
      {"1.4 megabytes", "1 file"},
      {" 10240 bytes ", "1 file"},
      {"1 GiB", "0 files"},
      {"", "error: not a size: "},
      {"ten", "error: not a size: ten"},
      {"10 apples", "error: not a size: 10 apples"},
      {"-1", "error: not a size: -1"},
      {"1e3", "error: not a size: 1e3"},
      {"inf", "error: not a size: inf"},
      {"1..5", "error: not a size: 1..5"},
      {"kB", "error: not a size: kB"},
  }));
  CAPTURE(row.text);
  const Tree tree;
  tree.Add("a", std::string(10000, 'x'));
  tree.Add("b", std::string(10240, 'x'));
  tree.Add("c", std::string(1500000, 'x'));
  const std::string text = tree.Call("fs.list", {{"min_size", row.text}});
  CHECK(text.substr(0, std::string(row.result).size()) == row.result);
}

TEST_CASE("fs.list matches globs on names") {
  const Tree tree;
  for (const char* name : {"a.txt", "B.TXT", "c.md", "x/d.txt", "[e", "é.py"}) {
    tree.Add(name, "");
  }
  const auto listed = [&](const char* pattern) {
    return tree.Call("fs.list", {{"pattern", pattern}});
  };
  CHECK(listed("*.txt") == "1 file, 0 directories\na.txt 0");
  CHECK(listed("?.??") == "2 files, 0 directories\nc.md 0\né.py 0");
  CHECK(listed("[a-b]*") == "1 file, 0 directories\na.txt 0");
  CHECK(listed("[!a-z]*") == "3 files, 0 directories\nB.TXT 0\n[e 0\né.py 0");
  CHECK(listed("[e") == "1 file, 0 directories\n[e 0");
  CHECK(listed("x") == "0 files, 1 directory\nx/");
  CHECK(listed("d*") == "0 files, 0 directories");
  CHECK(tree.Call("fs.list", {{"pattern", "d*"}, {"recursive", true}}) ==
        "1 file, 0 directories\nx/d.txt 0");
}

TEST_CASE("fs.list takes the first braces of a glob as alternatives") {
  const Tree tree;
  for (const char* name : {"a.png", "b.jpg", "c.txt", "{d}", "e{f,g}", "h,i"}) {
    tree.Add(name, "");
  }
  const auto listed = [&](const char* pattern) {
    return tree.Call("fs.list", {{"pattern", pattern}});
  };
  CHECK(listed("*.{png,jpg}") == "2 files, 0 directories\na.png 0\nb.jpg 0");
  CHECK(listed("{a,c}.*") == "2 files, 0 directories\na.png 0\nc.txt 0");
  CHECK(listed("{b.jpg,}") == "1 file, 0 directories\nb.jpg 0");
  // No alternatives: what does not end, has no comma or comes after the first stands for itself.
  CHECK(listed("{d}") == "1 file, 0 directories\n{d} 0");
  CHECK(listed("{png,jpg") == "0 files, 0 directories");
  CHECK(listed("{e,x}{f,g}") == "1 file, 0 directories\ne{f,g} 0");
}

// Exponential matchers need hours for this.
TEST_CASE("fs.list is quick whatever the glob") {
  const Tree tree;
  tree.Add(std::string(200, 'a'), "");
  std::string pattern;
  for (int i = 0; i < 100; ++i) {
    pattern += "a*";
  }
  CHECK(tree.Call("fs.list", {{"pattern", pattern + "b"}}) == "0 files, 0 directories");
  std::string alternatives = "{";
  for (int i = 0; i < 60; ++i) {
    alternatives += "a*b,";
  }
  CHECK(tree.Call("fs.list", {{"pattern", alternatives + "c}"}}) == "0 files, 0 directories");
}

TEST_CASE("fs.list sorts by size and time and says when it shows only the first") {
  const Tree tree;
  tree.Add("small", "1");
  tree.Add("large", "12345");
  tree.Add("middle", "123");
  tree.Add("also", "123");
  tree.Add("d/x", "");
  SetTime(tree.path() + "/small", 4000);
  SetTime(tree.path() + "/large", 1000);
  SetTime(tree.path() + "/middle", 2000);
  SetTime(tree.path() + "/also", 3000);
  CHECK(tree.Call("fs.list", {{"sort", "size"}}) ==
        "4 files, 0 directories\nlarge 5\nalso 3\nmiddle 3\nsmall 1");
  CHECK(tree.Call("fs.list", {{"sort", "time"}}) ==
        "4 files, 1 directory\nsmall 1\nalso 3\nmiddle 3\nlarge 5\nd/");
  CHECK(tree.Call("fs.list", {{"sort", "size"}, {"limit", 1}}) ==
        "4 files, 0 directories (first 1 shown)\nlarge 5");
  CHECK(tree.Call("fs.list", {{"limit", 2}}) == "4 files, 1 directory (first 2 shown)\nd/\nalso 3");
  CHECK(tree.Call("fs.list", {{"limit", 5}}).find("shown") == std::string::npos);
}

TEST_CASE("fs.list shows the first 1000 of very many, and counts all") {
  const Tree tree;
  for (int i = 0; i < 1100; ++i) {
    const UniqueFd file(::open((tree.path() + "/f" + std::to_string(i)).c_str(),
                               O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    REQUIRE(file.valid());
  }
  const std::string text = tree.Call("fs.list", Json::object());
  CHECK(text.substr(0, text.find('\n')) == "1100 files, 0 directories (first 1000 shown)");
  CHECK(std::count(text.begin(), text.end(), '\n') == 1000);
}

TEST_CASE("fs.list shows hostile names as one harmless entry each") {
  const Tree tree;
  tree.Add("new\nline 10", "");
  tree.Add("bad\xFFutf8", "");
  tree.Add("-rf", "");
  tree.Add("esc\x1b[31m", "");
  tree.Add(std::string(240, 'n'), "");
  CHECK(tree.Call("fs.list", Json::object()) ==
        "5 files, 0 directories\n-rf 0\nbad\uFFFDutf8 0\nesc\uFFFD[31m 0\nnew\uFFFDline 10 0\n" +
            std::string(240, 'n') + " 0");
}

TEST_CASE("fs.list shows symlinks as such, and does not follow them down") {
  const Tree tree;
  tree.Add("d/x", "1");
  REQUIRE(::symlink("d", (tree.path() + "/link").c_str()) == 0);
  REQUIRE(::symlink(".", (tree.path() + "/d/loop").c_str()) == 0);
  CHECK(tree.Call("fs.list", {{"recursive", true}}) ==
        "3 files, 1 directory\nd/\nd/loop -> .\nd/x 1\nlink -> d");
}

TEST_CASE("fs.list does not show what is inside .git") {
  const Tree tree;
  tree.Add(".git/config", "1");
  tree.Add("sub/.git/config", "1");
  CHECK(tree.Call("fs.list", {{"recursive", true}}) ==
        "0 files, 3 directories\n.git/\nsub/\nsub/.git/");
  CHECK(tree.Call("fs.list", {{"path", ".git"}}) == "1 file, 0 directories\nconfig 1");
}

TEST_CASE("fs.list says why it cannot list") {
  const Tree tree;
  tree.Add("notes.txt", "");
  CHECK(tree.Call("fs.list", {{"path", "data/x"}}) == "error: no such directory: data/x");
  CHECK(tree.Call("fs.list", {{"path", "notes.txt"}}) == "error: not a directory: notes.txt");
  CHECK(tree.Call("fs.list", {{"path", ""}}) == "error: path is empty");
  CHECK(tree.Call("fs.list", {{"path", std::string("a\0b", 3)}}) == "error: path holds a NUL byte");
  CHECK(tree.Call("fs.list", {{"sort", "colour"}}) == "error: sort: expected name, size or time");
  CHECK_THAT(tree.Call("fs.list", {{"path", 7}}), Catch::StartsWith("error: bad arguments"));
  CHECK(tree.Call("fs.list", {{"path", std::string(300, 'n')}}) ==
        "error: file name too long: " + std::string(256, 'n') + "...");
}

// ---- fs.read

TEST_CASE("fs.read shows the lines of a file below its size") {
  const Tree tree;
  tree.Add("a.txt", "first line\nsecond\nthird\n");
  tree.Add("empty", "");
  tree.Add("open end", "x");
  tree.Add("blank", "a\n\n");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}}) ==
        "3 lines, 24 bytes\nfirst line\nsecond\nthird");
  CHECK(tree.Call("fs.read", {{"path", "empty"}}) == "0 lines, 0 bytes");
  CHECK(tree.Call("fs.read", {{"path", "open end"}}) == "1 line, 1 byte\nx");
  CHECK(tree.Call("fs.read", {{"path", "blank"}}) == "2 lines, 3 bytes\na\n");
}

TEST_CASE("fs.read shows a part and says which") {
  const Tree tree;
  tree.Add("a.txt", "1\n2\n3\n4\n5\n");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}, {"max_lines", 2}}) ==
        "5 lines, 10 bytes (lines 1-2 shown)\n1\n2");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}, {"start_line", 4}}) ==
        "5 lines, 10 bytes (lines 4-5 shown)\n4\n5");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}, {"start_line", 3}, {"max_lines", 1}}) ==
        "5 lines, 10 bytes (lines 3-3 shown)\n3");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}, {"max_lines", 5}}) ==
        "5 lines, 10 bytes\n1\n2\n3\n4\n5");
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}, {"start_line", 6}}) ==
        "error: line 6 is after the end of a.txt (5 lines)");
}

TEST_CASE("fs.read bounds what it shows by lines, bytes, and bytes of a line") {
  const Tree tree;
  std::string many;
  for (int i = 0; i < 3000; ++i) {
    many += "x\n";
  }
  tree.Add("many", many);
  CHECK_THAT(tree.Call("fs.read", {{"path", "many"}}),
             Catch::StartsWith("3000 lines, 6000 bytes (lines 1-2000 shown)\nx\n"));
  std::string wide;
  for (int i = 0; i < 100; ++i) {
    wide += std::string(1023, 'y') + "\n";
  }
  tree.Add("wide", wide);
  CHECK_THAT(tree.Call("fs.read", {{"path", "wide"}}),
             Catch::StartsWith("100 lines, 102400 bytes (lines 1-64 shown)\n"));
  // The cut must not split the two bytes of é.
  tree.Add("long", std::string(4095, 'z') + "é" + std::string(1000, 'z') + "\nend\n");
  CHECK(tree.Call("fs.read", {{"path", "long"}}) ==
        "2 lines, 5102 bytes\n" + std::string(4095, 'z') + " (1002 more bytes)\nend");
}

TEST_CASE("fs.read replaces invalid UTF-8 and refuses what is not text") {
  const Tree tree;
  tree.Add("latin1", "caf\xE9\n");
  tree.Add("logo.png", std::string("\x89PNG\0", 5));
  CHECK(tree.Call("fs.read", {{"path", "latin1"}}) == "1 line, 5 bytes\ncaf\uFFFD");
  CHECK(tree.Call("fs.read", {{"path", "logo.png"}}) == "error: not text: logo.png (5 bytes)");
}

TEST_CASE("fs.read says why it cannot read") {
  const Tree tree;
  tree.Add("src/x", "");
  REQUIRE(::mkfifo((tree.path() + "/fifo").c_str(), 0600) == 0);
  CHECK(tree.Call("fs.read", {{"path", "a.txt"}}) == "error: no such file: a.txt");
  CHECK(tree.Call("fs.read", {{"path", "./src/../b"}}) == "error: no such file: b");
  CHECK(tree.Call("fs.read", {{"path", "src"}}) == "error: is a directory: src");
  CHECK(tree.Call("fs.read", {{"path", "src/x/y"}}) == "error: not a directory: src/x/y");
  CHECK(tree.Call("fs.read", {{"path", "fifo"}}) == "error: not a regular file: fifo");
  CHECK(tree.Call("fs.read", {{"path", "/dev/zero"}}) == "error: not a regular file: /dev/zero");
  CHECK(tree.Call("fs.read", Json::object()) == "error: path is missing");
}

// ---- fs.write

TEST_CASE("fs.write creates, replaces and appends, and ends files with a newline") {
  const Tree tree;
  CHECK(tree.Call("fs.write", {{"path", "big.txt"}, {"content", "report.csv\nmap.svg"}}) ==
        "wrote big.txt: 2 lines, 19 bytes");
  CHECK(tree.Read("big.txt") == "report.csv\nmap.svg\n");
  CHECK(tree.Call("fs.write", {{"path", "big.txt"}, {"content", "new\n"}}) ==
        "replaced big.txt: 1 line, 4 bytes");
  CHECK(tree.Call("fs.write", {{"path", "big.txt"}, {"content", "notes.txt"}, {"append", true}}) ==
        "appended to big.txt: 1 line, 10 bytes");
  CHECK(tree.Read("big.txt") == "new\nnotes.txt\n");
  CHECK(tree.Call("fs.write", {{"path", "e"}, {"content", ""}}) == "wrote e: 0 lines, 0 bytes");
  CHECK(tree.Call("fs.write", {{"path", "n"}, {"content", "a"}, {"append", true}}) ==
        "appended to n: 1 line, 2 bytes");
}

TEST_CASE("fs.write appends on a line of its own") {
  const Tree tree;
  tree.Add("open", "no end");
  CHECK(tree.Call("fs.write", {{"path", "open"}, {"content", "x"}, {"append", true}}) ==
        "appended to open: 1 line, 2 bytes");
  CHECK(tree.Read("open") == "no end\nx\n");
}

TEST_CASE("fs.write makes missing directories and takes names as they are") {
  const Tree tree;
  CHECK(tree.Call("fs.write", {{"path", "a/b/c.txt"}, {"content", "x"}}) ==
        "wrote a/b/c.txt: 1 line, 2 bytes");
  CHECK(tree.Read("a/b/c.txt") == "x\n");
  CHECK(tree.Call("fs.write", {{"path", "-rf *"}, {"content", "x"}}) ==
        "wrote -rf *: 1 line, 2 bytes");
  CHECK(tree.Call("fs.write", {{"path", "new\nline"}, {"content", "x"}}) ==
        "wrote new\uFFFDline: 1 line, 2 bytes");
}

TEST_CASE("fs.write keeps permissions, and leaves no temporary file") {
  const Tree tree;
  tree.Add("script", "old");
  REQUIRE(::chmod((tree.path() + "/script").c_str(), 04755) == 0);
  tree.Call("fs.write", {{"path", "script"}, {"content", "new"}});
  struct stat info {};
  REQUIRE(::stat((tree.path() + "/script").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0755);
  CHECK(tree.Call("fs.list", Json::object()) == "1 file, 0 directories\nscript 4");
}

// A reader that opened the file before keeps the old content: it was replaced, not overwritten.
TEST_CASE("fs.write never shows a part of the new content") {
  const Tree tree;
  tree.Add("file", "old content\n");
  const UniqueFd before(::open((tree.path() + "/file").c_str(), O_RDONLY | O_CLOEXEC));
  tree.Call("fs.write", {{"path", "file"}, {"content", "new"}});
  char bytes[64] = {};
  CHECK(::read(before.get(), bytes, sizeof bytes) == 12);
  CHECK(std::string(bytes) == "old content\n");
}

TEST_CASE("fs.write says why it cannot write, and changes nothing then") {
  const Tree tree;
  tree.Add("src/x", "x");
  REQUIRE(::symlink("src/x", (tree.path() + "/link").c_str()) == 0);
  REQUIRE(::mkfifo((tree.path() + "/fifo").c_str(), 0600) == 0);
  const auto written = [&](const std::string& path) {
    return tree.Call("fs.write", {{"path", path}, {"content", "x"}});
  };
  CHECK(written("src") == "error: is a directory: src");
  CHECK(written(".") == "error: is a directory: .");
  CHECK(written("link") == "error: is a symbolic link to src/x: link");
  CHECK(written("fifo") == "error: not a regular file: fifo");
  CHECK(written("src/x/y") == "error: not a directory: src/x/y");
  CHECK(written(std::string(300, 'n')).substr(0, 27) == "error: file name too long: ");
  CHECK(written("/proc/nacre") == "error: no such file: /proc/nacre");
  CHECK(tree.Call("fs.write", {{"path", "y"}}).substr(0, 20) == "error: bad arguments");
  CHECK(tree.Read("src/x") == "x");
}

TEST_CASE("fs.write and fs.edit respect what is read-only") {
  if (::geteuid() == 0) {
    SKIP_HERE("root may write files that are read-only by their mode");
  }
  const Tree tree;
  tree.Add("policy.yaml", "x");
  REQUIRE(::chmod((tree.path() + "/policy.yaml").c_str(), 0444) == 0);
  CHECK(tree.Call("fs.write", {{"path", "policy.yaml"}, {"content", "y"}}) ==
        "error: permission denied: policy.yaml");
  CHECK(tree.Call("fs.edit", {{"path", "policy.yaml"}, {"old", "x"}, {"new", "y"}}) ==
        "error: permission denied: policy.yaml");
}

// In a mount namespace of its own, as the sandbox protects a file: bound over itself, read-only.
TEST_CASE("fs.write and fs.edit say that a protected file is read-only") {
  const Tree tree;
  tree.Add("policy.yaml", "x");
  const std::string file = tree.path() + "/policy.yaml";
  const std::string protect = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
  const std::vector<std::string> prefix = {"/usr/bin/unshare", "--map-root-user", "--mount",
                                           "/bin/sh", "-c"};
  const auto run = [&](std::string script, std::vector<std::string> more) {
    std::vector<std::string> argv = prefix;
    argv.insert(argv.end(), {std::move(script), "sh", file});
    argv.insert(argv.end(), more.begin(), more.end());
    return Run(argv, tree.path());
  };
  if (run(protect, {}).status != 0) {
    SKIP_HERE("no mount namespace of one's own here");
  }
  const std::string call = protect + " && exec \"$2\" --call \"$3\"";
  CHECK(run(call, {BuiltinProgram("fs.write"), R"({"path":"policy.yaml","content":"y"})"}).out ==
        "error: read-only: policy.yaml\n");
  CHECK(
      run(call, {BuiltinProgram("fs.edit"), R"({"path":"policy.yaml","old":"x","new":"y"})"}).out ==
      "error: read-only: policy.yaml\n");
  CHECK(tree.Read("policy.yaml") == "x");
  CHECK(tree.Call("fs.list", Json::object()) == "1 file, 0 directories\npolicy.yaml 1");
}

// ---- fs.edit

TEST_CASE("fs.edit replaces text that occurs once, or all of it") {
  const Tree tree;
  tree.Add("notes.txt", "one two two\nthree");
  CHECK(tree.Call("fs.edit", {{"path", "notes.txt"}, {"old", "one"}, {"new", "1\n1"}}) ==
        "edited notes.txt: 1 replacement");
  CHECK(tree.Call("fs.edit", {{"path", "notes.txt"}, {"old", "two"}, {"new", ""}, {"all", true}}) ==
        "edited notes.txt: 2 replacements");
  CHECK(tree.Read("notes.txt") == "1\n1  \nthree");
}

TEST_CASE("fs.edit says why it cannot edit, and changes nothing then") {
  const Tree tree;
  tree.Add("notes.txt", "aaaa aa");
  tree.Add("logo.png", std::string("a\0b", 3));
  tree.Add("src/x", "");
  const auto edited = [&](const char* path, const std::string& old) {
    return tree.Call("fs.edit", {{"path", path}, {"old", old}, {"new", "x"}});
  };
  CHECK(edited("notes.txt", "b") == "error: text not found in notes.txt: b");
  CHECK(edited("notes.txt", "aa") == "error: text occurs 3 times in notes.txt: aa");
  CHECK(edited("notes.txt", "") == "error: old is empty");
  CHECK(edited("notes.txt", std::string(300, 'b')) ==
        "error: text not found in notes.txt: " + std::string(200, 'b') + "...");
  CHECK(edited("x", "a") == "error: no such file: x");
  CHECK(edited("src", "a") == "error: is a directory: src");
  CHECK(edited("logo.png", "a") == "error: not text: logo.png (3 bytes)");
  CHECK(tree.Read("notes.txt") == "aaaa aa");
}

TEST_CASE("fs.edit bounds the edited file") {
  const Tree tree;
  tree.Add("a", std::string(2000, 'a'));
  const Json arguments = {
      {"path", "a"}, {"old", "a"}, {"new", std::string(50'000, 'b')}, {"all", true}};
  CHECK(tree.Call("fs.edit", arguments) == "error: the edited file would be larger than 64 MiB");
  CHECK(tree.Read("a") == std::string(2000, 'a'));
}

// ---- fs.search

TEST_CASE("fs.search shows the lines that hold a text, in order of path and line") {
  const Tree tree;
  tree.Add("src/a.c", "int total = 0;\n\ntotal++; total--;\r\n");
  tree.Add("src.txt", "the total");
  tree.Add("Other", "TOTAL.\n");
  CHECK(tree.Call("fs.search", {{"pattern", "total"}}) ==
        "3 matches in 2 files\nsrc.txt:1: the total\nsrc/a.c:1: int total = 0;\n"
        "src/a.c:3: total++; total--;");
  CHECK(tree.Call("fs.search", {{"pattern", "total"}, {"path", "src"}, {"limit", 1}}) ==
        "2 matches in 1 file (first 1 shown)\nsrc/a.c:1: int total = 0;");
  CHECK(tree.Call("fs.search", {{"pattern", "the"}, {"path", tree.path() + "/src.txt"}}) ==
        "1 match in 1 file\nsrc.txt:1: the total");
  CHECK(tree.Call("fs.search", {{"pattern", "total."}, {"ignore_case", true}}) ==
        "1 match in 1 file\nOther:1: TOTAL.");
  CHECK(tree.Call("fs.search", {{"pattern", "^t.*l"}, {"regex", true}}) ==
        "2 matches in 2 files\nsrc.txt:1: the total\nsrc/a.c:3: total++; total--;");
  CHECK(tree.Call("fs.search", {{"pattern", "total"}, {"files", "*.txt"}}) ==
        "1 match in 1 file\nsrc.txt:1: the total");
  CHECK(tree.Call("fs.search", {{"pattern", "nothing"}}) == "0 matches in 0 files");
}

TEST_CASE("fs.search leaves out what is not text, .git and symlinks") {
  const Tree tree;
  tree.Add("logo.png", std::string("needle\0", 7));
  tree.Add(".git/config", "needle");
  tree.Add(".hidden", "needle");
  REQUIRE(::symlink(".hidden", (tree.path() + "/link").c_str()) == 0);
  CHECK(tree.Call("fs.search", {{"pattern", "needle"}}) == "1 match in 1 file\n.hidden:1: needle");
}

TEST_CASE("fs.search bounds its matches and cuts long lines") {
  const Tree tree;
  std::string many;
  for (int i = 0; i < 250; ++i) {
    many += "needle\n";
  }
  tree.Add("a", many);
  const std::string text = tree.Call("fs.search", {{"pattern", "needle"}});
  CHECK(text.substr(0, text.find('\n')) == "250 matches in 1 file (first 200 shown)");
  CHECK(std::count(text.begin(), text.end(), '\n') == 200);
  tree.Add("b", "haystack" + std::string(291, '-') + "é needle\n");
  CHECK(tree.Call("fs.search", {{"pattern", "haystack"}}) ==
        "1 match in 1 file\nb:1: haystack" + std::string(291, '-') + "...");
}

TEST_CASE("fs.search says which file is too large to search") {
  const Tree tree;
  tree.Add("big", "needle\n");
  REQUIRE(::truncate((tree.path() + "/big").c_str(), (64 << 20) + 1) == 0);
  // A sparse tail is NUL bytes, so the beginning must be text for long enough.
  tree.Add("big2", std::string(8000, '\n'));
  REQUIRE(::truncate((tree.path() + "/big2").c_str(), (64 << 20) + 1) == 0);
  CHECK(tree.Call("fs.search", {{"pattern", "needle"}}) ==
        "0 matches in 0 files\n(skipped: big2 is larger than 64 MiB)");
}

TEST_CASE("fs.search says why it cannot search") {
  const Tree tree;
  CHECK(tree.Call("fs.search", {{"pattern", "x"}, {"path", "gone"}}) ==
        "error: no such file or directory: gone");
  CHECK(tree.Call("fs.search", {{"pattern", "("}, {"regex", true}}) ==
        "error: bad regular expression: missing ): (");
  CHECK(tree.Call("fs.search", {{"pattern", ""}}) == "error: pattern is empty");
  CHECK(tree.Call("fs.search", {{"pattern", "("}}) == "0 matches in 0 files");
}

}  // namespace
}  // namespace nacre::testing
