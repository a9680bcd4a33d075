/* The table that registry.cmake makes of the probes' sources. */
#pragma once

#include <stddef.h>

struct ProbeEntry {
  const char* name; /* "files/absolute-path" */
  void (*probe)(void);
  void (*other)(void); /* NULL: it needs no other call */
};
extern const struct ProbeEntry kProbes[];
extern const size_t kProbeCount;
