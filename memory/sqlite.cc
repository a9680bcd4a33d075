#include "memory/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "base/unique_fd.h"

namespace nacre::memory {

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_),
      bind_result_(other.bind_result_) {}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::Bind(int64_t value) {
  const int result = sqlite3_bind_int64(statement_, ++bound_, value);
  if (bind_result_ == SQLITE_OK) {
    bind_result_ = result;
  }
}

void Statement::Bind(std::string_view value) {
  // An empty string_view may hold nullptr, which SQLite would take for NULL.
  const char* data = value.empty() ? "" : value.data();
  const int result = sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_TRANSIENT,
                                         SQLITE_UTF8);  // NOLINT: SQLite's cast
  if (bind_result_ == SQLITE_OK) {
    bind_result_ = result;
  }
}

Result<bool> Statement::Next() {
  if (bind_result_ != SQLITE_OK) {
    return database_->Failure(bind_result_);
  }
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result == SQLITE_DONE) {
    return false;
  }
  return database_->Failure(result);
}

int64_t Statement::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Statement::Text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string()
                          : std::string(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

Result<Database> Database::Open(const std::string& path) {
  // Made here because SQLite would make it readable for everyone; -wal and -shm take its mode. A
  // file that exists is never opened by us: closing any descriptor of it would drop the locks that
  // SQLite holds on it in this process (fcntl(2)), and the next process to leave would take the
  // write-ahead log away under us.
  UniqueFd created(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const bool usable =
      created.valid() || (errno == EEXIST && ::access(path.c_str(), R_OK | W_OK) == 0);
  if (!usable) {
    const Error error = SysError("open session store " + path, errno);
    return Error{error.code, error.message + ": the state directory must be writable for you"};
  }
  created.reset();
  Database database(path);
  const int result = sqlite3_open_v2(path.c_str(), &database.connection_,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (result != SQLITE_OK) {
    return database.Failure(result);
  }
  NACRE_TRY(database.Configure());
  return database;
}

Status Database::Configure() {
  sqlite3_extended_result_codes(connection_, 1);
  sqlite3_busy_timeout(connection_, kBusyTimeoutMs);
  sqlite3_limit(connection_, SQLITE_LIMIT_LENGTH, kValueBytesMax);
  sqlite3_limit(connection_, SQLITE_LIMIT_ATTACHED, 0);
  for (const auto& [option, value] :
       {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1), std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        std::pair(SQLITE_DBCONFIG_DQS_DML, 0), std::pair(SQLITE_DBCONFIG_DQS_DDL, 0),
        std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)}) {
    if (const int result = sqlite3_db_config(connection_, option, value, nullptr);
        result != SQLITE_OK) {
      return Failure(result);
    }
  }
  return Execute(
      "PRAGMA journal_mode = WAL;"
      "PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA secure_delete = ON;"
      "PRAGMA mmap_size = 0;"
      "PRAGMA temp_store = MEMORY;");
}

Database::Database(Database&& other) noexcept
    : path_(std::move(other.path_)), connection_(std::exchange(other.connection_, nullptr)) {}

Database::~Database() {
  sqlite3_close_v2(connection_);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()),
                                        &statement, nullptr);
  if (result != SQLITE_OK) {
    return Failure(result);
  }
  return Statement(*this, statement);
}

Result<int64_t> Database::QueryInt(std::string_view sql) {
  Statement statement = NACRE_TRY(Prepare(sql));
  const bool row = NACRE_TRY(statement.Next());
  return row ? statement.Int(0) : 0;
}

Status Database::Execute(const std::string& script) {
  const int result = sqlite3_exec(connection_, script.c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? Ok() : Status(Failure(result));
}

// It attaches the new file, which nothing else here may do.
Status Database::Vacuum() {
  sqlite3_limit(connection_, SQLITE_LIMIT_ATTACHED, 1);
  Status done = Execute("VACUUM");
  sqlite3_limit(connection_, SQLITE_LIMIT_ATTACHED, 0);
  return done;
}

int64_t Database::changes() const {
  return sqlite3_changes64(connection_);
}

bool Database::InTransaction() const {
  return sqlite3_get_autocommit(connection_) == 0;
}

Error Database::Failure(int extended_code) const {
  const std::string store = "session store " + path_ + ": ";
  const int errnum = connection_ == nullptr ? 0 : sqlite3_system_errno(connection_);
  const std::string detail =
      connection_ == nullptr ? sqlite3_errstr(extended_code) : sqlite3_errmsg(connection_);
  switch (extended_code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::kResourceExhausted, store + "disk full: free some space and try again"};
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return {ErrorCode::kResourceExhausted, store + detail};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable, store + "another process kept it locked for more than " +
                                           std::to_string(kBusyTimeoutMs / 1000) + " s"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return {ErrorCode::kPermissionDenied,
              store +
                  "cannot be opened for writing: its folder and files must belong to you and "
                  "lie on a writable file system (" +
                  detail + ")"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::kDataLoss,
              store + "the file is damaged (" + detail +
                  "): restore a backup, or move it away to start with an empty store"};
    case SQLITE_IOERR:
      // On a full disk the shared-memory file of the WAL fails in this way, not with SQLITE_FULL.
      if (errnum == ENOSPC || errnum == EDQUOT) {
        return {ErrorCode::kResourceExhausted, store + "disk full: free some space and try again"};
      }
      return errnum != 0 ? SysError(store + detail, errnum)
                         : Error{ErrorCode::kDataLoss, store + detail};
    case SQLITE_CONSTRAINT:
      if (extended_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
          extended_code == SQLITE_CONSTRAINT_UNIQUE) {
        return {ErrorCode::kAlreadyExists, store + detail};
      }
      return {ErrorCode::kFailedPrecondition, store + detail};
    default:
      return {ErrorCode::kInternal, store + detail};
  }
}

Result<Transaction> Transaction::Begin(Database& database) {
  NACRE_TRY(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Result<Transaction> Transaction::BeginRead(Database& database) {
  NACRE_TRY(database.Execute("BEGIN DEFERRED"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // Some failures (a full disk) have rolled back already.
  if (database_ != nullptr && database_->InTransaction()) {
    (void)database_->Execute("ROLLBACK");
  }
}

Status Transaction::Commit() {
  NACRE_TRY(database_->Execute("COMMIT"));
  database_ = nullptr;
  return Ok();
}

}  // namespace nacre::memory
