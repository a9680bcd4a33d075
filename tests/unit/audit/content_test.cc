// Contents are kept under a key of their session: who destroys it has erased them, and nothing else.
#include <sys/stat.h>
#include <catch2/catch.hpp>

#include "base/digest.h"
#include "runtime/audit/content_erase.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/erasures.h"
#include "runtime/audit/index_segment.h"
#include "runtime/audit/log_export.h"
#include "runtime/audit/log_index.h"
#include "runtime/audit/tenant.h"
#include "tests/unit/audit/changeable_log.h"

namespace nacre::audit {
namespace {

constexpr char kSession[] = "01J00000000000000000000001";
constexpr char kOther[] = "01J0000000000000000000000A";
constexpr char kUnnamed[] = "01J0000000000000000000000C";

AuditRecord WithContent(const std::string& text, const std::string& session = kSession) {
  AuditRecord record;
  record.event = "call.decided";
  record.session = session;
  record.turn = "01J00000000000000000000002";
  record.call = "01J00000000000000000000003";
  record.data = {
      {"tool", "fs.write"},
      {"arguments",
       {{"bytes", text.size()}, {"content", text}, {"cut", false}, {"digest", Sha256Text(text)}}}};
  return record;
}

class SealedLogDirectory : public ChangeableLog {
 public:
  ContentKeys keys{path};

  std::unique_ptr<AuditLog> OpenSealing(Storage& storage = DiskStorage()) {
    return SealingLog(OpenAuditLog(path, clock, random, storage).value(), path, random, storage);
  }
  std::vector<Json> Query(const RecordFilter& filter) {
    std::vector<Json> found;
    const QueryReport report =
        QueryAuditLog(path, filter, {.index_directory = index, .progress = {}}, random,
                      [&](uint64_t, const Json& record) {
                        found.push_back(record);
                        return true;
                      })
            .value();
    CHECK(report.problems.empty());
    return found;
  }
  std::vector<Json> WithWord(const std::string& word) {
    RecordFilter filter;
    filter.text = word;
    return Query(filter);
  }
  Json Arguments(uint64_t index_of) const {
    Json found;
    REQUIRE(ReadAuditLog(path, index_of, [&](uint64_t, const Json& record) {
              found = record["data"]["arguments"];
              return false;
            }).ok());
    return found;
  }
  std::string AllBytes(const std::string& folder) const {
    std::string all;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        all += ReadFile(entry.path().string(), 1 << 24).value();
      }
    }
    return all;
  }
};

}  // namespace

TEST_CASE("a content is in the log under a key only, and readers that have the key see it") {
  SealedLogDirectory log;
  const auto open = log.OpenSealing();
  const std::string text = "{\"path\":\"notes/heron.md\",\"content\":\"the heron\"}";
  const uint64_t at = open->Append(WithContent(text)).value();
  REQUIRE(open->Append(Record(1)).ok());  // without a content
  REQUIRE(open->WriteCheckpoint().ok());
  CHECK(log.Verify().ok);
  const std::string bytes = log.AllBytes(log.path);
  CHECK(bytes.find("heron") == std::string::npos);
  CHECK(bytes.find(Sha256Text(text)) == std::string::npos);
  CHECK(bytes.find(Sha256Text(text).substr(7)) == std::string::npos);

  const Json opened = log.Arguments(at);
  CHECK(opened["content"] == text);
  CHECK(StringMember(opened, "digest").starts_with("hmac-sha256:"));
  CHECK(IsDigestOf(log.keys, kSession, opened, text));
  CHECK_FALSE(IsDigestOf(log.keys, kSession, opened, text + " "));
  CHECK_FALSE(IsDigestOf(log.keys, kOther, opened, text));
  CHECK(log.WithWord("HERON").size() == 1);
  CHECK(log.WithWord("stork").empty());
  RecordFilter path;
  path.path = "notes";
  CHECK(log.Query(path).size() == 1);

  // One key for a session, for its owner only, outside of the log; another session has its own.
  REQUIRE(open->Append(WithContent("again")).ok());
  REQUIRE(open->Append(WithContent("other", kOther)).ok());
  CHECK(log.keys.IdsOf(kSession).value().size() == 1);
  CHECK(log.keys.IdsOf(kOther).value().size() == 1);
  CHECK(log.keys.folder() == log.path + "-keys");
  struct stat info {};
  REQUIRE(::stat(log.keys.folder().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0700);
  const std::string file =
      log.keys.folder() + "/" + kSession + "." + log.keys.IdsOf(kSession).value()[0];
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  // A content that is of no session has no key to be kept under.
  CHECK(open->Append(WithContent("x", "")).error().code == ErrorCode::kInvalidArgument);
  CHECK(open->Append(WithContent("x", "../../etc")).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a record whose content has no key is refused, and who watches the log is told") {
  SealedLogDirectory log;
  std::vector<std::string> told;
  const auto open = SealingLog(OpenAuditLog(log.path, log.clock, log.random).value(), log.path,
                               log.random, DiskStorage(), [&](const Error& error) {
                                 told.push_back(error.message);
                                 return true;
                               });
  log.Write("../audit-keys", "no folder");
  const std::string before = log.Events();
  const auto refused = open->Append(WithContent("secret"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("the audit log is not writable: a key of contents: ") == 0);
  CHECK(told == std::vector<std::string>{refused.error().message});
  CHECK(log.Events() == before);
  CHECK(open->Append(Record(1)).ok());  // it has no content
}

TEST_CASE("the digest of a call's arguments in an approval tells nothing without the key") {
  SealedLogDirectory log;
  const auto open = log.OpenSealing();
  const std::string digest = Sha256Text("yes");
  AuditRecord approval = Record(1);
  approval.event = "call.approval";
  approval.data = {{"arguments_digest", digest},
                   {"subject", {{"arguments_digest", digest}, {"digest", digest}}}};
  REQUIRE(open->Append(approval).ok());  // nothing is sealed: it stays as it is
  CHECK(log.AllBytes(log.path).find(digest) != std::string::npos);
  REQUIRE(open->Append(WithContent("yes")).ok());
  REQUIRE(open->Append(approval).ok());
  std::vector<std::string> keyed;
  REQUIRE(ReadAuditLog(log.path, 0, [&](uint64_t, const Json& record) {
            const Json& data = record["data"];
            for (const std::string& found :
                 {StringMember(data, "arguments_digest"),
                  data.contains("subject") ? StringMember(data["subject"], "digest") : "",
                  data.contains("arguments") ? StringMember(data["arguments"], "digest") : ""}) {
              if (found.starts_with("hmac-sha256:")) {
                keyed.push_back(found);
              }
            }
            return true;
          }).ok());
  REQUIRE(keyed.size() == 3);
  CHECK((keyed[0] == keyed[1] && keyed[1] == keyed[2]));
}

TEST_CASE("a sealed content that was changed, moved or is of another key is told, not shown") {
  SealedLogDirectory log;
  const ContentKey key = log.keys.Make(kSession, log.random, DiskStorage()).value();
  AuditRecord sealed = WithContent("the heron");
  REQUIRE(SealContents(key, log.random, &sealed).ok());
  const Json good = {{"event", sealed.event},
                     {"session", sealed.session},
                     {"turn", sealed.turn},
                     {"call", sealed.call},
                     {"data", sealed.data}};
  const auto opened = [&](Json record) {
    OpenContents(log.keys, &record);
    return record["data"]["arguments"];
  };
  CHECK(opened(good)["content"] == "the heron");
  for (const char* member : {"event", "turn", "call"}) {
    Json moved = good;
    moved[member] = "01J00000000000000000000009";
    CHECK(opened(moved).contains("unreadable"));
    CHECK_FALSE(opened(moved).contains("content"));
  }
  Json field = good;
  field["data"]["result"] = field["data"]["arguments"];
  field["data"].erase("arguments");
  OpenContents(log.keys, &field);
  CHECK(field["data"]["result"].contains("unreadable"));
  const std::string cipher = good["data"]["arguments"]["sealed"]["ciphertext"];
  for (const std::string& bad : {std::string(), std::string("AAAA"), std::string("%"),
                                 (cipher[0] == 'A' ? "B" : "A") + cipher.substr(1)}) {
    Json changed = good;
    changed["data"]["arguments"]["sealed"]["ciphertext"] = bad;
    CHECK(opened(changed).contains("unreadable"));
  }
  for (const Json& bad : {Json(7), Json("../../etc/passwd"), Json("0123456789ABCDEF")}) {
    Json changed = good;
    changed["data"]["arguments"]["sealed"]["key"] = bad;
    CHECK(opened(changed)["erased"] == true);
    changed["data"]["arguments"]["sealed"] = bad;
    CHECK_FALSE(opened(changed).contains("content"));
  }
  // A copy has no keys, and says so.
  Json copy = good;
  OpenContents(ContentKeys(log.temp.path() + "/copy"), &copy);
  CHECK(StringMember(copy["data"]["arguments"], "unreadable").find("copy of the log") !=
        std::string::npos);
  // Two texts that are the same look different.
  AuditRecord again = WithContent("the heron");
  REQUIRE(SealContents(key, log.random, &again).ok());
  CHECK(again.data["arguments"]["sealed"]["ciphertext"] != cipher);
}

TEST_CASE("an erased content is gone from log, index and keys, and the log verifies as before") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    for (int i = 0; i < 40; ++i) {
      REQUIRE(open->Append(WithContent("the heron " + std::to_string(i))).ok());
    }
    REQUIRE(open->Append(WithContent("the stork", kOther)).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  {  // so many that the index has files
    const auto writer = LogWriter::Open(log.path, log.clock, log.random, DiskStorage()).value();
    std::vector<EncodedRecord> batch;
    for (int i = 0; i < 4'200; ++i) {
      batch.push_back(EncodeRecord(Record(i), log.clock, log.random).value());
    }
    std::vector<const EncodedRecord*> pointers;
    for (const EncodedRecord& record : batch) {
      pointers.push_back(&record);
    }
    REQUIRE(writer->Commit(pointers).ok());
  }
  CHECK(log.WithWord("heron").size() == 40);
  CHECK(fs::exists(log.index + "/0-0"));
  {
    CheckedLog checked = CheckedLog::Open(log.path).value();
    LogIndex index = LogIndex::Open(log.index, log.random).value();
    REQUIRE(index.Update(checked, nullptr).ok());
    const auto with = [&](const std::string& word) {
      return index.Candidates(16, {TermOf(word)}, 0, 0).value().size();
    };
    CHECK(with("heron") == 0);  // never, also before it is erased
    CHECK(with("call") > 0);
  }
  const std::string root = log.Verify().root;
  const std::string secret = log.AllBytes(log.keys.folder());

  const Hold hold = PlaceHold(log.Change(), {.session = kSession, .reason = "case"}).value();
  auto erased = EraseContents(log.Change(), kSession, "asked for");
  REQUIRE_FALSE(erased.ok());
  CHECK(erased.error().message.find(hold.id) != std::string::npos);
  REQUIRE(ReleaseHold(log.Change(), hold.id, "closed").ok());
  const Hold range = PlaceHold(log.Change(), {.from = 30, .to = 60, .reason = "case"}).value();
  CHECK(EraseContents(log.Change(), kSession, "").error().message.find(range.id) !=
        std::string::npos);
  REQUIRE(ReleaseHold(log.Change(), range.id, "closed").ok());
  CHECK(log.WithWord("heron").size() == 40);

  erased = EraseContents(log.Change(), kSession, "asked for");
  INFO((erased.ok() ? "" : erased.error().message));
  REQUIRE(erased.ok());
  CHECK(erased.value().size() == 1);
  CHECK(log.keys.IdsOf(kSession).value().empty());
  CHECK(log.AllBytes(log.keys.folder()).size() == kContentKeyBytes);  // of the other session
  CHECK(log.WithWord("heron").empty());
  CHECK(log.WithWord("stork").size() == 1);
  const Json entry = log.Arguments(1);
  CHECK(entry["erased"] == true);
  CHECK_FALSE(entry.contains("content"));
  CHECK_FALSE(entry.contains("sealed"));
  CHECK(log.Verify().ok);
  const auto arguments_of = [&](const std::string& session) {
    RecordFilter decided;
    decided.event = "call.decided";
    decided.session = session;
    return log.Query(decided).at(0)["data"]["arguments"];
  };
  CHECK(arguments_of(kSession)["erased"] == true);
  CHECK(StringMember(arguments_of(kSession), "erased_on").starts_with("2023-11-14T"));
  CHECK(arguments_of(kSession)["erased_reason"] == "asked for");
  CHECK(IntMember(arguments_of(kSession), "erased_record") > 4'200);
  RecordFilter filter;
  filter.event = kContentErasedEvent;
  CHECK(log.Query(filter).size() == 1);
  CHECK(EraseContents(log.Change(), kSession, "").error().code == ErrorCode::kNotFound);
  CHECK(EraseContents(log.Change(), "x", "").error().code == ErrorCode::kInvalidArgument);

  // What the session does after that is under another key, also by a writer that knew the old one.
  std::string exported;
  const ExportOptions sealed;
  REQUIRE(ExportLog(log.path, sealed, [&](std::string_view lines) {
            exported += lines;
            return Ok();
          }).ok());
  CHECK(exported.find("stork") == std::string::npos);
  CHECK(exported.find("\"sealed\"") != std::string::npos);
  exported.clear();
  ExportOptions as_text;
  as_text.open_contents = true;
  REQUIRE(ExportLog(log.path, as_text, [&](std::string_view lines) {
            exported += lines;
            return Ok();
          }).ok());
  CHECK(exported.find("the stork") != std::string::npos);
  CHECK(exported.find("\"erased\":true") != std::string::npos);
}

TEST_CASE("whose a session is follows from its records, and is not guessed when there are none") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    AuditRecord record = WithContent("the heron");
    record.tenant = "acme";
    REQUIRE(open->Append(record).ok());
    record = WithContent("the crane", kOther);
    record.tenant = "beta";
    REQUIRE(open->Append(record).ok());
    record.tenant = "acme";  // as a watch of another tenant once wrote it: the first one counts
    REQUIRE(open->Append(record).ok());
    record = WithContent("the rook", kUnnamed);
    REQUIRE(open->Append(record).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  const std::string third = "01J0000000000000000000000B";
  REQUIRE(log.keys.Make(third, log.random, DiskStorage()).ok());
  log.Write("../audit-keys/notes.txt", "no key");
  const std::vector<std::string> all = log.keys.Sessions().value();
  CHECK(all == std::vector<std::string>{kSession, kOther, third, kUnnamed});
  for (const auto& [tenant, session] : {std::pair<std::string, std::string>("acme", kSession),
                                        std::pair<std::string, std::string>("beta", kOther)}) {
    const TenantSessions found = SessionsOfTenant(log.Change(), tenant, all).value();
    CHECK(found.own == std::vector<std::string>{session});
    CHECK(found.pruned == std::vector<std::string>{third});
    CHECK(found.unnamed == std::vector<std::string>{kUnnamed});
  }
  CHECK(SessionsOfTenant(log.Change(), "", all).value().own.empty());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("../acme"),
                                  std::string("caf\xc3\xa9"), std::string(65, 'a')}) {
    CHECK(SetOwnTenant(name).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(OwnTenant().empty());
}

TEST_CASE("a key that is gone and of which no signed record says that it was erased was lost") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    REQUIRE(open->Append(WithContent("the heron")).ok());
    REQUIRE(open->Append(WithContent("the stork", kOther)).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  const std::string id = log.keys.IdsOf(kSession).value()[0];
  fs::remove(log.keys.folder() + "/" + kSession + "." + id);
  RecordFilter filter;
  filter.session = kSession;
  const auto entry = [&] { return log.Query(filter).at(0)["data"]["arguments"]; };
  CHECK_FALSE(entry().contains("erased"));
  CHECK(StringMember(entry(), "unreadable").find("its key is lost") == 0);
  // A record behind the newest signature says nothing, nor does one of another session.
  AuditRecord claim = Record(1);
  claim.event = kContentErasedEvent;
  claim.data = {{"session", kOther}, {"keys", {id}}, {"reason", "x"}};
  {
    const auto open = log.Open();
    REQUIRE(open->Append(claim).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  CHECK(StringMember(entry(), "unreadable").find("its key is lost") == 0);
}

TEST_CASE("a record that erases and has a content of its own explains nothing by itself") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    REQUIRE(open->Append(WithContent("the heron")).ok());
    AuditRecord hostile = WithContent("the stork");
    hostile.event = kContentErasedEvent;
    hostile.data["keys"] = {log.keys.IdsOf(kSession).value()[0]};
    REQUIRE(open->Append(hostile).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  REQUIRE(log.keys.Destroy(kSession, DiskStorage()).ok());
  RecordFilter filter;
  filter.session = kSession;
  const std::vector<Json> found = log.Query(filter);
  REQUIRE(found.size() == 2);
  for (const Json& record : found) {  // it names no session whose key this is
    CHECK(record["data"]["arguments"].contains("unreadable"));
  }
}

TEST_CASE("who follows the log is told why a content is gone that was erased meanwhile") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    REQUIRE(open->Append(WithContent("the heron")).ok());
    REQUIRE(open->Append(WithContent("the stork", kOther)).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  const bool index = GENERATE(true, false);
  Erasures erasures(log.path, index ? log.index : "", log.random);
  const auto explained = [&](uint64_t number) {
    Json record;
    REQUIRE(ReadAuditLog(log.path, number, [&](uint64_t, const Json& found) {
              record = found;
              return false;
            }).ok());
    erasures.Explain(&record);
    return record["data"]["arguments"];
  };
  REQUIRE(log.keys.Destroy(kSession, DiskStorage()).ok());
  CHECK(StringMember(explained(1), "unreadable").find("its key is lost") == 0);
  REQUIRE(EraseContents(log.Change(), kOther, "asked for").ok());
  CHECK(explained(2)["erased_reason"] == "asked for");
  CHECK(StringMember(explained(1), "unreadable").find("its key is lost") == 0);
}

TEST_CASE("a key of zeros, as a crash leaves it while it is destroyed, is a destroyed one") {
  SealedLogDirectory log;
  const auto open = log.OpenSealing();
  REQUIRE(open->Append(WithContent("before")).ok());
  REQUIRE(open->WriteCheckpoint().ok());
  const std::string id = log.keys.IdsOf(kSession).value()[0];
  const std::string file = log.keys.folder() + "/" + kSession + "." + id;
  REQUIRE(WriteFileAtomically(file, std::string(kContentKeyBytes, '\0')).ok());
  CHECK(log.keys.Find(kSession, id).error().code == ErrorCode::kNotFound);
  CHECK_FALSE(log.keys.Has(kSession, id));
  CHECK(log.Arguments(1)["erased"] == true);
  // Nothing more is sealed under it, and the same command completes what was begun.
  const uint64_t at = open->Append(WithContent("after")).value();
  CHECK(log.Arguments(at)["content"] == "after");
  REQUIRE(open->WriteCheckpoint().ok());
  REQUIRE(EraseContents(log.Change(), kSession, "").ok());
  CHECK(log.keys.IdsOf(kSession).value().empty());
}

TEST_CASE("a writer that is open while a key is destroyed seals nothing more under it") {
  SealedLogDirectory log;
  const auto open = log.OpenSealing();
  REQUIRE(open->Append(WithContent("before")).ok());
  REQUIRE(open->WriteCheckpoint().ok());
  const std::vector<std::string> ids = EraseContents(log.Change(), kSession, "").value();
  const uint64_t at = open->Append(WithContent("after")).value();
  CHECK(log.Arguments(at)["content"] == "after");
  CHECK(log.keys.IdsOf(kSession).value() != ids);
  CHECK(log.Arguments(1)["erased"] == true);
}

TEST_CASE("a crash or a failing disk while contents are erased leaves it to be done again") {
  SealedLogDirectory log;
  {
    const auto open = log.OpenSealing();
    REQUIRE(open->Append(WithContent("the heron")).ok());
    REQUIRE(open->WriteCheckpoint().ok());
  }
  log.index.clear();
  const std::string before = log.temp.path() + "/before";
  log.CopyTo(before);
  fs::copy(log.keys.folder(), before + "-keys");
  RecordingStorage whole(log.temp.path());
  REQUIRE(EraseContents(log.Change(whole), kSession, "").ok());
  REQUIRE(whole.operations.size() > 5);
  for (size_t i = 0; i < whole.operations.size(); ++i) {
    CAPTURE(i, whole.operations[i].path, whole.operations[i].kind);
    log.PutBack(before);
    fs::remove_all(log.keys.folder());
    fs::copy(before + "-keys", log.keys.folder());
    RecordingStorage storage(log.temp.path());
    storage.fail_at = i;
    storage.fail_on = true;  // as after a crash: nothing that comes later is done
    const bool ok = EraseContents(log.Change(storage), kSession, "").ok();
    CHECK_FALSE(ok);
    REQUIRE(log.Verify().ok);
    // Destroyed only after it was recorded, and never half: it opens, or does not.
    const Json entry = log.Arguments(1);
    if (!entry.contains("content")) {
      RecordFilter filter;
      filter.event = kContentErasedEvent;
      CHECK(log.Query(filter).size() >= 1);
    }
    const auto again = EraseContents(log.Change(), kSession, "");
    CHECK((again.ok() || log.keys.IdsOf(kSession).value().empty()));
    CHECK(log.Arguments(1)["erased"] == true);
    REQUIRE(log.Verify().ok);
  }
}

TEST_CASE("a key is durable before the first record that needs it") {
  SealedLogDirectory log;
  RecordingStorage storage(log.temp.path());
  const auto open = log.OpenSealing(storage);
  const size_t from = storage.operations.size();
  REQUIRE(open->Append(WithContent("the heron")).ok());
  size_t folder = SIZE_MAX;
  size_t key = SIZE_MAX;
  size_t record = SIZE_MAX;
  for (size_t i = from; i < storage.operations.size(); ++i) {
    const Operation& operation = storage.operations[i];
    if (operation.kind == Operation::kReplace &&
        operation.path.find("-keys/") != std::string::npos) {
      key = std::min(key, i);
    }
    if (operation.kind == Operation::kSyncDirectory && operation.path == ".") {
      folder = std::min(folder, i);
    }
    if (operation.kind == Operation::kWrite &&
        operation.path.find("entries") != std::string::npos) {
      record = std::min(record, i);
    }
  }
  REQUIRE(record != SIZE_MAX);
  CHECK(folder < key);
  CHECK(key < record);

  // Another process may have made the folder, and not have come to put its name on the disk.
  RecordingStorage second(log.temp.path());
  REQUIRE(log.keys.Make(kOther, log.random, second).ok());
  REQUIRE(second.operations.size() == 2);
  CHECK(second.operations[0].kind == Operation::kSyncDirectory);
}

}  // namespace nacre::audit
