// nacre policy import openshell: a policy of another system as one of ours.
#include <cstdio>
#include <memory>
#include <string>

#include "base/file.h"
#include "policy/openshell_import.h"
#include "policy/policy_loader.h"
#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

struct ImportFlags {
  std::string file;
  std::string output;
  std::string http_tool;
};

int ImportPolicy(Globals& globals, const ImportFlags& flags) {
  constexpr size_t kFileBytesMax = 32U << 20;
  const Result<std::string> text = ReadFile(flags.file, kFileBytesMax);
  if (!text.ok()) {
    return Fail(globals, text.error(), kExitUsage);
  }
  const Result<policy::OpenShellImport> result =
      policy::ImportOpenShell(flags.file, text.value(), {flags.http_tool});
  if (!result.ok()) {
    return Fail(globals, result.error(), kExitFailed);
  }
  const policy::OpenShellImport& imported = result.value();
  // What is written must load: it is checked here, and not by the person who needs it.
  const auto loaded = policy::LoadPolicyText("imported.yaml", imported.yaml);
  if (!loaded.ok()) {
    return Fail(globals, WithContext("what was imported is no policy", loaded.error()));
  }
  if (!flags.output.empty()) {
    if (const Status written = WriteFileAtomically(flags.output, imported.yaml); !written.ok()) {
      return Fail(globals, written.error(), kExitFailed);
    }
  }
  if (globals.json) {
    OrderedJson findings = OrderedJson::array();
    for (const policy::OpenShellFinding& finding : imported.findings) {
      findings.push_back({{"code", finding.code},
                          {"key", finding.key},
                          {"line", finding.source.line},
                          {"column", finding.source.column},
                          {"what", finding.what}});
    }
    const OrderedJson json = {{"policy", imported.yaml},
                              {"digest", loaded.value()->digest},
                              {"endpoints", imported.endpoints},
                              {"endpoints_imported", imported.endpoints_imported},
                              {"findings", std::move(findings)}};
    PrintJson(json);
    return kExitOk;
  }
  if (flags.output.empty()) {
    std::fputs(SafeForTerminal(imported.yaml).c_str(), stdout);
  }
  const Terminal terminal(2);
  for (const policy::OpenShellFinding& finding : imported.findings) {
    std::fprintf(stderr, "%s:%d:%d: %s %s: %s\n", SafeLine(flags.file, 200).c_str(),
                 finding.source.line, finding.source.column,
                 terminal.Paint(Style::kYellow, finding.code).c_str(),
                 SafeLine(finding.key, 200).c_str(), SafeLine(finding.what, 400).c_str());
  }
  std::fprintf(stderr, "%zu of %zu endpoints imported, %zu findings\n", imported.endpoints_imported,
               imported.endpoints, imported.findings.size());
  return kExitOk;
}

}  // namespace

void RegisterPolicyImport(CLI::App& policy, Globals& globals) {
  CLI::App* import =
      policy.add_subcommand("import", "Write another system's policy as one of nacre");
  import->require_subcommand(1);
  CLI::App* openshell = import->add_subcommand(
      "openshell",
      "A policy of NVIDIA OpenShell or NemoClaw, with the same meaning or a stricter one; what "
      "means something else there than it seems to is named");
  auto flags = std::make_shared<ImportFlags>();
  openshell->add_option("file", flags->file, "The policy")->required();
  openshell->add_option("-o,--output", flags->output, "Where to write it; else standard output");
  openshell->add_option(
      "--http-tool", flags->http_tool,
      "A tool with the arguments host, port, method and path, for which endpoints "
      "become rules");
  AddJsonFlag(*openshell, globals);
  openshell->callback([&globals, flags] { globals.exit_code = ImportPolicy(globals, *flags); });
}

}  // namespace nacre::cli
