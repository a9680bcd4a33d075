// Prints a session's events: for a person, or one JSON object per line.
#pragma once

#include <memory>

#include "base/json.h"
#include "runtime/agent/events.h"

namespace nacre::cli {

// Works on the JSON form of events, so that a local run and one through a gateway print the same.
class EventPrinter {
 public:
  virtual ~EventPrinter() = default;
  virtual void Print(const OrderedJson& event) = 0;
};

// Standard output, line-buffered.
std::unique_ptr<EventPrinter> MakeJsonPrinter();
std::unique_ptr<EventPrinter> MakeTerminalPrinter();

class PrintingSink final : public agent::EventSink {
 public:
  explicit PrintingSink(EventPrinter& printer) : printer_(printer) {}
  void OnEvent(const agent::Event& event) override { printer_.Print(agent::ToJson(event)); }

 private:
  EventPrinter& printer_;
};

}  // namespace nacre::cli
