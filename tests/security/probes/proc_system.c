/* Looks for what /proc, /sys and /dev tell of the host, and for switches to throw. */
#include "tests/security/probes/probe.h"
int main(void) {
  static const char* const kPaths[] = {
      "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/kallsyms", "/proc/kcore",
      "/proc/kmsg", "/proc/timer_list", "/proc/meminfo", "/proc/cmdline", "/proc/keys", "/proc/modules",
      "/proc/sys/user/max_user_namespaces", "/sys/kernel", "/sys/fs/cgroup", "/sys", "/dev/kmsg",
      "/dev/mem", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/ptmx", "/dev/pts", "/dev/tty",
      "/dev/console", "/dev/loop-control", "/dev/vda", "/dev/sda", "/dev/input", "/dev/mqueue"};
  for (size_t i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) MustNotOpen(kPaths[i], O_RDONLY);
  CONTAINED();
}
