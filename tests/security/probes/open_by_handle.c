/* "Shocker" (Docker, 2014): files by inode number, past every mount. */
#include "tests/security/probes/probe.h"
int main(void) {
  struct { struct file_handle handle; unsigned char bytes[8]; } root = {{8, 1}, {2}};
  int mount_id;
  int fd = open("/workspace", O_RDONLY);
  MUST_FAIL(open_by_handle_at(fd, &root.handle, O_RDONLY));
  MUST_FAIL(name_to_handle_at(AT_FDCWD, "/usr", &root.handle, &mount_id, 0));
  CONTAINED();
}
