#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "runtime/plot/marks.h"
#include "runtime/plot/pictures.h"

namespace nacre::plot {
namespace {

constexpr double kNodeWidth = 290;
constexpr double kNodeHeight = 50;
constexpr double kStep = kNodeHeight + 14;
constexpr double kContextWidth = 240;
constexpr double kContextLeft = (kWidth - kContextWidth) / 2;
constexpr double kContextRight = kContextLeft + kContextWidth;

struct Node {
  std::string name;
  std::string first_line;
  std::string second_line;
  std::string tooltip;
  uint64_t bytes = 0;
  uint64_t carried = 0;  // calls (or texts) that took data along
  uint64_t refused = 0;
};

// Bytes from one to gigabytes, as a width that one can compare by eye.
double RibbonWidth(uint64_t bytes) {
  return bytes == 0 ? 1.2 : std::min(26.0, 2 + 2.6 * std::log10(static_cast<double>(bytes) + 1));
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

struct ToolFlow {
  size_t order = 0;
  uint64_t calls = 0;
  uint64_t refused = 0;
  uint64_t asked = 0;
  uint64_t out = 0;
  uint64_t in = 0;
  uint64_t answers = 0;
  uint64_t files = 0;
  uint64_t untrusted = 0;
  std::vector<std::string> labels;
};

// The busiest ones, in the order of first use; the rest together.
std::vector<std::pair<std::string, ToolFlow>> FlowsOf(const SessionTrace& trace) {
  std::map<std::string, ToolFlow> tools;
  for (const TracedCall& call : trace.calls) {
    const auto [found, fresh] = tools.try_emplace(call.tool);
    ToolFlow& flow = found->second;
    flow.order = fresh ? tools.size() : flow.order;
    ++flow.calls;
    flow.asked += call.verdict == "ask" ? 1 : 0;
    flow.untrusted += call.untrusted_context ? 1 : 0;
    if (call.end == CallEnd::kRefused) {
      ++flow.refused;
      continue;
    }
    flow.out += call.argument_bytes;
    flow.in += call.result_bytes;
    flow.answers += call.end == CallEnd::kUnknown ? 0 : 1;
    flow.files += call.files_changed;
    flow.labels.insert(flow.labels.end(), call.labels_added.begin(), call.labels_added.end());
  }
  std::vector<std::pair<std::string, ToolFlow>> flows(tools.begin(), tools.end());
  std::sort(flows.begin(), flows.end(), [](const auto& a, const auto& b) {
    return a.second.calls != b.second.calls ? a.second.calls > b.second.calls
                                            : a.second.order < b.second.order;
  });
  if (flows.size() > kToolRowsMax) {
    ToolFlow rest;
    rest.order = SIZE_MAX;
    const size_t count = flows.size() - (kToolRowsMax - 1);
    for (size_t i = kToolRowsMax - 1; i < flows.size(); ++i) {
      const ToolFlow& each = flows[i].second;
      rest.calls += each.calls;
      rest.refused += each.refused;
      rest.asked += each.asked;
      rest.out += each.out;
      rest.in += each.in;
      rest.answers += each.answers;
      rest.files += each.files;
      rest.untrusted += each.untrusted;
      rest.labels.insert(rest.labels.end(), each.labels.begin(), each.labels.end());
    }
    flows.resize(kToolRowsMax - 1);
    flows.emplace_back(std::to_string(count) + " other tools", rest);
  }
  std::sort(flows.begin(), flows.end(),
            [](const auto& a, const auto& b) { return a.second.order < b.second.order; });
  return flows;
}

void Divide(const SessionTrace& trace, std::vector<Node>* sources, std::vector<Node>* sinks) {
  uint64_t requests = 0;
  uint64_t answers = 0;
  uint64_t answered = 0;
  for (const TracedTurn& turn : trace.turns) {
    requests += turn.request_bytes;
    answers += turn.answer_bytes;
    answered += turn.answer_bytes > 0 ? 1 : 0;
  }
  sources->push_back(
      {.name = "the person",
       .first_line = Count(trace.turns.size(), "request") + ", " + BytesText(requests),
       .second_line = "the person's own words are trusted",
       .tooltip = "what the person asked for",
       .bytes = requests,
       .carried = trace.turns.size()});
  for (const auto& [tool, flow] : FlowsOf(trace)) {
    if (flow.answers > 0) {
      sources->push_back({.name = tool,
                          .first_line = Count(flow.answers, "result") + ", " + BytesText(flow.in),
                          .second_line = flow.labels.empty() ? "" : "brought " + Join(flow.labels),
                          .tooltip = tool + " → context: " + Count(flow.answers, "result") + ", " +
                                     BytesText(flow.in) +
                                     (flow.labels.empty() ? "" : ", brought " + Join(flow.labels)),
                          .bytes = flow.in,
                          .carried = flow.answers});
    }
    const uint64_t ran = flow.calls - flow.refused;
    std::string second = flow.refused > 0 ? std::to_string(flow.refused) + " refused" : "";
    if (flow.untrusted > 0) {
      second += (second.empty() ? "" : " · ") + std::to_string(flow.untrusted) +
                " with untrusted data in the context";
    }
    if (flow.files > 0) {
      second += (second.empty() ? "" : " · ") + Count(flow.files, "path") + " changed";
    }
    sinks->push_back(
        {.name = tool,
         .first_line =
             Count(ran, "call") + ", " + BytesText(flow.out) +
             (flow.asked > 0 ? ", " + std::to_string(flow.asked) + " asked of a person" : ""),
         .second_line = second,
         .tooltip = "context → " + tool + ": " + Count(ran, "call") + ", " + BytesText(flow.out) +
                    " of arguments" +
                    (flow.refused > 0 ? ", " + std::to_string(flow.refused) + " refused" : ""),
         .bytes = flow.out,
         .carried = ran,
         .refused = flow.refused});
  }
  sinks->push_back(
      {.name = "the person",
       .first_line = Count(answered, "answer") + ", " + BytesText(answers),
       .second_line = {},
       .tooltip = "context → the person: " + Count(answered, "answer") + ", " + BytesText(answers),
       .bytes = answers,
       .carried = answered});
}

std::string Curve(double x1, double y1, double x2, double y2) {
  const double middle = (x1 + x2) / 2;
  return Number(middle) + " " + Number(y1) + " " + Number(middle) + " " + Number(y2) + " " +
         Number(x2) + " " + Number(y2);
}

void Ribbon(Svg* svg, double x1, double y1, double x2, double y2, double width,
            std::string_view style, std::string_view tooltip) {
  const double half = width / 2;
  svg->Path("M" + Number(x1) + " " + Number(y1 - half) + "C" + Curve(x1, y1 - half, x2, y2 - half) +
                "L" + Number(x2) + " " + Number(y2 + half) + "C" +
                Curve(x2, y2 + half, x1, y1 + half) + "Z",
            style, tooltip);
}

void DrawNode(Svg* svg, double x, double y, const Node& node) {
  svg->Rect({.x = x, .y = y, .width = kNodeWidth, .height = kNodeHeight, .radius = 6}, "node",
            node.tooltip);
  const double room = kNodeWidth - 20;
  svg->Text(x + 10, y + 20, Fit(node.name, room / 2 + 20, 13), "h2", Svg::Anchor::kStart,
            node.name);
  svg->Text(x + kNodeWidth - 10, y + 20, Fit(node.first_line, room / 2 - 10, 11), "small",
            Svg::Anchor::kEnd, node.first_line);
  svg->Text(x + 10, y + 39, Fit(node.second_line, room, 11), "small", Svg::Anchor::kStart,
            node.second_line);
}

}  // namespace

Picture PlotFlow(const SessionTrace& trace, const Evidence& evidence) {
  std::vector<Node> sources;
  std::vector<Node> sinks;
  Divide(trace, &sources, &sinks);
  Picture picture;
  picture.title = "Data flow of session " + (trace.session.empty() ? "(unnamed)" : trace.session);
  uint64_t refused = 0;
  for (const Node& sink : sinks) {
    refused += sink.refused;
  }
  const std::string about = DateTimeText(trace.span.begin) + " UTC · " +
                            Count(trace.turns.size(), "turn") + " · " +
                            Count(trace.calls.size(), "call") + " · " + std::to_string(refused) +
                            " refused" + (trace.policy.empty() ? "" : " · policy " + trace.policy);
  std::vector<std::string> notes;
  if (trace.cut) {
    notes.push_back("Only the first " + Count(trace.records, "record") +
                    " of the session are shown.");
  }
  Svg nodes;
  Svg ribbons;
  double y = DrawHeading(
      &nodes, picture.title,
      {about,
       "What the model has read, and what it could pass on. The wider a ribbon, the more bytes "
       "(logarithmic); a dashed line with a cross is what was refused."},
      notes);
  y += 16;
  nodes.Text(kMargin, y, "sources", "h2");
  nodes.Text(kContextLeft, y, "context", "h2");
  nodes.Text(kWidth - kMargin - kNodeWidth, y, "sinks", "h2");
  y += 14;
  std::vector<std::string> labels;
  for (const TracedLabel& label : trace.labels) {
    if (std::find(labels.begin(), labels.end(), label.label) == labels.end()) {
      labels.push_back(label.label);
    }
  }
  const size_t shown = std::min(labels.size(), kLabelRowsMax);
  const double context_needs =
      64 + 26 * static_cast<double>(shown + (labels.size() > shown ? 1 : 0));
  const double height =
      std::max({kStep * static_cast<double>(std::max(sources.size(), sinks.size())) - 14,
                context_needs, 120.0});
  nodes.Rect({.x = kContextLeft, .y = y, .width = kContextWidth, .height = height, .radius = 8},
             "context", "what the model has read in this session");
  nodes.Text(kContextLeft + 14, y + 24,
             Fit(trace.model.empty() ? "the model" : trace.model, kContextWidth - 28, 13), "h2",
             Svg::Anchor::kStart, trace.model);
  nodes.Text(
      kContextLeft + 14, y + 43,
      labels.empty() ? "no labels: clean, or none are kept" : "its labels, in order:", "small");
  for (size_t i = 0; i < shown; ++i) {
    const std::string text = Fit(labels[i], kContextWidth - 48, 11);
    const double top = y + 54 + 26 * static_cast<double>(i);
    nodes.Rect({.x = kContextLeft + 14,
                .y = top,
                .width = std::min(kContextWidth - 28, TextWidth(text, 11) + 18),
                .height = 20,
                .radius = 10},
               "chip", labels[i]);
    nodes.Text(kContextLeft + 23, top + 14, text, "chiptext");
  }
  if (labels.size() > shown) {
    nodes.Text(kContextLeft + 14, y + 54 + 26 * static_cast<double>(shown) + 14,
               "and " + Count(labels.size() - shown, "more label"), "small");
  }
  const auto place = [&](size_t i, size_t count) {
    const double room = height - kNodeHeight;
    return count == 1 ? y + room / 2
                      : y + room * static_cast<double>(i) / static_cast<double>(count - 1);
  };
  for (size_t i = 0; i < sources.size(); ++i) {
    const double top = place(i, sources.size());
    const double middle = top + kNodeHeight / 2;
    DrawNode(&nodes, kMargin, top, sources[i]);
    Ribbon(&ribbons, kMargin + kNodeWidth, middle, kContextLeft, middle,
           RibbonWidth(sources[i].bytes), "flowin", sources[i].tooltip);
  }
  for (size_t i = 0; i < sinks.size(); ++i) {
    const double top = place(i, sinks.size());
    const double middle = top + kNodeHeight / 2;
    const double left = kWidth - kMargin - kNodeWidth;
    DrawNode(&nodes, left, top, sinks[i]);
    const bool both = sinks[i].carried > 0 && sinks[i].refused > 0;
    if (sinks[i].carried > 0) {
      Ribbon(&ribbons, kContextRight, middle + (both ? 8 : 0), left, middle + (both ? 8 : 0),
             RibbonWidth(sinks[i].bytes), "flowout", sinks[i].tooltip);
    }
    if (sinks[i].refused > 0) {
      const double at = middle - (both ? 14 : 0);
      ribbons.Path("M" + Number(kContextRight) + " " + Number(at) + "H" + Number(left - 24),
                   "flowdeny", sinks[i].tooltip);
      DrawCall(&ribbons, left - 14, at, 0, CallEnd::kRefused, false,
               std::to_string(sinks[i].refused) + " refused · " + sinks[i].tooltip);
    }
  }
  y += height;
  nodes.Text(kMargin, y + 34, Fit(FootLine(evidence, FootOf(trace)), kWidth - 2 * kMargin, 11),
             "small");
  picture.height = y + 52;
  picture.body = ribbons.body() + nodes.body();
  picture.marks = ribbons.marks() + nodes.marks();
  picture.description = about;
  const auto as_json = [](const std::vector<Node>& list) {
    OrderedJson array = OrderedJson::array();
    for (const Node& node : list) {
      array.push_back({{"name", node.name},
                       {"passed", node.carried},
                       {"bytes", node.bytes},
                       {"refused", node.refused}});
    }
    return array;
  };
  picture.summary = {{"plot", "flow"},           {"session", trace.session},
                     {"records", trace.records}, {"sources", as_json(sources)},
                     {"labels", labels},         {"sinks", as_json(sinks)},
                     {"complete", !trace.cut},   {"marks", picture.marks}};
  return picture;
}

}  // namespace nacre::plot
