#include "runtime/inference/worker/reply_tracker.h"

namespace nacre::inference {

ReplyTracker::ReplyTracker(const CallFrame& frame, Calls calls)
    : prefix_(FrameText(frame.prefix)),
      infix_(FrameText(frame.infix)),
      suffix_(FrameText(frame.suffix)),
      prefix_is_token_(!frame.prefix.empty() && frame.prefix.front().token >= 0),
      calls_(calls) {}

bool ReplyTracker::ControlTokenAllowed() const {
  switch (kind_) {
    case Kind::kUndecided:
      return calls_ == Calls::kPossible && prefix_is_token_;
    case Kind::kText:
      return false;
    case Kind::kCall:
      return !in_string_;
  }
  return false;
}

void ReplyTracker::Feed(std::string_view piece, PieceKind kind) {
  if (piece.empty()) {
    return;
  }
  bytes_ += piece.size();
  if (kind_ == Kind::kUndecided) {
    const bool begins_call =
        prefix_is_token_ ? kind == PieceKind::kControl : !prefix_.empty() && piece[0] == prefix_[0];
    kind_ = calls_ == Calls::kPossible && begins_call ? Kind::kCall : Kind::kText;
  }
  if (kind_ == Kind::kText) {
    text_ += piece;
    return;
  }
  for (const char byte : piece) {
    FeedCallByte(byte);
  }
}

void ReplyTracker::FeedCallByte(char byte) {
  switch (phase_) {
    case Phase::kPrefix:
      if (++matched_ == prefix_.size()) {
        phase_ = Phase::kName;
      }
      return;
    case Phase::kName:
      name_ += byte;
      if (name_.ends_with(infix_)) {
        name_.resize(name_.size() - infix_.size());
        phase_ = Phase::kArguments;
      }
      return;
    case Phase::kArguments:
      FeedArgumentByte(byte);
      return;
    case Phase::kSuffix:
      if (++matched_ == suffix_.size()) {
        phase_ = Phase::kDone;
      }
      return;
    case Phase::kDone:
      return;
  }
}

void ReplyTracker::FeedArgumentByte(char byte) {
  arguments_ += byte;
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (byte == '\\') {
      escaped_ = true;
    } else if (byte == '"') {
      in_string_ = false;
    }
    return;
  }
  if (byte == '"') {
    in_string_ = true;
  } else if (byte == '{' || byte == '[') {
    ++depth_;
  } else if ((byte == '}' || byte == ']') && --depth_ == 0) {
    matched_ = 0;
    phase_ = suffix_.empty() ? Phase::kDone : Phase::kSuffix;
  }
}

}  // namespace nacre::inference
