#include "memory/sqlite_file_labels.h"

#include <algorithm>
#include <iterator>

namespace nacre::memory {
namespace {

constexpr std::string_view kColumns =
    "SELECT path, labels, below, digest, call, changed_ms FROM file_labels ";

Result<std::vector<FileLabel>> Rows(Statement row) {
  std::vector<FileLabel> rows;
  while (NACRE_TRY(row.Next())) {
    rows.push_back({.path = row.Text(0),
                    .labels = SplitWords(row.Text(1)),
                    .below = row.Int(2) != 0,
                    .digest = row.Text(3),
                    .call = row.Text(4),
                    .changed_ms = row.Int(5)});
  }
  return rows;
}

// Names sort by their bytes, and '0' is the byte after '/': what is below "/a" lies between "/a/" and "/a0".
std::string FirstBelow(const std::string& path) {
  return path == "/" ? path : path + '/';
}
std::string FirstBehind(const std::string& path) {
  return path == "/" ? "0" : path + '0';
}

}  // namespace

std::string JoinWords(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : "\n") + word;
  }
  return text;
}

std::vector<std::string> SplitWords(const std::string& text) {
  std::vector<std::string> words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

std::vector<std::string> UnionOfWords(std::vector<std::string> a,
                                      const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  a.erase(std::unique(a.begin(), a.end()), a.end());
  return a;
}

Result<std::vector<FileLabel>> SqliteFileLabels::RowAt(const std::string& path) {
  return Rows(NACRE_TRY(database_.Query(std::string(kColumns) + "WHERE path = ?", path)));
}

Result<std::vector<FileLabel>> SqliteFileLabels::RowsBelow(const std::string& path) {
  return Rows(NACRE_TRY(
      database_.Query(std::string(kColumns) + "WHERE path >= ? AND path < ? ORDER BY path",
                      FirstBelow(path), FirstBehind(path))));
}

Result<std::vector<FileLabel>> SqliteFileLabels::RowsAbove(const std::string& path) {
  std::vector<FileLabel> rows;
  for (std::string above = path; above.size() > 1;) {
    above.resize(std::max<size_t>(above.rfind('/'), 1));
    for (FileLabel& row : NACRE_TRY(RowAt(above))) {
      if (row.below) {
        rows.push_back(std::move(row));
      }
    }
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

Result<std::vector<FileLabel>> SqliteFileLabels::RowsAbout(const std::string& path) {
  std::vector<FileLabel> all = NACRE_TRY(RowsAbove(path));
  std::vector<FileLabel> at = NACRE_TRY(RowAt(path));
  std::vector<FileLabel> below = NACRE_TRY(RowsBelow(path));
  std::move(at.begin(), at.end(), std::back_inserter(all));
  std::move(below.begin(), below.end(), std::back_inserter(all));
  return all;
}

Result<std::vector<std::string>> SqliteFileLabels::LabelsOf(const std::vector<std::string>& paths) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::BeginRead(database_));
  std::vector<std::string> words;
  for (const std::string& path : paths) {
    for (const FileLabel& row : NACRE_TRY(RowsAbout(path))) {
      words = UnionOfWords(std::move(words), row.labels);
    }
  }
  return words;
}

Result<std::vector<FileLabel>> SqliteFileLabels::Join(const std::string& workspace,
                                                      const std::vector<FileLabel>& written) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  std::vector<FileLabel> before;
  for (const FileLabel& entry : written) {
    std::vector<FileLabel> was = NACRE_TRY(RowAt(entry.path));
    const std::vector<std::string> words =
        UnionOfWords(entry.labels, was.empty() ? std::vector<std::string>() : was.front().labels);
    const bool below = entry.below || (!was.empty() && was.front().below);
    if (!words.empty()) {
      NACRE_TRY(database_.Run(
          "INSERT OR REPLACE INTO file_labels (path, labels, below, digest, call, changed_ms)"
          " VALUES (?, ?, ?, ?, ?, ?)",
          entry.path, JoinWords(words), below ? 1 : 0, entry.digest, entry.call, entry.changed_ms));
    }
    std::move(was.begin(), was.end(), std::back_inserter(before));
  }
  NACRE_TRY(FoldInto(workspace));
  NACRE_TRY(transaction.Commit());
  return before;
}

Status SqliteFileLabels::FoldInto(const std::string& workspace) {
  Statement count =
      NACRE_TRY(database_.Query("SELECT count(*) FROM file_labels WHERE path >= ? AND path < ?",
                                FirstBelow(workspace), FirstBehind(workspace)));
  const bool counted = NACRE_TRY(count.Next());
  if (!counted || count.Int(0) <= kFileLabelsMax) {
    return Ok();
  }
  FileLabel all{.path = workspace};
  for (const FileLabel& row : NACRE_TRY(RowsAbout(workspace))) {
    all.labels = UnionOfWords(std::move(all.labels), row.labels);
    if (row.changed_ms >= all.changed_ms) {
      all.call = row.call;
      all.changed_ms = row.changed_ms;
    }
  }
  NACRE_TRY(database_.Run("DELETE FROM file_labels WHERE path >= ? AND path < ?",
                          FirstBelow(workspace), FirstBehind(workspace)));
  return database_.Run(
      "INSERT OR REPLACE INTO file_labels (path, labels, below, digest, call, changed_ms)"
      " VALUES (?, ?, 1, '', ?, ?)",
      all.path, JoinWords(all.labels), all.call, all.changed_ms);
}

Status SqliteFileLabels::Settle(const std::string& call, const std::vector<FileLabel>& after) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  for (const FileLabel& entry : after) {
    if (entry.labels.empty()) {
      NACRE_TRY(
          database_.Run("DELETE FROM file_labels WHERE path = ? AND call = ?", entry.path, call));
    } else {
      NACRE_TRY(database_.Run(
          "UPDATE file_labels SET labels = ?, digest = ?, below = ? WHERE path = ? AND call = ?",
          JoinWords(entry.labels), entry.digest, entry.below ? 1 : 0, entry.path, call));
    }
  }
  return transaction.Commit();
}

Result<std::vector<FileLabel>> SqliteFileLabels::ListFileLabels(const std::string& path) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::BeginRead(database_));
  return RowsAbout(path);
}

Result<int64_t> SqliteFileLabels::ClearFileLabels(const std::vector<FileLabel>& listed) {
  const std::lock_guard lock(mutex_);
  Transaction transaction = NACRE_TRY(Transaction::Begin(database_));
  int64_t cleared = 0;
  for (const FileLabel& row : listed) {
    NACRE_TRY(database_.Run(
        "DELETE FROM file_labels WHERE path = ? AND labels = ? AND call = ? AND changed_ms = ?",
        row.path, JoinWords(row.labels), row.call, row.changed_ms));
    cleared += database_.changes();
  }
  NACRE_TRY(transaction.Commit());
  return cleared;
}

}  // namespace nacre::memory
