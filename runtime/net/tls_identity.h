// Whom a TLS client believes, and who it says it is.
#pragma once

#include <string>

namespace nacre::net {

// Paths of PEM files, each read when a connection is made.
struct TlsIdentity {
  std::string ca_file;      // the only authorities that are believed; empty: the host's
  std::string certificate;  // our own; empty: none
  std::string key;          // its private key
};

}  // namespace nacre::net
