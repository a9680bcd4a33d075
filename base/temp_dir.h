// TempDir: a fresh private directory, removed with everything in it when the object dies.
#pragma once

#include <string>

#include "base/result.h"

namespace nacre {

class TempDir final {
 public:
  // In $TMPDIR, else /tmp. Mode 0700.
  static Result<TempDir> Create(const std::string& prefix = "nacre-");
  // In an existing directory.
  static Result<TempDir> CreateIn(const std::string& parent, const std::string& prefix = "nacre-");

  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace nacre
