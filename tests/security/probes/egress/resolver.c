/* attack: talks to the host's name service daemon
   escaped: its socket is there
   layer: mount
   control: none: few hosts run one
   source: nscd, D-Bus, systemd-resolved */
#include "probe.h"

PROBE() {
  MustNotOpen("/run/nscd/socket", O_PATH);
  MustNotOpen("/run/dbus/system_bus_socket", O_PATH);
  MustNotOpen("/var/run/docker.sock", O_PATH);
  MustNotOpen("/run/systemd/private", O_PATH);
}
