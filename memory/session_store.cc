#include "memory/session_store.h"

namespace nacre::memory {

const char* TurnStateName(TurnState state) {
  switch (state) {
    case TurnState::kRunning:
      return "running";
    case TurnState::kFinished:
      return "finished";
    case TurnState::kFailed:
      return "failed";
    case TurnState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

const char* CallStateName(CallState state) {
  switch (state) {
    case CallState::kDenied:
      return "denied";
    case CallState::kStarted:
      return "started";
    case CallState::kFinished:
      return "finished";
    case CallState::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

}  // namespace nacre::memory
