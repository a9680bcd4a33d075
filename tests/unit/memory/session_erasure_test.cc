// A session that was deleted is in none of the store's files any more, and everything else is.
#include "memory/session_erasure.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "base/temp_dir.h"
#include "memory/sqlite_session_store.h"

namespace nacre::memory {
namespace {

constexpr char kGone[] = "01J00000000000000000000001";
constexpr char kStays[] = "01J00000000000000000000002";

// A session of one turn with calls whose texts have `word` in them, some of many pages.
void Fill(SessionStore& store, const std::string& id, const std::string& word) {
  SessionRecord session;
  session.id = id;
  session.workspace = "/home/user/project";
  session.title = "about the " + word;
  REQUIRE(store.CreateSession(session).ok());
  TurnRecord turn;
  turn.id = "01JT000000000000000000000" + id.substr(25);
  turn.request = "tell me about the " + word;
  REQUIRE(store.BeginTurn(id, turn).ok());
  for (int i = 0; i < 30; ++i) {
    StepRecord step;
    step.index = i;
    step.call = CallRecord{};
    step.call->id = turn.id.substr(0, 23) + std::to_string(10 + i) + id.substr(25);
    step.call->tool = "fs.read";
    step.call->arguments_json = "{\"path\":\"" + word + ".md\"}";
    step.call->state = CallState::kStarted;
    REQUIRE(store.AppendStep(turn.id, step).ok());
    step.call->state = CallState::kFinished;
    for (int part = 0; part < 40 * i; ++part) {
      step.call->result_text += "line " + std::to_string(part) + " of the " + word + "\n";
    }
    REQUIRE(store.FinishCall(*step.call).ok());
  }
  REQUIRE(store.FinishTurn(turn.id, TurnState::kFinished, "a " + word + " it is", "", 7).ok());
}

std::string AllBytes(const std::string& folder) {
  std::string all;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.is_regular_file()) {
      all += ReadFile(file.path().string(), 64 << 20).value();
    }
  }
  return all;
}

bool Has(const std::string& bytes, const char* word) {
  return bytes.find(word) != std::string::npos;
}

}  // namespace

TEST_CASE("a deleted session is in no file of the store any more, with the notes it wrote") {
  const TempDir temp = TempDir::Create().value();
  const std::string path = temp.path() + "/nacre.db";
  const auto store = SqliteSessionStore::Open(path).value();
  Fill(*store, kGone, "heron");
  Fill(*store, kStays, "stork");
  const std::string note = "the wheatear nests at the pond";
  REQUIRE(store->AddNote("/home/user/project", note, {}, 1).ok());
  REQUIRE(store->AddNote("/home/user/project", "the plover is back", {}, 2).ok());
  REQUIRE(store->AddNote("/home/user/other", note, {}, 3).ok());
  std::string bytes = AllBytes(temp.path());
  REQUIRE((Has(bytes, "heron") && Has(bytes, "wheatear")));

  // With a store open in this process, as the command line has it.
  const ErasedSession erased = EraseSession(path, kGone, {Sha256Text(note)}).value();
  CHECK(erased.turns == 1);
  CHECK(erased.calls == 30);
  CHECK(erased.notes == 1);
  CHECK(store->LoadSession(kGone).error().code == ErrorCode::kNotFound);
  CHECK(store->LoadSession(kStays).value().turns.at(0).steps.size() == 30);
  CHECK(store->SearchNotes("/home/user/project", "wheatear", 9).value().empty());
  CHECK(store->SearchNotes("/home/user/project", "plover", 9).value().size() == 1);
  CHECK(store->SearchNotes("/home/user/other", "wheatear", 9).value().size() == 1);
  bytes = AllBytes(temp.path());
  CHECK_FALSE(Has(bytes, "heron"));
  CHECK(Has(bytes, "stork"));
  CHECK(store->Check().ok());

  // The last note with the word: nothing of it is left, also not in the index of words.
  CHECK(EraseSession(path, kGone, {}).error().code == ErrorCode::kNotFound);
  SessionRecord other;
  other.id = kGone;
  other.workspace = "/home/user/other";
  REQUIRE(store->CreateSession(other).ok());
  CHECK(EraseSession(path, kGone, {Sha256Text(note)}).value().notes == 1);
  bytes = AllBytes(temp.path());
  CHECK_FALSE(Has(bytes, "wheatear"));
  CHECK(Has(bytes, "plover"));
  CHECK(store->SearchNotes("/home/user/project", "plover", 9).value().size() == 1);
}

TEST_CASE(
    "a reader that keeps the write-ahead log from being emptied is told, and it is done again") {
  const TempDir temp = TempDir::Create().value();
  const std::string path = temp.path() + "/nacre.db";
  const auto store = SqliteSessionStore::Open(path).value();
  Fill(*store, kGone, "heron");
  {
    Database reader = Database::Open(path).value();
    const Transaction reading = Transaction::BeginRead(reader).value();
    REQUIRE(reader.QueryInt("SELECT count(*) FROM sessions").value() == 1);
    const auto erased = EraseSession(path, kGone, {});
    REQUIRE_FALSE(erased.ok());
    CHECK(erased.error().code == ErrorCode::kUnavailable);
  }
  CHECK(EraseSession(path, kGone, {}).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(Has(AllBytes(temp.path()), "heron"));
}

}  // namespace nacre::memory
