// The log daemons of the host as peers of the audit log: each a private one, on the file system of `directory`.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace nacre::bench {

// systemd-journald: a record in its own protocol, and then io.systemd.Journal.Synchronize(), which is what
// `journalctl --sync` waits for. As root, since it is given a mount namespace with a /run of its own.
class Journald final {
 public:
  // An error says what is missing.
  static Result<std::unique_ptr<Journald>> Start(const std::string& directory);
  Journald(const Journald&) = delete;
  Journald& operator=(const Journald&) = delete;
  ~Journald();

  // One for each thread.
  class Sender final {
   public:
    Status Append(const std::string& line);

   private:
    friend class Journald;
    int records_ = -1;
    int control_ = -1;
  };
  Result<Sender> Connect() const;

 private:
  Journald(std::string directory, int process)
      : directory_(std::move(directory)), process_(process) {}

  const std::string directory_;
  const int process_;
};

// rsyslogd tells no sender anything. So this is how many records a second are in its file, with `sync="on"`, when
// `records` of them are handed over at once.
Result<double> RsyslogRate(const std::string& directory, const std::string& line, int records);

}  // namespace nacre::bench
