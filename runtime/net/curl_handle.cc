#include "runtime/net/curl_handle.h"

#include <mutex>

namespace nacre::net {

void InitializeCurl() {
  static std::once_flag initialized;
  std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

void UseIdentity(CURL* easy, const TlsIdentity& identity) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!identity.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, identity.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!identity.certificate.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, identity.certificate.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, identity.key.c_str());
  }
}

}  // namespace nacre::net
