// nacre audit tail|show|verify: the evidence, and whether it is whole. The other commands have a file each.
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/file.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/content_keys.h"
#include "runtime/audit/content_seal.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/erasures.h"
#include "runtime/audit/log_anchor.h"
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

audit::Erasures ErasuresOf(App& app) {
  const audit::LogChange change = ChangeOf(app);
  return {change.directory, change.index_directory, app.random()};
}

// What went from the log, when a signed record says it.
std::optional<audit::Pruning> Pruned(const std::string& directory) {
  auto log = audit::CheckedLog::Open(directory);
  return log.ok() ? audit::NewestPruning(log.value()) : std::nullopt;
}

int Tail(Globals& globals, size_t count, bool follow) {
  App app(globals.app);
  audit::Erasures erasures = ErasuresOf(app);
  std::deque<std::pair<uint64_t, Json>> newest;
  const uint64_t known = audit::RecordsHint(app.audit_directory());
  const auto read_from = [&](uint64_t first) {
    return audit::ReadAuditLog(app.audit_directory(), first,
                               [&](uint64_t index, const Json& record) {
                                 newest.emplace_back(index, record);
                                 if (newest.size() > count) {
                                   newest.pop_front();
                                 }
                                 return true;
                               });
  };
  Status read = read_from(known > count ? known - count : 0);
  if (newest.empty() && known > count) {  // `head` says too much: what there is, is shown
    read = read_from(0);
  }
  for (auto& [index, record] : newest) {
    erasures.Explain(&record);
    PrintAuditRecord(globals, index, record);
  }
  if (newest.size() < count && audit::FirstRecord(app.audit_directory()) > 0) {
    if (const auto pruned = Pruned(app.audit_directory())) {
      std::fprintf(stderr, "nacre: note: %s\n", SafeForTerminal(Describe(*pruned)).c_str());
    }
  }
  if (!read.ok() && !(follow && read.error().code == ErrorCode::kNotFound && newest.empty())) {
    return Fail(globals, read.error(),
                read.error().code == ErrorCode::kDataLoss ? kExitTampered : kExitBroken);
  }
  return follow ? Follow(globals, app.audit_directory(), erasures,
                         newest.empty() ? 0 : newest.back().first + 1)
                : kExitOk;
}

void PrintNeighbour(const char* which, const std::optional<Json>& record) {
  if (record.has_value()) {
    std::printf("  %-7s %lld  %s  %s\n", which, static_cast<long long>(IntMember(*record, "index")),
                SafeLine(StringMember(*record, "time"), 24).c_str(),
                SafeLine(StringMember(*record, "event"), 40).c_str());
  }
}

int Show(Globals& globals, const std::string& which, const std::string& proof_file) {
  App app(globals.app);
  const Result<audit::FoundRecord> result = audit::FindRecord(app.audit_directory(), which);
  if (!result.ok()) {
    const ErrorCode code = result.error().code;
    return Fail(globals, result.error(),
                code == ErrorCode::kInvalidArgument ? kExitUsage
                : code == ErrorCode::kNotFound      ? kExitFailed
                : code == ErrorCode::kDataLoss      ? kExitTampered
                                                    : kExitBroken);
  }
  const audit::FoundRecord& found = result.value();
  Json opened = found.record;
  OpenContents(audit::ContentKeys(app.audit_directory()), &opened);
  ErasuresOf(app).Explain(&opened);
  const bool proven = found.unproven_because.empty();
  if (!proof_file.empty()) {
    const Result<std::string> proof = audit::ToTlogProof(found);
    const Status written =
        proof.ok() ? WriteFileAtomically(proof_file, proof.value()) : Status(proof.error());
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
                          {"records", found.tree_size},
                          {"hashes", hashes},
                          {"checkpoint", found.note}}}};
    if (opened != found.record) {
      json["opened"] = opened;
    }
    std::printf("%s\n", DumpJson(json).c_str());
    return proven ? kExitOk : kExitTampered;
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
  const Terminal terminal(1);
  if (proven) {
    std::printf("%s, by %zu hashes, in the tree signed over %llu records\n",
                terminal.Paint(Style::kGreen, "included").c_str(), found.proof.size(),
                static_cast<unsigned long long>(found.tree_size));
  } else {
    std::printf("%s: %s\n", terminal.Paint(Style::kRed, "NOT PROVED").c_str(),
                SafeLine(found.unproven_because, 300).c_str());
  }
  return proven ? kExitOk : kExitTampered;
}

struct VerifyFlags {
  std::string directory;
  std::string key;      // a file
  std::string since;    // a file
  std::string witness;  // a file
  bool deep = false;
};

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
  const Result<audit::VerifyReport> verified = audit::VerifyAuditLog(
      flags.directory.empty() ? app.audit_directory() : flags.directory, options);
  if (!verified.ok()) {
    return Fail(globals, verified.error());
  }
  const audit::VerifyReport& report = verified.value();
  if (globals.json) {
    std::printf("%s\n", DumpJson(ToJson(report)).c_str());
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
  tail->callback([&globals, count, follow] { globals.exit_code = Tail(globals, *count, *follow); });

  RegisterAuditQuery(*audit, globals);
  RegisterAuditExport(*audit, globals);
  RegisterAuditPlot(*audit, globals);
  RegisterAuditKey(*audit, globals);
  RegisterAuditWatch(*audit, globals);
  RegisterAuditErase(*audit, globals);
  RegisterAuditRetention(*audit, globals);

  CLI::App* show = audit->add_subcommand(
      "show", "One record, its neighbours, and the proof that it is in the signed tree");
  auto which = std::make_shared<std::string>();
  auto proof = std::make_shared<std::string>();
  show->add_option("record", *which, "Its index or its ULID")->required();
  show->add_option("--proof", *proof, "Writes the proof to this file, as c2sp.org/tlog-proof");
  show->footer("Example:\n  nacre audit show 17 --proof 17.tlog-proof");
  AddJsonFlag(*show, globals);
  show->callback([&globals, which, proof] { globals.exit_code = Show(globals, *which, *proof); });

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
