/* Every address family, every type: none may be made, anonymous unix pairs excepted. */
#include "tests/security/probes/probe.h"
int main(void) {
  static const int kTypes[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, 6, 10};
  for (int family = 0; family < 64; ++family)
    for (size_t t = 0; t < sizeof kTypes / sizeof *kTypes; ++t)
      for (int protocol = 0; protocol < 3; ++protocol) {
        int fd = socket(family, kTypes[t], protocol);
        if (fd >= 0) ESCAPED("socket(%d, %d, %d)", family, kTypes[t], protocol);
      }
  static const int kProtocols[] = {1, 6, 17, 33, 132, 136, 262, 255};
  for (size_t p = 0; p < sizeof kProtocols / sizeof *kProtocols; ++p) {
    MUST_FAIL(socket(AF_INET, SOCK_STREAM, kProtocols[p]));
    MUST_FAIL(socket(AF_INET6, SOCK_DGRAM, kProtocols[p]));
  }
  int pair[2];
  MUST_FAIL(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  /* The kernel reads only the low 32 bits of the family. */
  MUST_FAIL(syscall(SYS_socket, 0x100000000UL + AF_INET, SOCK_STREAM, 0));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) CANNOT_TRY("socketpair is denied");
  CONTAINED();
}
