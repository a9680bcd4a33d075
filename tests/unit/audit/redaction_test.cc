// What may be kept of a content: no secret that has a known form or a telling name, wherever it stands in it.
#include "runtime/audit/redaction.h"

#include <catch2/catch.hpp>

namespace nacre::audit {
namespace {

const std::string kToken = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

bool Has(const Redacted& redacted, const std::string& text) {
  return redacted.content.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a secret is replaced by its kind, its length and an id, and the rest stays") {
  const Redacted one = RedactText("login with " + kToken + " please", false);
  CHECK(one.marks == 1);
  CHECK(one.content.starts_with("login with [redacted token, 40 bytes, "));
  CHECK(one.content.ends_with("] please"));
  CHECK(RedactText("login with " + kToken + " please", false).content == one.content);  // same id
  CHECK(RedactText("login with " + kToken + "x please", false).content.substr(0, 40) !=
        one.content.substr(0, 40));
  const std::string plain =
      "a path /home/anna/notes.md, 17 tokens, tokens: 17, a key of a door, sk-8";
  CHECK(RedactText(plain, false).content == plain);
  CHECK(RedactText(plain, false).marks == 0);
  CHECK(RedactText("", false).content.empty());
  CHECK(RedactText("", true).marks == 0);
}

TEST_CASE("secrets are found by their form and by their names, and none of a table gets through") {
  struct Row {
    const char* text;
    const char* secret;
    const char* kept;
  };
  const Row row = GENERATE(values<Row>({
      {"password=hunter2", "hunter2", "password="},
      {"{\"password\":\n  \"hunter2\"}", "hunter2", "password"},
      {"PGPASSWORD=hunter2 psql -h db", "hunter2", " psql -h db"},
      {"export DB_PASSWORD='hun ter2' && x", "hun ter2", "' && x"},
      {"mysql --password hunter2 base", "hunter2", " base"},
      {"mysql --password=hunter2 base", "hunter2", " base"},
      {R"({"user": "anna", "password": "hun\"ter2", "n": 1})", "ter2", R"("n": 1})"},
      {R"({\"password\":\"hunter2\",\"n\":1})", "hunter2", R"(\"n\":1})"},
      {"client_secret: hunter2\nregion: eu", "hunter2", "\nregion: eu"},
      {"Api-Key: hunter2", "hunter2", "Api-Key: "},
      {"Authorization: Basic aHVudGVyMg==\nHost: x", "aHVudGVyMg", "\nHost: x"},
      {"curl -H 'authorization: Bearer abcdefghijkl'", "abcdefghijkl", "curl -H"},
      {"Set-Cookie: id=hunter2; Path=/\nX: y", "hunter2", "\nX: y"},
      {"use bearer abcdefgh.ijkl now", "abcdefgh.ijkl", " now"},
      {"https://anna:hunter2@example.org/x", "hunter2", "@example.org/x"},
      {"postgres://anna:hun%40ter2@db:5432/x", "ter2", "@db:5432/x"},
      {"AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", ""},
      {"t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d;", "eyJhbGciOiJIUzI1NiJ9", "t="},
      {"xoxb-123456789012-abcdef ok", "123456789012", " ok"},
      {"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb", "MIIE", "\nb"},
      {"a -----BEGIN PRIVATE KEY-----\nMIIE and no end", "MIIE", "a "},
      {"PRIVATE+KEY+nacre/audit/x+0a0b0c0d+AbCdEfGhIjKl", "AbCdEfGhIjKl", ""},
      {R"({"key": "a\n-----BEGIN EC PRIVATE KEY-----\nMIIE\n-----END EC PRIVATE KEY-----\n"})",
       "MIIE", R"({"key": "a\n)"},
      {R"(first\nghp_16C7e42F292c6912E7710c838347Ae\nlast)", "16C7e42F", R"(first\n)"},
      {R"(first\npassword=hunter2)", "hunter2", "password="},
      {"backup-ghp_16C7e42F292c6912E7710c838347Ae", "16C7e42F", "backup-"},
      {"password=[hunter2]", "hunter2", "password="},
      {"password=(hunter2)", "hunter2", "password="},
      {"{\"credentials\": {\"password\": \"hunter2\"}}", "hunter2",
       "{\"credentials\": {\"password\": \""},
      {"password: \"unfinished hunter2", "hunter2", "password: \""},
  }));
  CAPTURE(row.text);
  const Redacted redacted = RedactText(row.text, false);
  CAPTURE(redacted.content);
  CHECK(redacted.marks >= 1);
  CHECK_FALSE(Has(redacted, row.secret));
  CHECK(Has(redacted, row.kept));
  // Deep in arguments, as a name there, and far into a long text, as well.
  Json deep = {{"tool", {{{"steps", {{"text", row.text}}}}}}};
  CHECK_FALSE(Has(RedactArguments(deep, false), row.secret));
  deep = {{"map", {{row.text, 1}}}};
  CHECK_FALSE(Has(RedactArguments(deep, false), row.secret));
  const std::string filler(300'000, 'x');
  const Redacted far = RedactText(filler + "\n" + row.text, false);
  CHECK_FALSE(Has(far, row.secret));
  CHECK(Has(far, filler + "\n"));
}

TEST_CASE("of arguments the structure stays, and what has a telling name has no value any more") {
  const Json arguments = {
      {"path", "/workspace/a.txt"},
      {"count", 3},
      {"credentials", {{"user", "anna"}, {"pin", 1234}, {"empty", ""}, {"none", nullptr}}},
      {"content", "token = " + kToken}};
  const Redacted redacted = RedactArguments(arguments, false);
  CAPTURE(redacted.content);
  const Json kept = Json::parse(redacted.content);
  CHECK(kept["path"] == "/workspace/a.txt");
  CHECK(kept["count"] == 3);
  CHECK(kept["credentials"].size() == 4);
  CHECK_FALSE(Has(redacted, "anna"));
  CHECK_FALSE(Has(redacted, "1234"));
  CHECK_FALSE(Has(redacted, kToken));
  CHECK(kept["credentials"].contains("pin"));
  CHECK(redacted.marks == 3);
}

TEST_CASE("of a command's arguments the one after a telling option is its value") {
  const Json arguments = {{"argv",
                           {"curl", "--token", "hunter2 hunter3", "-v", "--password=horse, hunter2",
                            "Authorization:", "hunter4", "PGPASSWORD=hun&ter2", "--token-file",
                            "kept", "password", "kept too"}}};
  const Redacted redacted = RedactArguments(arguments, false);
  CAPTURE(redacted.content);
  CHECK(redacted.marks == 4);
  for (const char* secret : {"hunter", "horse", "ter2"}) {
    CHECK_FALSE(Has(redacted, secret));
  }
  for (const char* kept : {"curl", "--token\"", "-v", "--password=[", "PGPASSWORD=[",
                           "Authorization:", "\"kept\"", "kept too"}) {
    CHECK(Has(redacted, kept));
  }
}

TEST_CASE("of what is confidential nothing stays but its shape") {
  const Json arguments = {{"path", "/hr/anna.md"}, {"lines", {1, 2}}, {"map", {{"anna", true}}}};
  const Redacted redacted = RedactArguments(arguments, true);
  CAPTURE(redacted.content);
  CHECK_FALSE(Has(redacted, "anna"));
  CHECK_FALSE(Has(redacted, "true"));
  const Json kept = Json::parse(redacted.content);
  CHECK(kept["path"].get<std::string>().starts_with("[redacted confidential, 11 bytes, "));
  CHECK(kept["lines"].size() == 2);
  CHECK(kept["map"].size() == 1);
  const Redacted text = RedactText("anna earns 3", true);
  CHECK(text.marks == 1);
  CHECK(text.content.starts_with("[redacted confidential, 12 bytes, "));
  CHECK(text.content.size() < 80);
}

TEST_CASE("hostile texts take no more time and memory than their length, and end") {
  for (const std::string& unit :
       {std::string("-----BEGIN PRIVATE KEY"), std::string("password=\""), std::string("://a:b"),
        std::string("\\\""), std::string("token"), std::string("eyJ"), std::string("bearer "),
        std::string("\xff\xfe"), std::string("a-b.")}) {
    std::string text;
    while (text.size() < 400'000) {
      text += unit;
    }
    const Redacted redacted = RedactText(text, false);
    CHECK(redacted.content.size() < 40 * text.size());
  }
}

}  // namespace nacre::audit
