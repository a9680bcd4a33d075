// The pieces of the log's format, against the examples of their specifications.
#include <fcntl.h>
#include <catch2/catch.hpp>

#include "base/digest.h"
#include "runtime/audit/base64.h"
#include "runtime/audit/checkpoint.h"
#include "runtime/audit/line_reader.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/note_key.h"
#include "runtime/audit/record_format.h"
#include "tests/unit/audit/log_fixture.h"

namespace nacre::audit {
namespace {

// The definition of RFC 9162, section 2.1.1, word for word: slow and obvious.
Sha256Digest SlowRoot(const std::vector<std::string>& entries) {
  if (entries.empty()) {
    return Sha256("");
  }
  if (entries.size() == 1) {
    return Sha256(std::string(1, '\0') + entries[0]);
  }
  size_t split = 1;
  while (split * 2 < entries.size()) {
    split *= 2;
  }
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(split);
  const Sha256Digest left = SlowRoot({entries.begin(), middle});
  const Sha256Digest right = SlowRoot({middle, entries.end()});
  return Sha256("\x01" + std::string(left.begin(), left.end()) +
                std::string(right.begin(), right.end()));
}

std::string Line(const AuditRecord& record, uint64_t index = 0, std::string_view previous = "") {
  testing::ManualClock clock;
  testing::CountingRandom random;
  return FinishRecord(EncodeRecord(record, clock, random).value(), index, previous);
}

SigningKey TestKey() {
  testing::CountingRandom random;
  return SigningKey::Generate("nacre/audit/test", random).value();
}

}  // namespace

TEST_CASE("the frontier's root is the tree hash of RFC 9162 at every size") {
  MerkleFrontier tree;
  std::vector<std::string> entries;
  for (int i = 0; i < 130; ++i) {
    CAPTURE(i);
    REQUIRE(tree.size() == entries.size());
    REQUIRE(tree.Root() == SlowRoot(entries));
    entries.push_back("entry " + std::to_string(i));
    tree.Append(LeafHash(entries.back()));
  }
}

// The vectors that the certificate-transparency project publishes for its Merkle tree.
TEST_CASE("the tree hash agrees with published vectors") {
  MerkleFrontier tree;
  CHECK(ToHex(tree.Root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  tree.Append(LeafHash(""));
  CHECK(ToHex(tree.Root()) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  tree.Append(LeafHash(std::string(1, '\0')));
  CHECK(ToHex(tree.Root()) == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

TEST_CASE("base64 agrees with RFC 4648 and has one text for each value") {
  const auto row = GENERATE(values<std::pair<std::string, std::string>>({{"", ""},
                                                                         {"f", "Zg=="},
                                                                         {"fo", "Zm8="},
                                                                         {"foo", "Zm9v"},
                                                                         {"foob", "Zm9vYg=="},
                                                                         {"fooba", "Zm9vYmE="},
                                                                         {"foobar", "Zm9vYmFy"},
                                                                         {"\xfb\xff", "+/8="}}));
  CHECK(EncodeBase64(row.first) == row.second);
  CHECK(DecodeBase64(row.second) == row.first);
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9\n", "Zm-_", " Zg=",
        "Zg=="
        "\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(DecodeBase64(bad).has_value());
  }
}

// RFC 8032, section 7.1, test 1: an empty message.
TEST_CASE("keys and signatures agree with the Ed25519 test vector") {
  const std::string seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  class VectorRandom final : public Random {
   public:
    explicit VectorRandom(const std::string& hex) : hex_(hex) {}
    void Fill(std::span<uint8_t> bytes) override {
      for (size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<uint8_t>(std::stoi(hex_.substr(2 * i, 2), nullptr, 16));
      }
    }

   private:
    const std::string hex_;
  };
  VectorRandom random(seed);
  const SigningKey key = SigningKey::Generate("vector", random).value();
  const std::string signature = key.Sign("").value();
  CHECK(ToHex(std::vector<uint8_t>(signature.begin(), signature.end())) ==
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46b"
        "d25bf5f0595bbe24655141438e7a100b");
  CHECK(key.verifying_key().Verify("", signature));
  CHECK_FALSE(key.verifying_key().Verify("x", signature));
  CHECK_FALSE(key.verifying_key().Verify("", signature.substr(1)));
}

// The key of golang.org/x/mod/sumdb/note's documentation.
TEST_CASE("the public key of another implementation is understood") {
  const std::string text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";
  const VerifyingKey key = VerifyingKey::Parse(text).value();
  CHECK(key.name() == "PeterNeumann");
  CHECK(key.ToText() == text);
  const std::string message =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  const std::string signature =
      DecodeBase64(
          "x08go/ZJkuBS9UG/"
          "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=")
          .value();
  CHECK(signature.substr(0, 4) == key.id());
  CHECK(key.Verify(message, signature.substr(4)));
}

TEST_CASE("a key is parsed from its own text only, down to each byte") {
  const SigningKey key = TestKey();
  const std::string text = key.verifying_key().ToText();
  CHECK(VerifyingKey::Parse(text).ok());
  CHECK(SigningKey::Parse(key.ToText()).value().verifying_key().ToText() == text);
  for (size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(VerifyingKey::Parse(changed).ok());
  }
  for (const std::string bad : {"", "\n", "a", "a+b+c\n", "+00000000+\n"}) {
    CHECK_FALSE(VerifyingKey::Parse(bad).ok());
    CHECK_FALSE(SigningKey::Parse("PRIVATE+KEY+" + bad).ok());
    CHECK_FALSE(SigningKey::Parse(bad).ok());
  }
  testing::CountingRandom random;
  CHECK_FALSE(SigningKey::Generate("has space", random).ok());
  CHECK_FALSE(SigningKey::Generate("has+plus", random).ok());
}

TEST_CASE("a checkpoint with any byte changed, added or missing is refused") {
  const SigningKey key = TestKey();
  const Checkpoint checkpoint{.size = 42, .root = Sha256("root")};
  const std::string note = SignCheckpoint(checkpoint, key).value();
  CHECK(note.substr(0, 20) == "nacre/audit/test\n42\n");
  CHECK(ParseCheckpoint(note, key.verifying_key()).value() == checkpoint);
  for (size_t i = 0; i < note.size(); ++i) {
    for (const int bit : {0x01, 0x20, 0x80}) {
      CAPTURE(i, bit);
      std::string changed = note;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      CHECK_FALSE(ParseCheckpoint(changed, key.verifying_key()).ok());
    }
    CHECK_FALSE(ParseCheckpoint(note.substr(0, i), key.verifying_key()).ok());
  }
  CHECK_FALSE(ParseCheckpoint(note + "\n", key.verifying_key()).ok());
  CHECK_FALSE(ParseCheckpoint(note + note, key.verifying_key()).ok());
}

TEST_CASE("a record is canonical JSON with every key, whatever its strings hold") {
  AuditRecord record = Record(7);
  record.call = "\"\\\n\r\t\b\f\x01\x1b[2J\x7f";
  record.data["text"] = "\xff{\"event\":\"fake\"}\n";
  record.actor = "agent";
  record.rule = "tools.read";
  record.step = 2;
  record.labels = {"untrusted", "\xc3\xa9"};
  const std::string line = Line(record, 3, "ab");
  CHECK(line.find('\n') == std::string::npos);
  CHECK(CheckRecord(line, 3, "ab").ok());
  CHECK(line ==
        "{\"actor\":\"agent\",\"call\":\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001b[2J\x7f\",\"data\":{"
        "\"number\":7,"
        "\"text\":\"\xef\xbf\xbd{\\\"event\\\":\\\"fake\\\"}\\n\",\"tool\":\"fs.read\"},"
        "\"event\":\"call.decided\",\"id\":\"01HF7YAT000000000000000001\",\"index\":3,"
        "\"labels\":[\"untrusted\",\"\xc3\xa9\"],\"mono_us\":0,\"policy\":\"sha256:00\","
        "\"previous\":\"ab\",\"rule\":\"tools.read\",\"session\":\"01J00000000000000000000001\","
        "\"step\":2,\"tenant\":\"\",\"time\":\"2023-11-14T22:13:20.000Z\","
        "\"trace\":\"01900000000000000000000000000002\",\"turn\":\"01J00000000000000000000002\"}");
}

TEST_CASE("what cannot be canonical is refused before it is written") {
  testing::ManualClock clock;
  testing::CountingRandom random;
  AuditRecord record = Record(1);
  const auto code = [&] { return EncodeRecord(record, clock, random).error().code; };
  record.data = Json::array();
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = {{"x", 0.5}};
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = {{"x", uint64_t{1} << 53}};
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = {{"x", -(int64_t{1} << 53)}};
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = {{"\xc3\xa9", 1}};
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = Json::object();
  for (int i = 0; i < 40; ++i) {
    record.data = Json{{"x", record.data}};
  }
  CHECK(code() == ErrorCode::kInvalidArgument);
  record.data = {{"x", std::string(kRecordBytesMax, 'x')}};
  CHECK(code() == ErrorCode::kResourceExhausted);
  record.data = {{"x", (int64_t{1} << 53) - 1}};
  CHECK(CheckRecord(Line(record), 0, "").ok());
}

TEST_CASE("a list of a record has the first entries that fit, and two such lists fit a record") {
  const auto of_bytes = [](size_t bytes) {
    return [bytes](size_t i) { return Json(std::string(bytes, static_cast<char>('a' + i))); };
  };
  CHECK(RecordList(0, 3, of_bytes(5)) == Json::array());
  CHECK(RecordList(2, 3, of_bytes(1)) == Json{"a", "b"});
  CHECK(RecordList(4, 3, of_bytes(1)) == Json{"a", "b", "c"});
  CHECK(RecordList(4, 3, of_bytes(9'000)).size() == 2);
  CHECK(RecordList(1, 3, of_bytes(kRecordListBytesMax)) == Json::array());
  AuditRecord record = Record(1);
  const Json whole = RecordList(20, 20, [](size_t) { return Json(std::string(990, '\n')); });
  CHECK(whole.size() == 10);
  record.data = {{"conflicts", whole}, {"misowned", whole}};
  CHECK(CheckRecord(Line(record), 0, "").ok());
}

TEST_CASE("a line that is no canonical record in its place is refused") {
  const std::string line = Line(Record(1), 1, "ab");
  CHECK(CheckRecord(line, 1, "cd").error().code == ErrorCode::kFailedPrecondition);
  CHECK(CheckRecord(line, 2, "ab").error().message ==
        "the record here has index 1: records were removed, added or swapped");
  CHECK(CheckRecord(" " + line, 1, "ab").error().message == "it is not in canonical form");
  CHECK(CheckRecord(line + "\r", 1, "ab").error().code == ErrorCode::kDataLoss);
  for (const char* bad : {"", "{}", "[]", "null", "{\"index\":1}", "\x00", "{\"call\":"}) {
    CHECK(CheckRecord(bad, 1, "ab").error().code == ErrorCode::kDataLoss);
  }
}

TEST_CASE("lines are read across any buffer and bounded in length") {
  const LogDirectory log;
  const std::string path = log.temp.path() + "/lines";
  std::string content;
  for (int i = 0; i < 40; ++i) {
    content += std::string(static_cast<size_t>(i * 500), 'x') + "\n";
  }
  REQUIRE(WriteFileAtomically(path, content + "tail").ok());
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string_view line;
  LineReader reader(file.get(), 0, 20'000);
  for (size_t i = 0; i < 40; ++i) {
    REQUIRE(reader.Next(&line).value());
    CHECK(line.size() == i * 500);
  }
  CHECK_FALSE(reader.Next(&line).value());
  CHECK(reader.tail() == "tail");
  CHECK(reader.offset() == content.size());
  LineReader bounded(file.get(), 0, 499);
  CHECK(bounded.Next(&line).value());
  CHECK(bounded.Next(&line).error().code == ErrorCode::kDataLoss);
}

}  // namespace nacre::audit
