#include "runtime/cli/event_printer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "runtime/cli/command.h"
#include "runtime/cli/terminal.h"

namespace nacre::cli {
namespace {

std::string Text(const OrderedJson& event, const char* key) {
  const auto member = event.find(key);
  return member != event.end() && member->is_string() ? member->get<std::string>() : std::string();
}

int64_t Number(const OrderedJson& event, const char* key) {
  const auto member = event.find(key);
  return member != event.end() && member->is_number_integer() ? member->get<int64_t>() : 0;
}

bool Flag(const OrderedJson& event, const char* key) {
  const auto member = event.find(key);
  return member != event.end() && member->is_boolean() && member->get<bool>();
}

class JsonPrinter final : public EventPrinter {
 public:
  void Print(const OrderedJson& event) override {
    PrintJson(event);
    std::fflush(stdout);
  }
};

// "path=notes.md content=(3 lines)": what a person needs to recognise the call.
std::string ShortArguments(const OrderedJson& event) {
  constexpr size_t kValueCharacters = 48;
  const auto arguments = event.find("arguments");
  if (arguments == event.end() || !arguments->is_object()) {
    return {};
  }
  std::string text;
  for (const auto& [key, value] : arguments->items()) {
    text += text.empty() ? "" : " ";
    if (key == "argv" && value.is_array()) {
      std::string command;
      for (const auto& word : value) {
        command += (command.empty() ? "" : " ") +
                   (word.is_string() ? word.get<std::string>() : DumpJson(word));
      }
      text += SafeLine(command, kValueCharacters);
    } else if (value.is_string()) {
      std::string shown = value.get<std::string>();
      constexpr std::string_view kWorkspace = "/workspace/";
      if (shown.starts_with(kWorkspace)) {
        shown.erase(0, kWorkspace.size());
      } else if (shown == "/workspace") {
        shown = ".";
      }
      if (key == "content" &&
          (shown.find('\n') != std::string::npos || shown.size() > kValueCharacters)) {
        const auto lines =
            std::count(shown.begin(), shown.end(), '\n') + (shown.ends_with('\n') ? 0 : 1);
        text += "(" + std::to_string(lines) + (lines == 1 ? " line)" : " lines)");
      } else {
        text += SafeLine(key, 24) + "=" + SafeLine(shown, kValueCharacters);
      }
    } else {
      text += SafeLine(key, 24) + "=" + SafeLine(DumpJson(value), kValueCharacters);
    }
  }
  return text;
}

std::string Padded(std::string text, size_t width) {
  // Counts characters, not bytes.
  const auto characters = static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80U; }));
  text.append(characters < width ? width - characters : 1, ' ');
  return text;
}

class TerminalPrinter final : public EventPrinter {
 public:
  TerminalPrinter() : terminal_(STDOUT_FILENO) {}

  void Print(const OrderedJson& event) override {
    const std::string name = Text(event, "event");
    if (name == "session.started") {
      PrintStart(event);
    } else if (name == "text.delta") {
      PrintDelta(Text(event, "text"));
    } else if (name == "call.decided") {
      decided_ = event;
      if (Text(event, "verdict") == "deny") {
        PrintRefusal(Text(event, "reason"));
      }
    } else if (name == "call.approval") {
      if (!Flag(event, "approved")) {
        PrintRefusal("refused by " + Text(event, "by"));
      }
    } else if (name == "call.finished") {
      PrintCall(event);
    } else if (name == "call.malformed") {
      EndDelta();
      Line(terminal_.Paint(Style::kYellow, "the model wrote a call that cannot be understood: ") +
           SafeLine(Text(event, "reason"), 160));
    } else if (name == "turn.finished") {
      PrintEnd(event);
    }
    std::fflush(stdout);
  }

 private:
  static void Line(const std::string& text) { std::fprintf(stdout, "  %s\n", text.c_str()); }

  void PrintStart(const OrderedJson& event) {
    Line(terminal_.Paint(Style::kDim, "engine   ") + SafeLine(Text(event, "engine"), 80) +
         " · model " + SafeLine(Text(event, "model"), 60));
    Line(terminal_.Paint(Style::kDim, "policy   ") + SafeLine(Text(event, "policy"), 80) +
         " · sandbox: " + SafeLine(Text(event, "sandbox"), 120));
    if (const std::string weaker = Text(event, "weaker"); !weaker.empty()) {
      Line(terminal_.Paint(Style::kYellow, "weaker   ") + SafeLine(weaker, 800));
    }
    if (Flag(event, "demonstration_model")) {
      Line(terminal_.Paint(Style::kYellow, "note     ") +
           "nacre-mini is a small demonstration model; use --model FILE.gguf or --engine URL for "
           "real work");
    }
  }

  // "   label untrusted, confidential": what the context is, where that is another than was shown last, and
  // at each call that it decided. It holds until the next is shown.
  std::string ShownLabels(const OrderedJson& event) {
    const auto labels = event.find("labels");
    std::string text;
    for (const auto& label :
         labels != event.end() && labels->is_array() ? *labels : OrderedJson()) {
      const std::string name = label.is_string() ? label.get<std::string>() : std::string();
      const size_t colon = name.find(':');
      text += (text.empty() ? "   label " : ", ") +
              SafeLine(colon == std::string::npos ? name : name.substr(colon + 1), 64);
    }
    if (text.empty()) {
      text = shown_labels_.empty() ? "" : "   label clean";
    }
    const bool decided = Text(decided_, "rule").starts_with("data.");
    const bool changed = std::exchange(shown_labels_, text) != text;
    return decided || changed ? text : std::string();
  }

  // "1  fs.list  path=docs        allow  rule tools.read-workspace"
  std::string CallHead(const std::string& verdict, Style style) {
    return terminal_.Paint(Style::kDim, std::to_string(++calls_)) + "  " +
           Padded(SafeLine(Text(decided_, "tool"), 32), 9) + Padded(ShortArguments(decided_), 40) +
           " " + terminal_.Paint(style, verdict) + "  rule " + SafeLine(Text(decided_, "rule"), 64);
  }

  void PrintRefusal(const std::string& reason) {
    EndDelta();
    Line(CallHead("deny ", Style::kRed) + ShownLabels(decided_));
    Line("   " + terminal_.Paint(Style::kRed, "denied: ") + SafeLine(reason, 200));
  }

  void PrintCall(const OrderedJson& event) {
    EndDelta();
    char milliseconds[32];
    std::snprintf(milliseconds, sizeof milliseconds, "%.1f ms",
                  static_cast<double>(Number(event, "wall_us")) / 1000);
    std::string changed;
    if (const auto workspace = event.find("workspace");
        workspace != event.end() && Text(*workspace, "end") == "committed") {
      changed_by_ = Text(event, "call");
      changed = "   +" + std::to_string(Number(*workspace, "lines_added")) + " -" +
                std::to_string(Number(*workspace, "lines_removed"));
    }
    const std::string withheld = Text(event, "withheld");
    Line(CallHead("allow", Style::kGreen) + "   " + milliseconds + changed + ShownLabels(event) +
         (withheld.empty() ? "" : "   withheld as " + SafeLine(withheld, 16)));
    // A program that failed is no failure of the tool, but a person wants to see it.
    const std::string result = Text(event, "result");
    if (Flag(event, "error") || (result.starts_with("exit ") && !result.starts_with("exit 0"))) {
      Line("   " + terminal_.Paint(Style::kYellow, SafeLine(result, 200)));
    }
  }

  void PrintDelta(const std::string& text) {
    for (const char c : SafeForTerminal(text)) {
      if (!in_delta_) {
        // A mark that no line of nacre's own has: an answer cannot pass for a record of what was done.
        std::fputs("  │ ", stdout);
        in_delta_ = true;
      }
      std::fputc(c, stdout);
      if (c == '\n') {
        in_delta_ = false;
      }
    }
    answered_ = true;
  }

  void EndDelta() {
    if (in_delta_) {
      std::fputc('\n', stdout);
      in_delta_ = false;
    }
  }

  void PrintEnd(const OrderedJson& event) {
    if (!answered_ && !Text(event, "answer").empty()) {
      PrintDelta(Text(event, "answer"));  // an engine that does not stream
    }
    EndDelta();
    const std::string state = Text(event, "state");
    if (state != "finished") {
      Line(terminal_.Paint(Style::kRed, state) +
           (state == "cancelled" ? std::string() : ": " + SafeLine(Text(event, "error"), 400)));
    }
    if (Flag(event, "cut_off")) {
      Line(terminal_.Paint(Style::kYellow, "cut off: ") + "the limit of tokens ended the answer");
    }
    const auto count = [](int64_t number, const char* noun) {
      return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
    };
    Line(terminal_.Paint(
        Style::kDim,
        "session " + Text(event, "session") + " · " + count(Number(event, "calls"), "call") +
            " · " + std::to_string(Number(event, "denied")) + " denied" +
            (changed_by_.empty() ? std::string() : " · undo: nacre call undo " + changed_by_)));
    calls_ = 0;
    changed_by_.clear();
    answered_ = false;
  }

  Terminal terminal_;
  OrderedJson decided_;
  int calls_ = 0;
  std::string shown_labels_;  // the last that were
  std::string changed_by_;    // the last call that changed the workspace
  bool in_delta_ = false;
  bool answered_ = false;
};

}  // namespace

std::unique_ptr<EventPrinter> MakeJsonPrinter() {
  return std::make_unique<JsonPrinter>();
}
std::unique_ptr<EventPrinter> MakeTerminalPrinter() {
  return std::make_unique<TerminalPrinter>();
}

}  // namespace nacre::cli
