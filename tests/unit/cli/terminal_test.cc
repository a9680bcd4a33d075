#include "runtime/cli/terminal.h"

#include <catch2/catch.hpp>

namespace nacre::cli {

TEST_CASE("nothing that a model or a file says can drive the terminal") {
  struct Row {
    std::string hostile;
    std::string shown;
  };
  const auto row = GENERATE(values<Row>({
      {"plain\ttext\n", "plain\ttext\n"},
      {"Gr\xc3\xbc\xc3\x9f\x65 \xe2\x9c\x93", "Gr\xc3\xbc\xc3\x9f\x65 \xe2\x9c\x93"},
      {"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"},
      {"a\rb\bc", "a\\x0db\\x08c"},
      {std::string("nul\0x", 5), "nul\\x00x"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b\x32J", "\\x9b2J"},                  // C1 CSI, as UTF-8
      {"\x9b\x32J", "\\x9b2J"},                      // and as a bare byte
      {"\xc0\xaf", "\\xc0\\xaf"},                    // overlong
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above U+10FFFF
      {"cut \xe2\x9c", "cut \\xe2\\x9c"},
      {"evil\xe2\x80\xaegpj.exe", "evil<U+202E>gpj.exe"},  // right-to-left override
      {"ze\xe2\x80\x8bro", "ze<U+200B>ro"},
      {"at 10 \xef\xb8\x80\xf3\xa0\x84\x80", "at 10 <U+FE00><U+E0100>"},  // variation selectors
      {"\xe2\xa0\x80\xcd\x8f", "<U+2800><U+034F>"},
  }));
  CAPTURE(row.hostile);
  CHECK(SafeForTerminal(row.hostile) == row.shown);
}

TEST_CASE("a shell reads a word back as it was") {
  CHECK(ShellWord("http://127.0.0.1:8080/v1") == "http://127.0.0.1:8080/v1");
  CHECK(ShellWord("it's $HOME") == R"('it'\''s $HOME')");
  CHECK(ShellWord("a*") == "'a*'");
  CHECK(ShellWord("~/x") == "'~/x'");
  CHECK(ShellWord("") == "''");
}

TEST_CASE("a line is one line and is cut between characters") {
  CHECK(SafeLine("a\nb\tc", 20) == "a\\nb c");
  CHECK(SafeLine("\xc3\xbc\xc3\xbc\xc3\xbc", 2) == "\xc3\xbc\xc3\xbc…");
  CHECK(SafeLine("abc", 3) == "abc");
}

}  // namespace nacre::cli
