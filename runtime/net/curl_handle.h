// What every use of libcurl begins with. For the files of this folder.
#pragma once

#include <curl/curl.h>

#include "runtime/net/tls_identity.h"

namespace nacre::net {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// Once per process; any thread may ask.
void InitializeCurl();

// Certificates are always verified, with the host's name: libcurl's default, and there is no way round.
void UseIdentity(CURL* easy, const TlsIdentity& identity);

}  // namespace nacre::net
