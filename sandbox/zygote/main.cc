// nacre-zygote: started by the runtime (WarmPool), never by people. Descriptor 3 is its channel.
#include <unistd.h>

#include "sandbox/kernel/syscalls.h"
#include "sandbox/zygote/server.h"

int main() {
  nacre::sandbox::kernel::CloseRange(4, ~0U);
  return nacre::sandbox::zygote::Serve(nacre::UniqueFd(3));
}
