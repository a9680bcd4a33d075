// nacre audit plot: pictures of a session, and of what was denied, for people.
#include <cstdio>
#include <memory>

#include "base/file.h"
#include "runtime/audit/checked_log.h"
#include "runtime/audit/log_query.h"
#include "runtime/cli/audit_commands.h"
#include "runtime/cli/terminal.h"
#include "runtime/plot/pictures.h"

namespace nacre::cli {
namespace {

struct PlotFlags {
  std::string session;
  std::string output;
  std::string directory;
  std::string since;
  std::string until;
};

// Reads what the pictures are made of. Records that are not as they were signed are no evidence: then there is
// no picture.
class Source final {
 public:
  Source(Globals& globals, const PlotFlags& flags)
      : app_(globals.app), directory_(flags.directory) {}

  Status Read(const audit::RecordFilter& filter, uint64_t newest,
              const std::function<bool(uint64_t, const Json&)>& visit) {
    NACRE_TRY(Open());
    audit::QueryOptions options;
    options.newest = newest;
    options.index_directory = IndexOf(app_, directory_);
    const audit::QueryReport report = NACRE_TRY(audit::QueryAuditLog(
        directory_, filter, options, app_.random(), [&](uint64_t index, const Json& record) {
          return index >= evidence_.signed_records || visit(index, record);
        }));
    if (!report.problems.empty()) {
      return Error{ErrorCode::kDataLoss,
                   "no picture is made: " + report.problems.front() + "; see nacre audit verify"};
    }
    return Ok();
  }

  Result<plot::SessionTrace> Trace(const std::string& which) {
    audit::RecordFilter filter;
    NACRE_TRY(Open());
    auto session = FindSession(app_, directory_, which);
    if (!session.ok() && session.error().code == ErrorCode::kDataLoss) {
      return WithContext("no picture is made", session.error());
    }
    filter.session = NACRE_TRY(std::move(session));
    plot::SessionTrace trace;
    NACRE_TRY(Read(filter, 0,
                   [&](uint64_t index, const Json& record) { return trace.Add(index, record); }));
    trace.Finish();
    return trace;
  }

  Result<plot::DenialCounts> Denials(const PlotFlags& flags) {
    plot::DenialCounts counts;
    const WallTime now = app_.clock().Now();
    audit::RecordFilter filter;
    for (const auto& [text, instant, shown] :
         {std::tuple(&flags.since, &filter.since, &counts.since),
          std::tuple(&flags.until, &filter.until, &counts.until)}) {
      if (!text->empty()) {
        *instant = NACRE_TRY(audit::ParseInstant(*text, now));
        *shown = *instant;
      }
    }
    NACRE_TRY(audit::CheckSpan(filter));
    for (const char* event : {"call.decided", "call.approval"}) {
      filter.event = event;
      NACRE_TRY(Read(filter, 0, [&](uint64_t index, const Json& record) {
        counts.Add(index, record);
        return true;
      }));
    }
    return counts;
  }

  // Of what was read.
  const plot::Evidence& evidence() const { return evidence_; }

 private:
  // Once: all of a picture is of the log as it was signed then.
  Status Open() {
    if (evidence_.log.empty()) {
      directory_ = NACRE_TRY(LogToRead(app_, directory_));
      const audit::CheckedLog log = NACRE_TRY(audit::CheckedLog::Open(directory_));
      evidence_.signed_records = log.signed_records();
      evidence_.log = log.key().substr(0, log.key().find('+'));
    }
    return Ok();
  }

  App app_;
  std::string directory_;  // empty until it is opened: this machine's
  plot::Evidence evidence_;
};

int Write(Globals& globals, const PlotFlags& flags, const plot::Picture& picture) {
  const std::string& file = flags.output;
  const std::string document =
      file.ends_with(".html") || file.ends_with(".htm") ? ToHtml(picture) : ToSvg(picture);
  if (file.empty()) {
    std::fputs(document.c_str(), stdout);
    return kExitOk;
  }
  if (const Status written = WriteFileAtomically(file, document); !written.ok()) {
    return Fail(globals, written.error(), kExitFailed);
  }
  if (globals.json) {
    OrderedJson summary = picture.summary;
    summary["file"] = file;
    PrintJson(summary);
  } else {
    std::printf("%s: %s\n", SafeLine(file, 200).c_str(),
                SafeLine(picture.description, 200).c_str());
  }
  return kExitOk;
}

enum class What { kSession = 0, kFlow, kDenials };

Result<plot::Picture> Plot(Globals& globals, const PlotFlags& flags, What what) {
  Source source(globals, flags);
  if (what == What::kDenials) {
    const plot::DenialCounts counts = NACRE_TRY(source.Denials(flags));
    return plot::PlotDenials(counts, source.evidence());
  }
  const plot::SessionTrace trace = NACRE_TRY(source.Trace(flags.session));
  return what == What::kFlow ? plot::PlotFlow(trace, source.evidence())
                             : plot::PlotTimeline(trace, source.evidence());
}

int Run(Globals& globals, const PlotFlags& flags, What what) {
  const std::string& file = flags.output;
  const auto refuse = [&](const char* why) {
    return Fail(globals, {ErrorCode::kInvalidArgument, why}, kExitUsage);
  };
  if (file.empty() && (globals.json || Terminal(1).interactive())) {
    return refuse("name a file for the picture: -o session.html or -o session.svg");
  }
  if (!file.empty() && !file.ends_with(".svg") && !file.ends_with(".html") &&
      !file.ends_with(".htm")) {
    return refuse("the file's name says what it is: it ends with .svg or .html");
  }
  const Result<plot::Picture> picture = Plot(globals, flags, what);
  if (!picture.ok()) {
    return FailBy(globals, picture.error());
  }
  return Write(globals, flags, picture.value());
}

void Add(CLI::App& plot, Globals& globals, What what, const char* name, const char* help) {
  CLI::App* command = plot.add_subcommand(name, help);
  auto flags = std::make_shared<PlotFlags>();
  if (what == What::kDenials) {
    command->add_option("--since", flags->since, "From then on: 2026-11-26, or 15m, 2h, 7d ago");
    command->add_option("--until", flags->until, "Before then");
  } else {
    flags->session = "last";
    command->add_option("session", flags->session, "Its id, the beginning of it, or last")
        ->capture_default_str();
  }
  command->add_option("-o,--output", flags->output,
                      "Writes it there: NAME.html or NAME.svg (default: SVG to standard output)");
  AddOfflineFlag(*command, &flags->directory);
  AddJsonFlag(*command, globals);
  command->callback([&globals, flags, what] { globals.exit_code = Run(globals, *flags, what); });
}

}  // namespace

void RegisterAuditPlot(CLI::App& audit, Globals& globals) {
  CLI::App* plot =
      audit.add_subcommand("plot", "Pictures for people, each a file that needs nothing else");
  plot->require_subcommand(1);
  Add(*plot, globals, What::kSession, "session",
      "A session's timeline: engine, tools, decisions, outcomes, labels");
  Add(*plot, globals, What::kFlow, "flow", "What a session read, and where it could pass it on");
  Add(*plot, globals, What::kDenials, "denials", "Which rule refused how often on which day");
  plot->footer(
      "With --json it says the same in numbers.\n"
      "Examples:\n  nacre audit plot session last -o session.html\n"
      "  nacre audit plot flow 01K3V5T0Q4X6 -o flow.svg\n"
      "  nacre audit plot denials --since 30d -o denials.html");
}

}  // namespace nacre::cli
