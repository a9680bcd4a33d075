// Result<T> and Status: how a fallible function of nacre answers.
//
//   Result<UniqueFd> OpenWorkspace(const std::string& path) {
//     const UniqueFd root = NACRE_TRY(OpenDirectory(path));   // the value, or return the error
//     if (::fchmod(root.get(), 0700) != 0) {
//       return SysError("fchmod " + path, errno);             // "fchmod /w: Operation not permitted"
//     }
//     return root.Duplicate();
//   }
//
// A refusal is not an error: denied, timed out, killed and non-zero exit are ordinary values
// (Decision, Outcome). An Error means that the runtime could not do its own job.
//
// Codes are numerically equal to gRPC's (github.com/grpc/grpc, doc/statuscodes.md), so the server's
// edge needs no table. Reading the value of an error, or the error of a value, aborts, in release
// builds too: a broken invariant must not turn into a wrong decision.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace nacre {

enum class ErrorCode {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
};

// "not_found", "permission_denied", ...: stable names, used in --json output.
const char* ErrorCodeName(ErrorCode code);

// What failed, on what, and where possible what to try. One sentence without a final full stop.
struct Error {
  ErrorCode code = ErrorCode::kUnknown;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

// "WHAT: strerror(ERRNUM)", with the code that fits the errno.
Error SysError(const std::string& what, int errnum);

// Puts "CONTEXT: " before the message: each layer says what it was doing.
Error WithContext(const std::string& context, Error error);

[[noreturn]] void AbortOnBrokenInvariant(const char* what, const Error* error);

template <typename T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value)
      : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor): `return value;`
  Result(Error error)
      : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor): `return error;`

  bool ok() const { return std::holds_alternative<T>(state_); }

  T& value() & {
    RequireValue();
    return *std::get_if<T>(&state_);
  }
  const T& value() const& {
    RequireValue();
    return *std::get_if<T>(&state_);
  }
  T&& value() && {
    RequireValue();
    return std::move(*std::get_if<T>(&state_));
  }
  const Error& error() const {
    if (ok()) {
      AbortOnBrokenInvariant("error() of a Result that holds a value", nullptr);
    }
    return *std::get_if<Error>(&state_);
  }

 private:
  void RequireValue() const {
    if (!ok()) {
      AbortOnBrokenInvariant("value() of a Result that holds an error",
                             std::get_if<Error>(&state_));
    }
  }

  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error)
      : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor): `return error;`

  bool ok() const { return !error_.has_value(); }
  const Error& error() const {
    if (ok()) {
      AbortOnBrokenInvariant("error() of an ok Status", nullptr);
    }
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

inline Status Ok() {
  return {};
}

namespace internal {
// What NACRE_TRY yields: the value of a Result, nothing of a Status.
template <typename T>
T TakeValue(Result<T>&& result) {
  return std::move(result).value();
}
inline void TakeValue(Status&&) {}
}  // namespace internal

}  // namespace nacre

// The value, or return the error from the enclosing function. A whole initializer or a whole
// statement; never part of a larger expression. (A GNU statement expression: gcc and clang.)
#define NACRE_TRY(expression)                                  \
  ({                                                           \
    auto nacre_try_result = (expression);                      \
    if (!nacre_try_result.ok()) {                              \
      return nacre_try_result.error();                         \
    }                                                          \
    ::nacre::internal::TakeValue(std::move(nacre_try_result)); \
  })

// Aborts when the condition, an invariant of our own code, does not hold. Never for hostile input.
#define NACRE_CHECK(condition)                              \
  do {                                                      \
    if (!(condition)) {                                     \
      ::nacre::AbortOnBrokenInvariant(#condition, nullptr); \
    }                                                       \
  } while (false)
