// TlsStream: bytes to a server over TLS 1.2 or newer, whose certificate is verified. One direction: what
// the server sends is not read, only that it has closed the connection is noticed.
//
//   auto stream = NACRE_TRY(TlsStream::Connect({.host = "logs.example.org", .port = 6514}, cancel));
//   NACRE_TRY(stream->Send(bytes, std::chrono::seconds(30), cancel));
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel_token.h"
#include "base/result.h"
#include "runtime/net/tls_identity.h"

namespace nacre::net {

struct TlsServer {
  std::string host;  // a name or an address; IPv6 in brackets
  uint16_t port = 0;
  TlsIdentity identity = {};
  std::chrono::milliseconds connect_timeout{10'000};
};

// Thread-compatible. After an error it must not be used again.
class TlsStream final {
 public:
  // Blocks, at most connect_timeout. kUnavailable: no connection, or a certificate that is not believed.
  static Result<std::unique_ptr<TlsStream>> Connect(const TlsServer& server);

  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream();

  // Returns ok when the server's kernel has acknowledged all of it: TLS and TCP have no word for "the
  // program has read it". kUnavailable: the connection is broken, or the server closed it;
  // kDeadlineExceeded, kCancelled. How much of it arrived is then not known.
  Status Send(std::string_view bytes, std::chrono::milliseconds timeout, const CancelToken& cancel);

 private:
  struct Connection;
  explicit TlsStream(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace nacre::net
