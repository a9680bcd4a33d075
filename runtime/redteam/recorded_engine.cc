#include "runtime/redteam/recorded_engine.h"

#include <variant>
#include <vector>

namespace nacre::redteam {
namespace {

class Recorded final : public inference::Engine {
 public:
  explicit Recorded(const Trace& trace) {
    for (const auto& step : trace.steps) {
      if (const auto* call = std::get_if<RecordedCall>(&step)) {
        calls_.push_back(call);
      }
    }
  }

  inference::EngineInfo Info() const override {
    inference::EngineInfo info;
    info.name = "recorded";
    return info;
  }
  Result<inference::ModelReply> Generate(const inference::GenerateRequest& /*request*/,
                                         inference::TokenSink& /*sink*/,
                                         const CancelToken& /*cancel*/) override {
    if (next_ == calls_.size()) {
      return inference::ModelReply{.content = std::string("(the record ends)"), .tokens = {}};
    }
    const RecordedCall& call = *calls_[next_++];
    return inference::ModelReply{
        .content = inference::EmittedCall{call.function, DumpJson(call.arguments)}, .tokens = {}};
  }

 private:
  std::vector<const RecordedCall*> calls_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<inference::Engine> RecordedEngine(const Trace& trace) {
  return std::make_unique<Recorded>(trace);
}

}  // namespace nacre::redteam
