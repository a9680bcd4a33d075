// nacre-zygote: started by the runtime (WarmPool), never by people. Descriptor 3 is its channel.
#include <malloc.h>
#include <unistd.h>

#include "sandbox/kernel/syscalls.h"
#include "sandbox/zygote/server.h"

int main() {
  // What children inherit stays as it is when they allocate: no chunks that wait to be put together.
  ::mallopt(M_MXFAST, 0);
  nacre::sandbox::kernel::CloseRange(4, ~0U);
  return nacre::sandbox::zygote::Serve(nacre::UniqueFd(3));
}
