#include "runtime/plot/svg.h"

#include <array>
#include <charconv>

#include "base/digest.h"
#include "base/safe_text.h"
#include "runtime/audit/base64.h"

namespace nacre::plot {
namespace {

constexpr size_t kTooltipCharactersMax = 600;
constexpr size_t kTextCharactersMax = 300;

// Colours of Okabe and Ito, which people with any colour vision tell apart; no meaning is in a colour only.
// Literal colours, not variables: viewers that are no browsers know those.
constexpr std::string_view kStyle =
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-size:12px;fill:#1f2937}"
    ".paper{fill:#fff}"
    ".h1{font-size:20px;font-weight:600}.h2{font-size:13px;font-weight:600}"
    ".dim{fill:#5b6676}.small{font-size:11px;fill:#5b6676}.note{font-size:12px;fill:#8a4b00}"
    ".band{fill:#f4f6f9}.grid{stroke:#dfe4ea;stroke-width:1}.axis{stroke:#9aa4b2;stroke-width:1}"
    ".cut{fill:#fff;stroke:#9aa4b2;stroke-width:1;stroke-dasharray:2 3}"
    ".turn{fill:#d5dbe4}.turntext{font-size:11px;fill:#333e4d}"
    ".unended{fill:#fff;stroke:#5b6676;stroke-width:1.4;stroke-dasharray:3 2}"
    ".engine{fill:#8793a5}.allow{fill:#0072b2}.failed{fill:#e69f00}.stopped{fill:#7b2d8b}"
    ".deny{fill:#d55e00;stroke:#fff;stroke-width:1.2}.denybar{fill:#d55e00}"
    ".askyes{fill:none;stroke:#009e73;stroke-width:2.2}"
    ".label{fill:#009e73}.label2{fill:#56b4e9}.label3{fill:#cc79a7}"
    ".labeltext{font-size:11px;fill:#0b2e24}"
    ".q0{fill:#f4f6f9}.q1{fill:#fde5cf}.q2{fill:#fbbf8c}.q3{fill:#f28e43}.q4{fill:#d55e00}"
    ".q5{fill:#8f3d00}"
    ".t1,.t2,.t3{font-size:11px;fill:#3a1a00}.t4,.t5{font-size:11px;fill:#fff}"
    ".node{fill:#f4f6f9;stroke:#b8c1cd;stroke-width:1}.context{fill:#eaf4fb;stroke:#0072b2;"
    "stroke-width:1.5}"
    ".flowin{fill:#56b4e9;fill-opacity:.55}.flowout{fill:#0072b2;fill-opacity:.5}"
    ".flowdeny{fill:none;stroke:#d55e00;stroke-width:2;stroke-dasharray:5 4}"
    ".chip{fill:#d9f2e9;stroke:#009e73;stroke-width:1}.chiptext{font-size:11px;fill:#00543d}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e6eaf0}.paper{fill:#12161c}.dim,.small{fill:#9fabba}.note{fill:#f5c26b}"
    ".band{fill:#1a2029}.grid{stroke:#2b3440}.axis{stroke:#64707f}"
    ".cut{fill:#12161c;stroke:#64707f}.turn{fill:#364152}.turntext{fill:#dbe2ea}"
    ".unended{fill:#12161c;stroke:#9fabba}"
    ".engine{fill:#76849a}.allow{fill:#56b4e9}.failed{fill:#e69f00}.stopped{fill:#cc79a7}"
    ".deny{fill:#ff7f32;stroke:#12161c}.denybar{fill:#ff7f32}.askyes{stroke:#2fd6a4}"
    ".label{fill:#138a68}.label2{fill:#2c6f97}.label3{fill:#93527a}.labeltext{fill:#f2fbf8}"
    ".q0{fill:#1a2029}.q1{fill:#4a2b12}.q2{fill:#7a4316}.q3{fill:#b35c17}.q4{fill:#f0842f}"
    ".q5{fill:#ffc58f}"
    ".t1,.t2,.t3{fill:#ffe9d6}.t4,.t5{fill:#2a1200}"
    ".node{fill:#1a2029;stroke:#4a5666}.context{fill:#14283a;stroke:#56b4e9}"
    ".flowin{fill:#56b4e9;fill-opacity:.4}.flowout{fill:#56b4e9;fill-opacity:.65}"
    ".flowdeny{stroke:#ff7f32}"
    ".chip{fill:#0d3a2d;stroke:#2fd6a4}.chiptext{fill:#b9f2df}}";

constexpr std::string_view kPageStyle =
    "html{background:#fff;color-scheme:light dark}body{margin:0}"
    "svg{display:block;width:100%;max-width:1400px;height:auto;margin:0 auto}"
    "@media(prefers-color-scheme:dark){html{background:#12161c}}";

std::string Attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + Number(value) + "\"";
}

std::string ClassOf(std::string_view style) {
  return " class=\"" + std::string(style) + "\"";
}

std::string Element(const Picture& picture, std::string_view style) {
  const std::string size = Number(kWidth) + " " + Number(picture.height);
  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size +
                     "\" role=\"img\" aria-labelledby=\"title description\"><title id=\"title\">" +
                     EscapedText(picture.title, kTextCharactersMax) +
                     "</title><desc id=\"description\">" +
                     EscapedText(picture.description, kTooltipCharactersMax) + "</desc>";
  if (!style.empty()) {
    text += "<style>" + std::string(style) + "</style>";
  }
  Svg paper;
  paper.Rect({.width = kWidth, .height = picture.height}, "paper");
  return text + paper.body() + picture.body + "</svg>\n";
}

}  // namespace

std::string EscapedText(std::string_view text, size_t characters_max) {
  std::string escaped;
  const std::string safe = SafeLine(text, characters_max);
  for (size_t i = 0; i < safe.size(); ++i) {
    switch (safe[i]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        // U+FFFE and U+FFFF are no characters of XML: an SVG with one would not open.
        if (safe.compare(i, 2, "\xef\xbf") == 0 && i + 2 < safe.size() &&
            static_cast<uint8_t>(safe[i + 2]) >= 0xbe) {
          escaped += "&#xFFFD;";
          i += 2;
        } else {
          escaped += safe[i];
        }
    }
  }
  return escaped;
}

double TextWidth(std::string_view text, double font_size) {
  double ems = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0xC0) {
      ems += byte >= 0xE0 ? 1.05 : 0.7;  // a wide script; two bytes are Latin, Greek, Cyrillic
    } else if (byte < 0x80) {
      const bool narrow = std::string_view("iljt.,:;!|'()[] /").find(c) != std::string_view::npos;
      const bool wide = (c >= 'A' && c <= 'Z') || c == 'm' || c == 'w' || c == '@' || c == '%';
      ems += narrow ? 0.4 : wide ? 0.8 : 0.64;
    }
  }
  return ems * font_size;
}

std::string Fit(std::string_view text, double width, double font_size) {
  std::string safe = SafeLine(text, kTextCharactersMax);
  if (TextWidth(safe, font_size) <= width) {
    return safe;
  }
  while (!safe.empty() && TextWidth(safe, font_size) + font_size > width) {
    do {
      const bool continues = (static_cast<uint8_t>(safe.back()) & 0xC0U) == 0x80U;
      safe.pop_back();
      if (!continues) {
        break;
      }
    } while (!safe.empty());
  }
  return safe + "…";
}

std::string Number(double value) {
  std::array<char, 40> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1);
  std::string number = error == std::errc() ? std::string(text.data(), end) : "0";
  if (number.ends_with(".0")) {
    number.resize(number.size() - 2);
  }
  return number == "-0" ? "0" : number;
}

void Svg::End(std::string_view name, std::string_view tooltip) {
  if (tooltip.empty()) {
    body_ += "/>\n";
    return;
  }
  ++marks_;
  body_ += "><title>" + EscapedText(tooltip, kTooltipCharactersMax) + "</title></" +
           std::string(name) + ">\n";
}

void Svg::Rect(const Box& box, std::string_view style, std::string_view tooltip) {
  body_ += "<rect" + ClassOf(style) + Attribute("x", box.x) + Attribute("y", box.y) +
           Attribute("width", box.width) + Attribute("height", box.height);
  if (box.radius > 0) {
    body_ += Attribute("rx", box.radius);
  }
  End("rect", tooltip);
}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view style) {
  body_ += "<line" + ClassOf(style) + Attribute("x1", x1) + Attribute("y1", y1) +
           Attribute("x2", x2) + Attribute("y2", y2) + "/>\n";
}

void Svg::Path(const std::string& commands, std::string_view style, std::string_view tooltip) {
  body_ += "<path" + ClassOf(style) + " d=\"" + commands + "\"";
  End("path", tooltip);
}

void Svg::Text(double x, double y, std::string_view text, std::string_view style, Anchor anchor,
               std::string_view tooltip) {
  constexpr const char* kAnchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
  body_ += "<text" + ClassOf(style) + Attribute("x", x) + Attribute("y", y) +
           kAnchors[static_cast<int>(anchor)] + ">" + EscapedText(text, kTextCharactersMax);
  if (!tooltip.empty()) {
    body_ += "<title>" + EscapedText(tooltip, kTooltipCharactersMax) + "</title>";
  }
  body_ += "</text>\n";
}

std::string ToSvg(const Picture& picture) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + Element(picture, kStyle);
}

std::string ToHtml(const Picture& picture) {
  const std::string style = std::string(kPageStyle) + std::string(kStyle);
  const Sha256Digest digest = Sha256(style);
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'sha256-" +
         audit::EncodeBase64(std::string(digest.begin(), digest.end())) +
         "'; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
         EscapedText(picture.title, kTextCharactersMax) + "</title>\n<style>" + style +
         "</style></head>\n<body>\n" + Element(picture, {}) + "</body></html>\n";
}

}  // namespace nacre::plot
