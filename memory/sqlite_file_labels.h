// SqliteFileLabels: FileLabels in the session store's database.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "memory/file_labels.h"
#include "memory/sqlite.h"

namespace nacre::memory {

class SqliteFileLabels final : public FileLabels {
 public:
  // Borrows both: the connection, and what guards it.
  SqliteFileLabels(Database& database, std::mutex& mutex) : database_(database), mutex_(mutex) {}

  Result<std::vector<std::string>> LabelsOf(const std::vector<std::string>& paths) override;
  Result<std::vector<FileLabel>> Join(const std::string& workspace,
                                      const std::vector<FileLabel>& written) override;
  Status Settle(const std::string& call, const std::vector<FileLabel>& after) override;
  Result<std::vector<FileLabel>> ListFileLabels(const std::string& path) override;
  Result<int64_t> ClearFileLabels(const std::vector<FileLabel>& listed) override;

 private:
  // Nothing, or the one row.
  Result<std::vector<FileLabel>> RowAt(const std::string& path);
  Result<std::vector<FileLabel>> RowsBelow(const std::string& path);
  // Of folders above that speak for what is below.
  Result<std::vector<FileLabel>> RowsAbove(const std::string& path);
  // All three, from above downwards.
  Result<std::vector<FileLabel>> RowsAbout(const std::string& path);
  // When there are too many.
  Status FoldInto(const std::string& workspace);

  Database& database_;
  std::mutex& mutex_;
};

}  // namespace nacre::memory
