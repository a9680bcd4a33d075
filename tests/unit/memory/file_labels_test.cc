// Labels of files in the store: what is joined, what a finished call may replace, and what is below and above.
#include <catch2/catch.hpp>

#include "base/temp_dir.h"
#include "memory/sqlite_session_store.h"

namespace nacre::memory {
namespace {

using Words = std::vector<std::string>;

FileLabel Label(const std::string& path, Words labels, const std::string& call) {
  return {.path = path,
          .labels = std::move(labels),
          .digest = "d-" + call,
          .call = call,
          .changed_ms = 1};
}

struct Opened {
  TempDir directory = TempDir::Create().value();
  std::unique_ptr<SqliteSessionStore> store =
      SqliteSessionStore::Open(directory.path() + "/nacre.db").value();
  FileLabels& labels = store->file_labels();

  Words Of(const std::string& path) const { return labels.LabelsOf({path}).value(); }
};

}  // namespace

TEST_CASE("labels of a file are joined, and another process's store has them") {
  Opened opened;
  REQUIRE(opened.labels.Join("/w", {Label("/w/a", {"x"}, "1")}).value().empty());
  const std::vector<FileLabel> before =
      opened.labels.Join("/w", {Label("/w/a", {"y"}, "2")}).value();
  CHECK(before == std::vector<FileLabel>{Label("/w/a", {"x"}, "1")});
  CHECK(opened.Of("/w/a") == Words{"x", "y"});
  const auto again = SqliteSessionStore::Open(opened.directory.path() + "/nacre.db").value();
  CHECK(again->file_labels().LabelsOf({"/w/a"}).value() == Words{"x", "y"});
  CHECK(again->Check().ok());
}

TEST_CASE(
    "a folder has the labels of all below it, and a file those of folders that speak for it") {
  Opened opened;
  FileLabel folder = Label("/w/d", {"below"}, "1");
  folder.below = true;
  REQUIRE(
      opened.labels
          .Join("/w", {folder, Label("/w/d/e/f", {"deep"}, "1"), Label("/w/d2", {"beside"}, "1"),
                       Label("/w/d!", {"before"}, "1"), Label("/w", {"name"}, "1")})
          .ok());
  CHECK(opened.Of("/w/d") == Words{"below", "deep"});
  CHECK(opened.Of("/w/d/other") == Words{"below"});
  CHECK(opened.Of("/w/d/e/f") == Words{"below", "deep"});
  CHECK(opened.Of("/w/d2") == Words{"beside"});
  CHECK(opened.Of("/w/d2/below-a-name") == Words{});  // only of the name itself
  CHECK(opened.Of("/w") == Words{"before", "below", "beside", "deep", "name"});
  CHECK(opened.Of("/") == Words{"before", "below", "beside", "deep", "name"});
  CHECK(opened.Of("/wx") == Words{});
}

TEST_CASE("a finished call replaces its own labels, and not what another has joined since") {
  Opened opened;
  REQUIRE(
      opened.labels.Join("/w", {Label("/w/a", {"old"}, "0"), Label("/w/b", {"old"}, "0")}).ok());
  REQUIRE(opened.labels.Join("/w", {Label("/w/a", {}, "1"), Label("/w/b", {"new"}, "1")}).ok());
  CHECK(opened.Of("/w") == Words{"new", "old"});  // until it is settled, both
  REQUIRE(opened.labels.Join("/w", {Label("/w/a", {"taint"}, "2")}).ok());
  REQUIRE(opened.labels.Settle("1", {Label("/w/a", {}, "1"), Label("/w/b", {"new"}, "1")}).ok());
  CHECK(opened.Of("/w/a") == Words{"old", "taint"});
  CHECK(opened.Of("/w/b") == Words{"new"});
  REQUIRE(opened.labels.Settle("2", {Label("/w/a", {}, "2")}).ok());
  CHECK(opened.Of("/w/a") == Words{});
}

TEST_CASE("what is cleared is what was listed, and not what a call has joined since") {
  Opened opened;
  REQUIRE(opened.labels.Join("/w", {Label("/w/a", {"x"}, "1"), Label("/w/b", {"x"}, "1")}).ok());
  const std::vector<FileLabel> listed = opened.labels.ListFileLabels("/w").value();
  REQUIRE(listed.size() == 2);
  REQUIRE(opened.labels.Join("/w", {Label("/w/b", {"y"}, "2")}).ok());
  CHECK(opened.labels.ClearFileLabels(listed).value() == 1);
  CHECK(opened.Of("/w/a") == Words{});
  CHECK(opened.Of("/w/b") == Words{"x", "y"});
}

TEST_CASE("too many labels of a workspace become one for all of it, which is no cleaner") {
  Opened opened;
  std::vector<FileLabel> many;
  for (int i = 0; i <= kFileLabelsMax; ++i) {
    many.push_back(Label("/w/" + std::to_string(i), {i == 7 ? "rare" : "usual"}, "1"));
  }
  REQUIRE(opened.labels.Join("/other", {Label("/other/a", {"x"}, "1")}).ok());
  const FileLabel last = many.back();
  many.pop_back();
  REQUIRE(opened.labels.Join("/w", many).ok());
  CHECK(opened.Of("/w/1") == Words{"usual"});
  REQUIRE(opened.labels.Join("/w", {last}).ok());
  CHECK(opened.Of("/w/1") == Words{"rare", "usual"});
  CHECK(opened.Of("/w/never-written") == Words{"rare", "usual"});
  CHECK(opened.labels.ListFileLabels("/w").value().size() == 1);
  CHECK(opened.Of("/other/a") == Words{"x"});
}

TEST_CASE("a note has the labels of who wrote it") {
  Opened opened;
  REQUIRE(opened.store->AddNote("/w", "a secret thing", {"secret"}, 1).ok());
  REQUIRE(opened.store->AddNote("/w", "a plain thing", {}, 2).ok());
  CHECK(opened.store->SearchNotes("/w", "secret", 5).value().at(0).labels == Words{"secret"});
  CHECK(opened.store->SearchNotes("/w", "plain", 5).value().at(0).labels == Words{});
  CHECK(opened.store->SearchNotes("/w", "", 5).value().at(1).labels == Words{"secret"});
}

}  // namespace nacre::memory
