#include "runtime/net/tls_stream.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/net/curl_handle.h"

namespace nacre::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAgain{
    5};  // at what is not acknowledged yet: there is nothing to wait on

}  // namespace

struct TlsStream::Connection {
  std::string name;  // "logs.example.org:6514"
  std::unique_ptr<CURL, EasyDeleter> easy;
  curl_socket_t socket = CURL_SOCKET_BAD;

  Error Broken(const std::string& why) const {
    return {ErrorCode::kUnavailable, name + ": " + why};
  }
  // What the server says is of no interest; that it has gone is.
  Status StillOpen() const {
    std::array<char, 4096> ignored;
    size_t bytes = 0;
    const CURLcode code = curl_easy_recv(easy.get(), ignored.data(), ignored.size(), &bytes);
    if (code == CURLE_AGAIN || (code == CURLE_OK && bytes > 0)) {
      return Ok();
    }
    return Broken(code == CURLE_OK ? "the server closed the connection" : curl_easy_strerror(code));
  }
};

TlsStream::TlsStream(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
TlsStream::~TlsStream() = default;

Result<std::unique_ptr<TlsStream>> TlsStream::Connect(const TlsServer& server) {
  InitializeCurl();
  auto connection = std::make_unique<Connection>();
  connection->name = server.host + ":" + std::to_string(server.port);
  connection->easy.reset(curl_easy_init());
  CURL* easy = connection->easy.get();
  NACRE_CHECK(easy != nullptr);
  // The scheme makes libcurl shake hands over TLS; nothing of HTTP is said.
  curl_easy_setopt(easy, CURLOPT_URL, ("https://" + connection->name).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(server.connect_timeout.count()));
  UseIdentity(easy, server.identity);
  if (const CURLcode code = curl_easy_perform(easy); code != CURLE_OK) {
    return connection->Broken(curl_easy_strerror(code));
  }
  if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &connection->socket) != CURLE_OK ||
      connection->socket == CURL_SOCKET_BAD) {
    return connection->Broken("libcurl has no socket");
  }
  return std::unique_ptr<TlsStream>(new TlsStream(std::move(connection)));
}

Status TlsStream::Send(std::string_view bytes, milliseconds timeout, const CancelToken& cancel) {
  const Connection& connection = *connection_;
  const auto end = steady_clock::now() + timeout;
  int unacknowledged = 1;
  while (!bytes.empty() || unacknowledged > 0) {
    NACRE_TRY(connection.StillOpen());
    size_t sent = 0;
    const CURLcode code =
        bytes.empty() ? CURLE_AGAIN
                      : curl_easy_send(connection.easy.get(), bytes.data(), bytes.size(), &sent);
    if (code != CURLE_OK && code != CURLE_AGAIN) {
      return connection.Broken(curl_easy_strerror(code));
    }
    bytes.remove_prefix(sent);
    if (::ioctl(connection.socket, SIOCOUTQ, &unacknowledged) != 0) {
      return SysError("SIOCOUTQ", errno);
    }
    if (cancel.cancelled()) {
      return Error{ErrorCode::kCancelled, "cancelled"};
    }
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) {
      return Error{ErrorCode::kDeadlineExceeded, connection.name +
                                                     ": it did not take what was sent within " +
                                                     std::to_string(timeout.count() / 1000) + " s"};
    }
    if (sent == 0 && (!bytes.empty() || unacknowledged > 0)) {
      pollfd waits[] = {
          {connection.socket, static_cast<short>(bytes.empty() ? POLLIN : POLLOUT), 0},
          {cancel.poll_fd(), POLLIN, 0}};
      ::poll(waits, 2, static_cast<int>(bytes.empty() ? kLookAgain.count() : left.count()));
    }
  }
  return Ok();
}

}  // namespace nacre::net
