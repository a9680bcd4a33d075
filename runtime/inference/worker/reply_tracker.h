// ReplyTracker: follows a reply as it is generated, byte by byte, and knows whether it is text or a
// call, when a call is whole, and where a control token may stand.
//
// The grammar compares characters, so to it a control token inside a string looks like the text
// that spells it. The tracker is what tells the two apart.
//
// Pure. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "runtime/inference/worker/call_frame.h"

namespace nacre::inference {

class ReplyTracker final {
 public:
  enum class Kind { kUndecided = 0, kText, kCall };
  enum class PieceKind { kOrdinary = 0, kControl };

  // Impossible when no tools are offered: then everything is text.
  enum class Calls { kImpossible = 0, kPossible };
  ReplyTracker(const CallFrame& frame, Calls calls);

  // True where a control token is the frame's and not smuggled text: as the very first piece of a
  // call, or within a call outside of its strings.
  bool ControlTokenAllowed() const;

  void Feed(std::string_view piece, PieceKind kind);

  Kind kind() const { return kind_; }
  bool call_complete() const { return phase_ == Phase::kDone; }
  // Of a call, as far as written.
  const std::string& name() const { return name_; }
  const std::string& arguments() const { return arguments_; }
  const std::string& text() const { return text_; }
  size_t bytes() const { return bytes_; }

 private:
  enum class Phase { kPrefix = 0, kName, kArguments, kSuffix, kDone };

  void FeedCallByte(char byte);
  void FeedArgumentByte(char byte);

  std::string prefix_;
  std::string infix_;
  std::string suffix_;
  bool prefix_is_token_;
  Calls calls_;
  Kind kind_ = Kind::kUndecided;
  Phase phase_ = Phase::kPrefix;
  size_t matched_ = 0;  // bytes of the prefix or suffix
  std::string name_;
  std::string arguments_;
  std::string text_;
  size_t bytes_ = 0;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace nacre::inference
