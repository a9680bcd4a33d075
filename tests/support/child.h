// InChild: what a test does to its own process, done in one that ends with it.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "base/file.h"

namespace nacre {

// What `work` answers. It may end the child itself, by _exit(2): with another status than 0 the test fails.
template <typename Work>
std::string InChild(const Work& work) {
  Pipe pipe = MakePipe().value();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    pipe.read.reset();
    const std::string said = work();
    (void)WriteAll(pipe.write.get(), said);
    ::_exit(0);
  }
  pipe.write.reset();
  const auto said = ReadToEnd(pipe.read.get(), "what a child says", 1 << 20);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(status == 0);
  return said.value();
}

}  // namespace nacre
