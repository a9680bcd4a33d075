#include "runtime/audit/entry_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "runtime/audit/bundle_file.h"

namespace nacre::audit {
namespace {

// Of every machine a multiple of this.
constexpr uint64_t kPageBytes = 4096;

}  // namespace

void AppendEntry(std::string_view record, std::string* bundle) {
  const size_t begin = BeginEntry(bundle);
  bundle->append(record);
  EndEntry(begin, bundle);
}

size_t BeginEntry(std::string* bundle) {
  bundle->append(kEntryPrefixBytes, '\0');
  return bundle->size();
}

std::string_view EndEntry(size_t begin, std::string* bundle) {
  const size_t size = bundle->size() - begin;
  (*bundle)[begin - 2] = static_cast<char>(size >> 8);
  (*bundle)[begin - 1] = static_cast<char>(size & 0xff);
  return std::string_view(*bundle).substr(begin);
}

EntryState FirstEntry(std::string_view bytes, std::string_view* entry) {
  if (bytes.size() < kEntryPrefixBytes) {
    return EntryState::kShort;
  }
  const size_t size =
      static_cast<size_t>(static_cast<uint8_t>(bytes[0])) << 8 | static_cast<uint8_t>(bytes[1]);
  if (size > kRecordBytesMax) {
    return EntryState::kBad;
  }
  if (size == 0 || bytes.size() - kEntryPrefixBytes < size) {
    return EntryState::kShort;
  }
  *entry = bytes.substr(kEntryPrefixBytes, size);
  return EntryState::kWhole;
}

// Begins at the bundle's first entry; Next() skips what comes before first_index.
EntryReader::EntryReader(std::string directory, uint64_t first_index)
    : directory_(std::move(directory)),
      first_(first_index),
      index_(first_index / kTileWidth * kTileWidth) {}

Result<bool> EntryReader::OpenBundle() {
  buffer_.clear();
  begin_ = 0;
  auto file = OpenForReading(directory_ + "/" + BundleName());
  if (file.ok()) {
    file_ = std::move(file).value();
    open_ = true;
    return true;
  }
  if (file.error().code == ErrorCode::kNotFound) {
    // Not a plain one, which may be there by now: it still grows.
    auto bundle = ReadCompressedBundle(directory_, index_ / kTileWidth);
    if (bundle.ok()) {
      buffer_ = std::move(bundle).value();
      open_ = true;
      return true;
    }
    if (bundle.error().code != ErrorCode::kNotFound) {
      return bundle.error();
    }
  }
  if (file.error().code == ErrorCode::kNotFound && index_ > 0) {
    NACRE_TRY(CheckEnd());
  }
  const bool end = file.error().code == ErrorCode::kNotFound && index_ > 0 && index_ >= first_;
  return end ? Result<bool>(false) : Result<bool>(file.error());
}

// The bundle of index_ is not there. That is the end of the log when no later one is.
Status EntryReader::CheckEnd() const {
  const uint64_t number = index_ / kTileWidth;
  const std::string from = "records " + std::to_string(index_) + " to ";
  if (const uint64_t lowest = FirstBundle(directory_).value_or(0); lowest > number) {
    return Error{ErrorCode::kAborted,
                 from + std::to_string(lowest * kTileWidth - 1) +
                     " were pruned while they were to be read; begin again with record " +
                     std::to_string(lowest * kTileWidth)};
  }
  if (HasBundle(directory_, number + 1) && !HasBundle(directory_, number)) {
    return Error{ErrorCode::kDataLoss, from + std::to_string((number + 1) * kTileWidth - 1) +
                                           " are missing, and later ones are there"};
  }
  return Ok();
}

Result<bool> EntryReader::ReadMore() {
  if (!file_) {
    return false;
  }
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) {
    return SysError("stat " + BundleName(), errno);
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > kBundleBytesMax) {
    return Error{ErrorCode::kDataLoss, BundleName() + ": it is longer than a bundle can be"};
  }
  // All of it once more: a writer writes over the zeros that are place for its records.
  const uint64_t behind = size - std::min<uint64_t>(size, begin_);
  if (const Status read = ReadAt(file_.get(), begin_, behind, &read_); !read.ok()) {
    return WithContext(BundleName(), read.error());
  }
  if (read_ == tail()) {
    return false;
  }
  if (begin_ == 0) {
    buffer_.swap(read_);
  } else {
    buffer_.replace(begin_, std::string::npos, read_);
  }
  return true;
}

Result<bool> EntryReader::Next(std::string_view* entry) {
  while (true) {
    if (!open_) {
      const bool opened = NACRE_TRY(OpenBundle());
      if (!opened) {
        return false;
      }
    }
    const EntryState state = FirstEntry(tail(), entry);
    if (state == EntryState::kBad) {
      return Error{ErrorCode::kDataLoss, "its length in " + BundleName() + " is that of no record"};
    }
    // A length that lies on two pages may have been read between the writer's changes of them.
    if (state == EntryState::kWhole && begin_ % kPageBytes == kPageBytes - 1) {
      const bool changed = NACRE_TRY(ReadMore());
      if (changed) {
        continue;
      }
    }
    if (state == EntryState::kWhole) {
      begin_ += kEntryPrefixBytes + entry->size();
      if (++index_ % kTileWidth == 0) {
        const bool more = NACRE_TRY(ReadMore());
        if (more || begin_ != buffer_.size()) {
          --index_;
          return Error{ErrorCode::kDataLoss,
                       "more bytes follow it in " + BundleName() + " than a bundle has"};
        }
        file_.reset();
        open_ = false;  // the entry stays valid: the buffer is cleared by the next call
      }
      if (index_ > first_) {
        return true;
      }
      continue;
    }
    const bool more = NACRE_TRY(ReadMore());
    if (more) {
      continue;
    }
    if (index_ < first_) {
      return Error{ErrorCode::kNotFound, "the log has only " + std::to_string(index_) + " records"};
    }
    // The next bundle is begun only when this one is whole; it may have become so just now.
    if (BundleFileBytes(directory_, index_ / kTileWidth + 1) == 0) {
      return false;
    }
    const bool meanwhile = NACRE_TRY(ReadMore());
    if (!meanwhile) {
      return Error{ErrorCode::kDataLoss,
                   "it is missing, and so are all to the end of " + BundleName()};
    }
  }
}

}  // namespace nacre::audit
