// A picture as SVG. Text comes from records and is hostile: it reaches the picture through one function
// that leaves nothing of it that could be markup, and all else is numbers and names of our own.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace nacre::plot {

// Lengths are in units of the view box, whose width is this for every picture.
constexpr double kWidth = 1200;

// As the text of an element: on one line, at most `characters_max` long.
std::string EscapedText(std::string_view text, size_t characters_max);

// About how wide a text of this size is; never much less than browsers make it.
double TextWidth(std::string_view text, double font_size);
// The text, cut with "…" where it would be wider.
std::string Fit(std::string_view text, double width, double font_size);

// Appends elements. `style` is the name of a class in the style sheet, never text from outside.
// `tooltip`, what is shown when one points there, is; empty is none. Not thread-safe.
class Svg final {
 public:
  struct Box {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
    double radius = 0;
  };
  enum class Anchor { kStart = 0, kMiddle, kEnd };

  void Rect(const Box& box, std::string_view style, std::string_view tooltip = {});
  void Line(double x1, double y1, double x2, double y2, std::string_view style);
  // `commands` are those of a path's d, made with Number().
  void Path(const std::string& commands, std::string_view style, std::string_view tooltip = {});
  void Text(double x, double y, std::string_view text, std::string_view style,
            Anchor anchor = Anchor::kStart, std::string_view tooltip = {});

  // Of the marks that stand for something in the log: what a test counts.
  size_t marks() const { return marks_; }
  const std::string& body() const { return body_; }

 private:
  void End(std::string_view name, std::string_view tooltip);

  std::string body_;
  size_t marks_ = 0;
};

// "12.3": one digit after the point, whatever the locale.
std::string Number(double value);

struct Picture {
  std::string title;
  std::string description;  // for those who cannot see it
  double height = 0;
  std::string body;
  size_t marks = 0;
  OrderedJson summary = OrderedJson::object();  // the picture in numbers
};

// Whole documents that need nothing else: no script, no font, no other file. ToHtml() also forbids all of
// that, by its content security policy.
std::string ToSvg(const Picture& picture);
std::string ToHtml(const Picture& picture);

}  // namespace nacre::plot
