/* Talks to a unix socket of the host: a pathname one in the workspace, an abstract one by name
   (argv[1]), over stream and datagram, by address in sendto and sendmsg. */
#include "tests/security/probes/probe.h"
static void Try(int fd, const struct sockaddr_un* address, socklen_t size) {
  if (fd < 0) return;
  if (connect(fd, (const struct sockaddr*)address, size) == 0) ESCAPED("connected");
  if (sendto(fd, "x", 1, MSG_NOSIGNAL, (const struct sockaddr*)address, size) == 1) ESCAPED("sendto");
  struct iovec part = {"x", 1};
  struct msghdr message = {(void*)address, size, &part, 1, NULL, 0, 0};
  if (sendmsg(fd, &message, MSG_NOSIGNAL) == 1 ) ESCAPED("sendmsg");
}
int main(int argc, char** argv) {
  if (argc < 2) return 2;
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/workspace/host.sock"};
  struct sockaddr_un abstract = {.sun_family = AF_UNIX};
  strncpy(abstract.sun_path + 1, argv[1], sizeof abstract.sun_path - 2);
  socklen_t abstract_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[1]));
  for (int type = SOCK_STREAM; type <= SOCK_DGRAM; ++type) {
    Try(socket(AF_UNIX, type, 0), &path, sizeof path);
    Try(socket(AF_UNIX, type, 0), &abstract, abstract_size);
    int pair[2];
    if (socketpair(AF_UNIX, type, 0, pair) == 0 && type == SOCK_DGRAM) {
      Try(pair[0], &path, sizeof path);
      Try(pair[0], &abstract, abstract_size);
    }
  }
  CONTAINED();
}
