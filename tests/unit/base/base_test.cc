#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/cancel_token.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/frame.h"
#include "base/ids.h"
#include "base/regular_file.h"
#include "base/result.h"
#include "base/temp_dir.h"
#include "tests/support/counting_random.h"
#include "tests/support/manual_clock.h"

namespace nacre {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) {
    return Error{ErrorCode::kInvalidArgument, "odd"};
  }
  return number / 2;
}

Result<int> Quarter(int number) {
  const int half = NACRE_TRY(Half(number));
  return Half(half);
}

}  // namespace

TEST_CASE("NACRE_TRY passes the value on or returns the error") {
  CHECK(Quarter(8).value() == 2);
  CHECK(Quarter(6).error().message == "odd");
  CHECK(WithContext("quarter of 6", Quarter(6).error()).message == "quarter of 6: odd");
}

TEST_CASE("a ULID sorts by time, is well formed, and its time digits follow the specification") {
  testing::ManualClock clock;
  testing::CountingRandom random;
  const std::string first = NewUlid(clock, random);
  const std::string second = NewUlid(clock, random);
  clock.Advance(std::chrono::milliseconds(1));
  const std::string third = NewUlid(clock, random);
  CHECK(first == "01HF7YAT000000000000000001");  // 1,700,000,000,000 ms, then the random 1
  CHECK(IsUlid(first));
  CHECK(first < second);
  CHECK(second < third);
  CHECK_FALSE(IsUlid("81HF7YAT000000000000000001"));
  CHECK_FALSE(IsUlid("01hf7yat000000000000000001"));
  CHECK_FALSE(IsUlid("../../etc/passwd"));
}

TEST_CASE("a ULID in hexadecimal is its 128 bits") {
  CHECK(UlidHex("7ZZZZZZZZZZZZZZZZZZZZZZZZZ") == std::string(32, 'f'));
  CHECK(UlidHex("01HF7YAT000000000000000001") == "018bcfe5680000000000000000000001");
  CHECK(UlidHex("01HF7YAT00000000000000000I").empty());
}

TEST_CASE("a time is written as RFC 3339 has it, in UTC") {
  const auto at = [](int64_t millis) {
    return FormatRfc3339(WallTime(std::chrono::milliseconds(millis)));
  };
  CHECK(at(0) == "1970-01-01T00:00:00.000Z");
  CHECK(at(951'782'399'999) == "2000-02-28T23:59:59.999Z");
  CHECK(at(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  CHECK(at(1'700'000'000'007) == "2023-11-14T22:13:20.007Z");
}

TEST_CASE("SHA-256 agrees with the example of FIPS 180-4") {
  CHECK(Sha256Text("abc") ==
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("frames survive any split and an oversized one is refused before it is read") {
  const std::string stream = EncodeFrame("hello") + EncodeFrame("") + EncodeFrame("world");
  FrameDecoder decoder(5);
  std::string seen;
  for (const char byte : stream) {
    decoder.Feed({&byte, 1});
    std::string payload;
    while (decoder.Next(&payload).value()) {
      seen += "[" + payload + "]";
    }
  }
  CHECK(seen == "[hello][][world]");

  FrameDecoder strict(4);
  strict.Feed(EncodeFrame("hello").substr(0, 4));
  std::string payload;
  CHECK(strict.Next(&payload).error().code == ErrorCode::kResourceExhausted);
}

TEST_CASE("a frame cut short is an error, not a short frame") {
  const Pipe pipe = MakePipe().value();
  REQUIRE(WriteAll(pipe.write.get(), EncodeFrame("hello").substr(0, 7)).ok());
  Pipe closing = MakePipe().value();
  closing.write.reset();
  CHECK(ReadFrame(closing.read.get(), 10).error().code == ErrorCode::kOutOfRange);
}

TEST_CASE("a token with a timeout fires with its parent or with the time, and not before") {
  CancelSource source;
  const CancelToken patient = source.token().WithTimeout(std::chrono::hours(1));
  CHECK_FALSE(patient.cancelled());
  source.Cancel();
  CHECK(patient.cancelled());
  CHECK(CancelToken().poll_fd() == -1);
  const CancelToken brief = CancelToken().WithTimeout(std::chrono::milliseconds(0));
  pollfd waiting{brief.poll_fd(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 10'000) == 1);
  CHECK(brief.cancelled());
}

TEST_CASE("a file is replaced whole and reading it is bounded") {
  const TempDir dir = TempDir::Create().value();
  const std::string path = dir.path() + "/a";
  REQUIRE(WriteFileAtomically(path, "one").ok());
  REQUIRE(WriteFileAtomically(path, "two").ok());
  CHECK(ReadFile(path, 3).value() == "two");
  CHECK(ReadFile(path, 2).error().code == ErrorCode::kResourceExhausted);
  CHECK(WriteFileAtomically(dir.path() + "/no/such/dir/a", "x").error().code ==
        ErrorCode::kNotFound);
}

TEST_CASE("what is no regular file is refused, and nobody waits for it") {
  const TempDir dir = TempDir::Create().value();
  const std::string file = dir.path() + "/a";
  REQUIRE(WriteFileAtomically(file, "one").ok());
  REQUIRE(::symlink(file.c_str(), (dir.path() + "/link").c_str()) == 0);
  REQUIRE(::mkfifo((dir.path() + "/fifo").c_str(), 0600) == 0);
  CHECK(ReadRegularFile(file, 3).value() == "one");
  CHECK(ReadRegularFile(file, 2).error().code == ErrorCode::kResourceExhausted);
  CHECK(ReadRegularFile(dir.path() + "/link", 3, Links::kFollow).value() == "one");
  CHECK(ReadRegularFile(dir.path() + "/link", 3).error().code == ErrorCode::kDataLoss);
  CHECK(ReadRegularFile(dir.path() + "/none", 3).error().code == ErrorCode::kNotFound);
  for (const std::string& other : {dir.path() + "/fifo", dir.path(), std::string("/dev/zero")}) {
    CHECK(ReadRegularFile(other, 3, Links::kFollow).error().message ==
          other + " is no regular file");
  }
}

}  // namespace nacre
