// nacre-guest: the first program in a guest. See agent.h; and machine.h for the guest that is a machine,
// whose kernel is told to start it as "/init machine".
#include <unistd.h>

#include <cstring>

#include "sandbox/guest/agent/agent.h"
#include "sandbox/guest/agent/machine.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], nacre::sandbox::guest::kMachineArgument) == 0 &&
      ::getpid() == 1) {
    nacre::sandbox::guest::RunMachine();
  }
  return nacre::sandbox::guest::RunAgent(STDIN_FILENO, STDOUT_FILENO);
}
