// nacre audit rotate-key, accept-loss and anchor: a new key for the log; going on with one that lacks records; its
// checkpoints, kept and signed elsewhere.
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "base/ids.h"
#include "base/regular_file.h"
#include "runtime/audit/cosignature.h"
#include "runtime/audit/entry_reader.h"
#include "runtime/audit/log_anchor.h"
#include "runtime/audit/log_writer.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"
#include "runtime/export/anchor_webhook.h"

namespace nacre::cli {
namespace {

Result<std::string> Rotate(App& app) {
  auto writer = NACRE_TRY(audit::LogWriter::Open(app.audit_directory(), app.clock(), app.random(),
                                                 audit::DiskStorage(), app.SessionsBesideLog()));
  return writer->RotateKey();
}

int RotateKey(Globals& globals) {
  App app(globals.app);
  const Result<std::string> key = Rotate(app);
  if (!key.ok()) {
    return Fail(globals, WithContext("audit log " + app.audit_directory(), key.error()));
  }
  const std::string line = key.value().substr(0, key.value().size() - 1);
  if (globals.json) {
    PrintJson(OrderedJson{{"key", line}, {"directory", app.audit_directory()}});
  } else {
    std::printf(
        "%s\nKeep this line, it is key.pub. What the old key has signed still verifies; it signs "
        "nothing more.\n",
        SafeLine(line, 400).c_str());
  }
  return kExitOk;
}

int AcceptLoss(Globals& globals, const std::string& reason) {
  App app(globals.app);
  const Result<uint64_t> record = audit::LogWriter::AcceptLoss(
      app.audit_directory(), reason, app.clock(), app.random(), audit::DiskStorage());
  if (!record.ok()) {
    return FailBy(globals, record.error());
  }
  if (globals.json) {
    PrintJson(OrderedJson{{"record", record.value()}});
  } else {
    std::printf("recorded as record %llu, and the log goes on; what is missing stays missing\n",
                static_cast<unsigned long long>(record.value()));
  }
  return kExitOk;
}

struct AnchorFlags {
  std::string file;
  std::string directory;
  std::string key;
  std::string webhook;
  bool cosign = false;
};

Status CheckFlags(const AnchorFlags& flags) {
  if (flags.webhook.empty()) {
    return flags.file.empty()
               ? Status(Error{ErrorCode::kInvalidArgument, "name a file, or a --webhook, or both"})
               : Ok();
  }
  return exporting::CheckAnchorUrl(flags.webhook);
}

// The key with which this nacre signs what it has seen of other logs; made when it is first needed.
Result<audit::SigningKey> WitnessKey(App& app) {
  const std::string path = app.state_directory() + "/witness.key";
  const auto text = ReadRegularFile(path, audit::kCheckpointBytesMax);
  if (text.ok()) {
    auto key = audit::SigningKey::Parse(text.value());
    return key.ok() ? std::move(key) : Result<audit::SigningKey>(WithContext(path, key.error()));
  }
  if (text.error().code != ErrorCode::kNotFound) {
    return text.error();
  }
  NACRE_TRY(MakeDirectories(app.state_directory()));
  audit::SigningKey key = NACRE_TRY(audit::SigningKey::Generate(
      "nacre/witness/" + NewUlid(app.clock(), app.random()), app.random()));
  NACRE_TRY(WriteFileAtomically(path, key.ToText(), 0600));
  NACRE_TRY(WriteFileAtomically(app.state_directory() + "/witness.pub",
                                audit::CosignerLine(key.verifying_key()), 0644));
  return key;
}

Result<audit::AnchorReport> MakeAnchor(App& app, const AnchorFlags& flags, std::string* witness) {
  audit::AnchorOptions options;
  std::unique_ptr<audit::SigningKey> key;
  if (flags.cosign) {
    key = std::make_unique<audit::SigningKey>(NACRE_TRY(WitnessKey(app)));
    options.witness = key.get();
    *witness = audit::CosignerLine(key->verifying_key());
    witness->pop_back();
  }
  if (!flags.key.empty()) {
    options.trusted_key = NACRE_TRY(ReadFile(flags.key, audit::kCheckpointBytesMax));
  }
  const std::string log = NACRE_TRY(LogToRead(app, flags.directory));
  if (flags.directory.empty()) {
    options.seen = NACRE_TRY(audit::LatestSeen(log).Read());
  }
  return audit::AnchorLog(log, flags.file, options, app.clock().Now());
}

int Anchor(Globals& globals, const AnchorFlags& flags) {
  if (const Status usable = CheckFlags(flags); !usable.ok()) {
    return Fail(globals, usable.error(), kExitUsage);
  }
  App app(globals.app);
  std::string witness;
  const Result<audit::AnchorReport> made = MakeAnchor(app, flags, &witness);
  if (!made.ok()) {
    const auto log = LogToRead(app, flags.directory);
    return log.ok() && made.error().code != ErrorCode::kDataLoss ? Fail(globals, made.error())
                                                                 : FailBy(globals, made.error());
  }
  const audit::AnchorReport& report = made.value();
  const bool send = report.verified.ok && !flags.webhook.empty();
  const char* token = std::getenv("NACRE_ANCHOR_TOKEN");
  const Status sent = send ? exporting::SendAnchor(flags.webhook, token != nullptr ? token : "",
                                                   report, CancelOnSignal())
                           : Ok();
  if (!sent.ok()) {
    return Fail(globals, sent.error());
  }
  if (globals.json) {
    PrintJson(OrderedJson{{"added", report.added},
                          {"sent", send},
                          {"records", report.records},
                          {"cut_bytes", report.cut_bytes},
                          {"file", flags.file},
                          {"witness", witness},
                          {"verified", ToJson(report.verified)}});
  } else if (!report.verified.ok) {
    std::fputs(ToText(report.verified).c_str(), stdout);
  } else {
    const std::string where = flags.file.empty() ? "sent to the webhook"
                                                 : (report.added ? "added to " : "already in ") +
                                                       SafeLine(flags.file, 200) +
                                                       (send ? ", sent to the webhook" : "");
    std::printf(
        "%s: the log of %llu records%s\n", where.c_str(),
        static_cast<unsigned long long>(report.records),
        witness.empty() ? "" : (", signed by the witness " + SafeLine(witness, 300)).c_str());
    if (report.cut_bytes > 0) {
      std::printf("its last %llu bytes were an unfinished note, and were cut off\n",
                  static_cast<unsigned long long>(report.cut_bytes));
    }
  }
  return report.verified.ok ? kExitOk : kExitTampered;
}

}  // namespace

void RegisterAuditKey(CLI::App& audit, Globals& globals) {
  CLI::App* command = audit.add_subcommand(
      "rotate-key", "A new signing key for the log, introduced by a record and by the old key");
  AddJsonFlag(*command, globals);
  command->footer("Example:\n  nacre audit rotate-key && nacre audit verify");
  command->callback([&globals] { globals.exit_code = RotateKey(globals); });

  CLI::App* accept = audit.add_subcommand(
      "accept-loss",
      "Goes on with a log that lacks records which were seen: records and signs that it does");
  auto reason = std::make_shared<std::string>();
  accept->add_option("--reason", *reason, "Why they are missing")->required();
  AddJsonFlag(*accept, globals);
  accept->footer("Example:\n  nacre audit accept-loss --reason \"restored from Monday's backup\"");
  accept->callback([&globals, reason] { globals.exit_code = AcceptLoss(globals, *reason); });

  CLI::App* anchor = audit.add_subcommand(
      "anchor", "Verifies the log against a file of its checkpoints, and adds the newest one");
  auto flags = std::make_shared<AnchorFlags>();
  anchor->add_option("file", flags->file, "Kept where whoever can change the log cannot");
  anchor
      ->add_option("--webhook", flags->webhook,
                   "POSTs the newest checkpoint to this URL: https, or http on this machine. A URL "
                   "that is a secret stands in NACRE_ANCHOR_WEBHOOK instead")
      ->envname("NACRE_ANCHOR_WEBHOOK");
  AddOfflineFlag(*anchor, &flags->directory);
  anchor->add_option("--key", flags->key, "The log's key.pub, as you kept it elsewhere");
  anchor->add_flag(
      "--cosign", flags->cosign,
      "Signs it as a witness of another nacre's log, by the key witness.key of the state");
  AddJsonFlag(*anchor, globals);
  anchor->footer(
      "Examples:\n  nacre audit anchor /mnt/worm/nacre.anchor\n"
      "  nacre audit anchor --webhook https://notary.example.com/nacre\n"
      "  nacre audit anchor --cosign --offline /mnt/other/audit other.anchor\n"
      "  nacre audit verify --since other.anchor --witness witness.pub");
  anchor->callback([&globals, flags] { globals.exit_code = Anchor(globals, *flags); });
}

}  // namespace nacre::cli
