#include "runtime/agent/tool_runner.h"

#include <catch2/catch.hpp>

namespace nacre::agent {

TEST_CASE("the end of standard error begins with a line, or at least with a character") {
  const std::string most(kErrorOutputBytesMax, 'x');
  struct Row {
    std::string written;
    std::string kept;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"no module\n", "no module\n"},
      {most, most},
      {"a line\n" + most, most},
      {"cut " + most, most},
      {"cut " + most.substr(4) + "\n",
       "ut " + most.substr(4) + "\n"},  // its last line is all there is
      {most + "\nthe end\n", "the end\n"},
      {most + "\n\n", "\n"},
      {"\xe2\x82\xac" + most.substr(1), most.substr(1)},  // the middle of a euro sign
  };
  for (const Row& row : rows) {
    CAPTURE(row.written.size());
    CHECK(ErrorOutputEnd(row.written) == row.kept);
    CHECK(ErrorOutputEnd(row.written).size() <= kErrorOutputBytesMax);
  }
}

}  // namespace nacre::agent
