// nacre-guest: the first program in a guest. See agent.h.
#include <unistd.h>

#include "sandbox/guest/agent/agent.h"

int main() {
  return nacre::sandbox::guest::RunAgent(STDIN_FILENO, STDOUT_FILENO);
}
