// nacre-verify: checks an audit log without the rest of nacre, for whoever was given a copy of one. The
// same verification as `nacre audit verify`; it links that, OpenSSL's libcrypto, libzstd and nothing else.
//
// Exit codes: 0 the log verifies · 2 it does not, or there is none, or wrong usage, such as a --key or --since that cannot
// be read · 3 the log cannot be read.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/json.h"
#include "base/safe_text.h"
#include "runtime/audit/audit_verifier.h"
#include "runtime/audit/export_event.h"
#include "runtime/audit/log_anchor.h"
#include "runtime/audit/log_copy.h"

namespace nacre {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitTampered = 2;
constexpr int kExitBroken = 3;

constexpr char kUsage[] =
    "Usage: nacre-verify [--key FILE] [--since FILE] [--witness FILE] [--deep] [--json] DIR\n"
    "Is every record of the audit log in DIR as it was written and signed?\n"
    "  --key FILE    the log's key.pub, as you kept it elsewhere\n"
    "  --since FILE  a checkpoint of the log, or a file of nacre audit anchor, as you kept it "
    "elsewhere:\n"
    "                the log must begin with its records; only later ones are read\n"
    "  --witness FILE  the line of a witness, which must have signed the newest of these\n"
    "  --deep        has each record also the form, place and link of one? Takes longer\n"
    "  --json        one JSON object\n"
    "Example: nacre-verify --key kept/key.pub --since kept/checkpoint copy/audit\n"
    "Exit codes: 0 it verifies, 2 it does not, or wrong usage, 3 the log cannot be read\n";

int Refuse(bool json, const Error& error, int exit_code) {
  if (json) {
    const OrderedJson object = {
        {"event", "error"}, {"code", ErrorCodeName(error.code)}, {"message", error.message}};
    std::printf("%s\n", audit::AsciiJson(object).c_str());
  } else {
    std::fprintf(stderr, "nacre-verify: %s\n", SafeLine(error.message, 2000).c_str());
  }
  return exit_code;
}

int Main(int argc, char** argv) {
  constexpr size_t kNoteBytesMax = 4096;
  audit::VerifyOptions options;
  std::string directory;
  const bool json = std::any_of(
      argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(kUsage, stdout);
      return kExitOk;
    }
    if (argument == "--json") {
      continue;
    }
    if (argument == "--deep") {
      options.deep = true;
    } else if ((argument == "--key" || argument == "--since" || argument == "--witness") &&
               i + 1 < argc) {
      const Result<std::string> content =
          ReadFile(argv[++i], argument == "--since" ? audit::kAnchorBytesMax : kNoteBytesMax);
      if (!content.ok()) {
        return Refuse(json, content.error(), kExitTampered);
      }
      (argument == "--key"     ? options.trusted_key
       : argument == "--since" ? options.since
                               : options.witness) = content.value();
    } else if (!argument.starts_with("-") && directory.empty()) {
      directory = argument;
    } else {
      return Refuse(
          json,
          {ErrorCode::kInvalidArgument, "what is \"" + std::string(argument) + "\"? Try --help"},
          kExitTampered);
    }
  }
  if (directory.empty()) {
    return Refuse(json, {ErrorCode::kInvalidArgument, "name the log's directory; try --help"},
                  kExitTampered);
  }
  const Result<audit::VerifyReport> report = audit::VerifyAuditLog(directory, options);
  if (!report.ok()) {
    return Refuse(json, report.error(),
                  report.error().code == ErrorCode::kNotFound ? kExitTampered : kExitBroken);
  }
  if (audit::HoldsPrivateKey(directory)) {
    std::fputs(
        "nacre-verify: note: it holds the log's private key: whoever has it can sign other "
        "records; "
        "nacre audit copy leaves it out\n",
        stderr);
  }
  const std::string text =
      json ? audit::AsciiJson(ToJson(report.value())) + "\n" : ToText(report.value());
  std::fputs(text.c_str(), stdout);
  return report.value().ok ? kExitOk : kExitTampered;
}

}  // namespace
}  // namespace nacre

int main(int argc, char** argv) {
  return nacre::Main(argc, argv);
}
