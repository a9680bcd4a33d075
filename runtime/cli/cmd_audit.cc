// nacre audit tail|show|verify: the evidence, and whether it is whole. The other commands have a file each.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/file.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/bundle_file.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/erasures.h"
#include "runtime/audit/export_event.h"
#include "runtime/audit/latest_seen.h"
#include "runtime/audit/log_anchor.h"
#include "runtime/audit/log_copy.h"
#include "runtime/audit/log_query.h"
#include "runtime/audit/merkle_tree.h"
#include "runtime/audit/pruning.h"
#include "runtime/audit/record_format.h"
#include "runtime/audit/record_lookup.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

// What comes after the record before `next`, as it comes, until SIGINT or SIGTERM.
int Follow(Globals& globals, const std::string& directory, audit::Erasures& erasures,
           uint64_t next) {
  constexpr int kPollMs = 200;
  const CancelToken cancel = CancelOnSignal();
  // From the record before, for its hash.
  auto reader = std::make_unique<audit::EntryReader>(directory, next == 0 ? 0 : next - 1);
  std::string previous;
  bool linked = next == 0;
  while (!cancel.cancelled()) {
    const uint64_t index = std::max(reader->index(), next == 0 ? 0 : next - 1);
    std::string_view entry;
    const Result<bool> more = reader->Next(&entry);
    if (!more.ok() && (more.error().code != ErrorCode::kNotFound || index > 0)) {
      return Fail(globals, WithContext("audit record " + std::to_string(index), more.error()),
                  kExitTampered);
    }
    if (!more.ok()) {  // nobody has written yet
      reader = std::make_unique<audit::EntryReader>(directory, 0);
    }
    if (!more.ok() || !more.value()) {
      std::fflush(stdout);
      pollfd wait{cancel.poll_fd(), POLLIN, 0};
      ::poll(&wait, 1, kPollMs);
      continue;
    }
    if (linked) {
      if (const Status checked = audit::CheckRecord(entry, index, previous); !checked.ok()) {
        return Fail(globals, WithContext("audit record " + std::to_string(index), checked.error()),
                    kExitTampered);
      }
      Json record = audit::ParseRecord(entry).value();
      OpenContents(audit::ContentKeys(directory), &record);
      erasures.Explain(&record);
      PrintAuditRecord(globals, index, record);
    }
    previous = ToHex(audit::LeafHash(entry));
    linked = true;
  }
  return kExitOk;
}

audit::Erasures ErasuresOf(App& app, const std::string& log) {
  return {log, IndexOf(app, log), app.random()};
}

int Tail(Globals& globals, size_t count, bool follow, const std::string& offline) {
  App app(globals.app);
  const Result<std::string> log = LogToRead(app, offline);
  // Or it is being made just now: its first record comes last.
  const bool none_yet = log.ok() ? !audit::FirstBundle(log.value()).has_value()
                                 : log.error().code == ErrorCode::kNotFound;
  if (follow && none_yet) {
    const std::string directory = log.ok() ? log.value() : app.audit_directory();
    audit::Erasures erasures = ErasuresOf(app, directory);
    return Follow(globals, directory, erasures, 0);
  }
  if (!log.ok()) {
    return FailBy(globals, log.error());
  }
  // No more is read than has them, when `head` says so; when it says too much, all is.
  const uint64_t known = audit::RecordsHint(log.value());
  audit::QueryOptions options;
  options.index_directory = IndexOf(app, log.value());
  options.newest = count;
  options.first_record = known > count ? known - count : 0;
  uint64_t next = 0;
  const auto print = [&](uint64_t index, const Json& record) {
    PrintAuditRecord(globals, index, record);
    next = index + 1;
    return true;
  };
  auto read = audit::QueryAuditLog(log.value(), {}, options, app.random(), print);
  if (read.ok() && read.value().found == 0 && options.first_record > 0) {
    options.first_record = 0;
    read = audit::QueryAuditLog(log.value(), {}, options, app.random(), print);
  }
  if (!read.ok()) {
    return Fail(globals, read.error());
  }
  if (read.value().found < count && read.value().pruned.has_value()) {
    std::fprintf(stderr, "nacre: note: %s\n", Describe(*read.value().pruned).c_str());
  }
  int exit_code = kExitOk;
  for (const std::string& problem : read.value().problems) {
    exit_code = Fail(globals, {ErrorCode::kDataLoss, problem}, kExitTampered);
  }
  if (!follow || exit_code != kExitOk) {
    return exit_code;
  }
  audit::Erasures erasures = ErasuresOf(app, log.value());
  return Follow(globals, log.value(), erasures, next);
}

void PrintNeighbour(const char* which, const std::optional<Json>& record) {
  if (record.has_value()) {
    std::printf("  %-7s %lld  %s  %s\n", which, static_cast<long long>(IntMember(*record, "index")),
                SafeLine(StringMember(*record, "time"), 24).c_str(),
                SafeLine(StringMember(*record, "event"), 40).c_str());
  }
}

struct ShowFlags {
  std::string which;
  std::string proof;  // a file
  std::string directory;
};

int Show(Globals& globals, const ShowFlags& flags) {
  App app(globals.app);
  const Result<std::string> log = LogToRead(app, flags.directory);
  if (!log.ok()) {
    return FailBy(globals, log.error());
  }
  const Result<audit::FoundRecord> result = audit::FindRecord(log.value(), flags.which);
  if (!result.ok()) {
    return FailBy(globals, result.error());
  }
  const audit::FoundRecord& found = result.value();
  Json opened = found.record;
  OpenContents(audit::ContentKeys(log.value()), &opened);
  ErasuresOf(app, log.value()).Explain(&opened);
  const bool proven = found.unproven_because.empty();
  const int exit_code = proven && found.beside_hidden_because.empty() ? kExitOk : kExitTampered;
  if (!flags.proof.empty()) {
    const Result<std::string> proof = audit::ToTlogProof(found);
    const Status written =
        proof.ok() ? WriteFileAtomically(flags.proof, proof.value()) : Status(proof.error());
    if (!written.ok()) {
      return Fail(globals, written.error(), kExitFailed);
    }
  }
  if (globals.json) {
    OrderedJson hashes = OrderedJson::array();
    for (const Sha256Digest& hash : found.proof) {
      hashes.push_back(ToHex(hash));
    }
    const auto neighbour = [](const std::optional<Json>& record) {
      return record.has_value() ? OrderedJson(*record) : OrderedJson(nullptr);
    };
    OrderedJson json = {{"record", found.record},
                        {"leaf", ToHex(found.leaf)},
                        {"before", neighbour(found.before)},
                        {"after", neighbour(found.after)},
                        {"proof",
                         {{"ok", proven},
                          {"problem", found.unproven_because},
                          {"beside_problem", found.beside_hidden_because},
                          {"records", found.tree_size},
                          {"hashes", hashes},
                          {"checkpoint", found.note}}}};
    if (opened != found.record) {
      json["opened"] = opened;
    }
    PrintJson(json);
    return exit_code;
  }
  for (const auto& [key, value] : opened.items()) {
    if (key == "data" || value == "" || (value.is_array() && value.empty())) {
      continue;
    }
    std::printf(
        "%-9s %s\n", SafeLine(key, 40).c_str(),
        SafeLine(value.is_string() ? value.get<std::string>() : DumpJson(value), 200).c_str());
  }
  for (const auto& [key, value] : opened["data"].items()) {
    std::printf(
        "  %-12s %s\n", SafeLine(key, 40).c_str(),
        SafeLine(value.is_string() ? value.get<std::string>() : DumpJson(value), 2000).c_str());
  }
  std::printf("leaf      %s\n", ToHex(found.leaf).c_str());
  PrintNeighbour("before", found.before);
  PrintNeighbour("after", found.after);
  if (!found.beside_hidden_because.empty()) {
    std::printf("%s\n", SafeLine(found.beside_hidden_because, 600).c_str());
  }
  const Terminal terminal(1);
  if (proven) {
    std::printf("%s, by %zu hashes, in the tree signed over %llu records\n",
                terminal.Paint(Style::kGreen, "included").c_str(), found.proof.size(),
                static_cast<unsigned long long>(found.tree_size));
  } else {
    std::printf("%s: %s\n", terminal.Paint(Style::kRed, "NOT PROVED").c_str(),
                SafeLine(found.unproven_because, 300).c_str());
  }
  return exit_code;
}

struct VerifyFlags {
  std::string directory;
  std::string key;      // a file
  std::string since;    // a file
  std::string witness;  // a file
  bool deep = false;
};

// Also against what was seen of it before. What is verified now is what was seen then.
Result<audit::VerifyReport> VerifyOwn(const App& app, audit::VerifyOptions options) {
  const std::string directory = app.audit_directory();
  const audit::LatestSeen latest(directory);
  options.seen = NACRE_TRY(latest.Read());
  if (!options.seen.has_value()) {
    NACRE_TRY(LogToRead(app, ""));
  }
  audit::VerifyReport report = NACRE_TRY(audit::VerifyAuditLog(directory, options));
  if (report.ok && !report.published.empty()) {
    if (const Status kept = latest.RememberNewer(report.published, audit::DiskStorage());
        !kept.ok()) {
      report.notes.push_back("that it was seen could not be kept: " + kept.error().message);
    }
  }
  return report;
}

Result<audit::VerifyReport> VerifyCopy(const App& app, const std::string& directory,
                                       const audit::VerifyOptions& options) {
  return audit::VerifyAuditLog(NACRE_TRY(LogToRead(app, directory)), options);
}

int Verify(Globals& globals, const VerifyFlags& flags) {
  const App app(globals.app);
  audit::VerifyOptions options;
  options.deep = flags.deep;
  constexpr size_t kNoteBytesMax = 4096;
  for (const auto& [file, text] :
       {std::pair(&flags.key, &options.trusted_key), std::pair(&flags.since, &options.since),
        std::pair(&flags.witness, &options.witness)}) {
    if (!file->empty()) {
      const Result<std::string> content =
          ReadFile(*file, file == &flags.since ? audit::kAnchorBytesMax : kNoteBytesMax);
      if (!content.ok()) {
        return Fail(globals, content.error(), kExitUsage);
      }
      *text = content.value();
    }
  }
  const Result<audit::VerifyReport> verified =
      flags.directory.empty() ? VerifyOwn(app, options) : VerifyCopy(app, flags.directory, options);
  if (!verified.ok()) {
    return FailBy(globals, verified.error());
  }
  const audit::VerifyReport& report = verified.value();
  if (!flags.directory.empty() && audit::HoldsPrivateKey(flags.directory)) {
    std::fprintf(
        stderr,
        "nacre: note: this copy holds the log's private key: whoever has it can sign other "
        "records; nacre audit copy leaves it out\n");
  }
  if (globals.json) {
    PrintJson(ToJson(report));
  } else {
    const std::string text = ToText(report);
    const size_t word = text.find("  ");
    std::printf(
        "%s%s",
        Terminal(1).Paint(report.ok ? Style::kGreen : Style::kRed, text.substr(0, word)).c_str(),
        text.c_str() + word);
  }
  return report.ok ? kExitOk : kExitTampered;
}

}  // namespace

void RegisterAudit(CLI::App& root, Globals& globals) {
  CLI::App* audit = root.add_subcommand("audit", "Read and verify the audit log");
  audit->require_subcommand(1);
  audit->footer(
      "Examples:\n  nacre audit verify\n  nacre audit verify --since kept/checkpoint --key "
      "kept/key.pub\n  nacre audit tail --follow\n  nacre audit query --decision deny "
      "--since 7d");

  CLI::App* tail = audit->add_subcommand("tail", "The newest records");
  auto count = std::make_shared<size_t>(20);
  tail->add_option("--count", *count, "So many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  auto follow = std::make_shared<bool>(false);
  tail->add_flag("-f,--follow", *follow, "Goes on with what is recorded from now on, until Ctrl-C");
  tail->footer(
      "Examples:\n  nacre audit tail --count 5\n  nacre audit tail --follow --json | jq .event");
  AddJsonFlag(*tail, globals);
  auto offline = std::make_shared<std::string>();
  AddOfflineFlag(*tail, offline.get());
  tail->callback([&globals, count, follow, offline] {
    globals.exit_code = Tail(globals, *count, *follow, *offline);
  });

  RegisterAuditQuery(*audit, globals);
  RegisterAuditCopy(*audit, globals);
  RegisterAuditExport(*audit, globals);
  RegisterAuditPlot(*audit, globals);
  RegisterAuditKey(*audit, globals);
  RegisterAuditWatch(*audit, globals);
  RegisterAuditErase(*audit, globals);
  RegisterAuditRetention(*audit, globals);

  CLI::App* show = audit->add_subcommand(
      "show", "One record, its neighbours, and the proof that it is in the signed tree");
  auto shown = std::make_shared<ShowFlags>();
  show->add_option("record", shown->which, "Its index or its ULID")->required();
  show->add_option("--proof", shown->proof,
                   "Writes the proof to this file, as c2sp.org/tlog-proof");
  AddOfflineFlag(*show, &shown->directory);
  show->footer("Example:\n  nacre audit show 17 --proof 17.tlog-proof");
  AddJsonFlag(*show, globals);
  show->callback([&globals, shown] { globals.exit_code = Show(globals, *shown); });

  CLI::App* verify =
      audit->add_subcommand("verify", "Is every record as it was written and signed?");
  auto flags = std::make_shared<VerifyFlags>();
  verify->add_option("--offline,directory", flags->directory,
                     "A copied log (default: this machine's)");
  verify->add_option("--key", flags->key, "The log's key.pub, as you kept it elsewhere");
  verify->add_option(
      "--since", flags->since,
      "A checkpoint of the log, or a file of nacre audit anchor, as you kept it elsewhere: the log "
      "must begin with its records; only later ones are read");
  verify->add_option("--witness", flags->witness,
                     "The line of another nacre, which must have signed the newest of these");
  verify->add_flag("--deep", flags->deep,
                   "Has each record also the form, place and link of one? Takes longer");
  AddJsonFlag(*verify, globals);
  verify->callback([&globals, flags] { globals.exit_code = Verify(globals, *flags); });
}

}  // namespace nacre::cli
