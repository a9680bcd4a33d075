// SQLite as values that own things: Database, Statement, Transaction. The only files that name
// sqlite3.
//
//   Database database = NACRE_TRY(Database::Open(path));
//   Transaction transaction = NACRE_TRY(Transaction::Begin(database));
//   NACRE_TRY(database.Run("UPDATE turns SET state = ? WHERE id = ?", 1, id));
//   NACRE_TRY(transaction.Commit());  // else rolled back
//
// Every error says what was done to which file: "disk full", "not writable", "damaged" have their
// own sentence and code (kResourceExhausted, kPermissionDenied, kDataLoss).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nacre::memory {

class Database;

// One prepared statement. Parameters are bound in order; columns are read after Next() said true.
// Not thread-safe; must not outlive its Database.
class Statement final {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Text is copied. A failed binding (too long, out of memory) is reported by Next().
  void Bind(int64_t value);
  void Bind(int value) { Bind(static_cast<int64_t>(value)); }
  void Bind(std::string_view value);
  void Bind(const std::string& value) { Bind(std::string_view(value)); }
  void Bind(const char* value) { Bind(std::string_view(value)); }

  // True when a row is there, false at the end.
  Result<bool> Next();

  // Of the current row; `column` from 0.
  int64_t Int(int column) const;
  std::string Text(int column) const;

 private:
  friend class Database;
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  const Database* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int bind_result_ = 0;  // SQLITE_OK
};

// One connection: WAL, synchronous=FULL, foreign keys on, defensive, schema untrusted.
// Not thread-safe. Other connections, also of other processes, are waited for up to 5 s.
class Database final {
 public:
  static constexpr int kBusyTimeoutMs = 5000;
  static constexpr int kValueBytesMax = 16 << 20;

  // Creates the file (0600) when absent. Never replaces a damaged one: that is kDataLoss.
  static Result<Database> Open(const std::string& path);

  Database(Database&& other) noexcept;
  Database& operator=(Database&&) = delete;
  ~Database();

  const std::string& path() const { return path_; }

  Result<Statement> Prepare(std::string_view sql);

  template <typename... Values>
  Result<Statement> Query(std::string_view sql, const Values&... values) {
    Statement statement = NACRE_TRY(Prepare(sql));
    (statement.Bind(values), ...);
    return statement;
  }

  // Runs one statement that answers no rows.
  template <typename... Values>
  Status Run(std::string_view sql, const Values&... values) {
    Statement statement = NACRE_TRY(Query(sql, values...));
    const Result<bool> row = statement.Next();
    return row.ok() ? Ok() : Status(row.error());
  }

  // The first column of the first row; 0 when there is none.
  Result<int64_t> QueryInt(std::string_view sql);

  // Runs a script of statements without parameters. Only for our own text.
  Status Execute(const std::string& script);

  // Writes the whole file anew, so that no page has anything of what was deleted. Outside of a transaction.
  Status Vacuum();

  // Rows that the last INSERT or UPDATE changed.
  int64_t changes() const;

 private:
  friend class Statement;
  friend class Transaction;
  explicit Database(std::string path) : path_(std::move(path)) {}

  Status Configure();
  // The error of the failed call just made, by SQLite's extended code.
  Error Failure(int extended_code) const;
  bool InTransaction() const;

  std::string path_;
  sqlite3* connection_ = nullptr;
};

// A transaction, rolled back unless Commit() answered ok.
class Transaction final {
 public:
  // Takes the write lock at once (BEGIN IMMEDIATE), so that it cannot fail half-way for being late.
  static Result<Transaction> Begin(Database& database);
  // Sees one state of the database throughout; never waits for a writer.
  static Result<Transaction> BeginRead(Database& database);

  Transaction(Transaction&& other) noexcept : database_(other.database_) {
    other.database_ = nullptr;
  }
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace nacre::memory
