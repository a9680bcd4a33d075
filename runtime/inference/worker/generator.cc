#include "runtime/inference/worker/generator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <random>

#include "runtime/inference/worker/grammar.h"
#include "runtime/inference/worker_protocol.h"

namespace nacre::inference {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
// Tokenizing is not linear in the length of one message, and no context holds this much.
constexpr size_t kPromptBytesMax = 2U << 20;

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Error Cancelled() {
  return {ErrorCode::kCancelled, "the generation was cancelled"};
}

// Connects llama_decode's abort question, asked between operations, to the observer for one call.
class AbortGuard {
 public:
  AbortGuard(llama_context* context, GenerationObserver& observer) : context_(context) {
    llama_set_abort_callback(
        context_,
        [](void* data) {
          GenerationObserver* asked = static_cast<GenerationObserver*>(data);
          asked->OnProgress();
          return asked->Cancelled();
        },
        &observer);
  }
  ~AbortGuard() { llama_set_abort_callback(context_, nullptr, nullptr); }
  AbortGuard(const AbortGuard&) = delete;
  AbortGuard& operator=(const AbortGuard&) = delete;

 private:
  llama_context* context_;
};

}  // namespace

// Uniform numbers, the same everywhere: std's distributions differ between libraries.
class Generator::Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double Next() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

 private:
  std::mt19937_64 engine_;
};

// What has been generated so far and what may follow.
struct Generator::Reply {
  ReplyTracker tracker;
  Utf8Gate utf8;
  SamplerPointer grammar;
  llama_token last = LLAMA_TOKEN_NULL;
};

Generator::Generator(const Model& model, uint32_t threads_max)
    : model_(model), vocabulary_(model.vocabulary()), tuner_(threads_max, model.parameters()) {
  candidates_.reserve(static_cast<size_t>(vocabulary_.size()));
}

Result<ModelReply> Generator::Generate(const GenerateRequest& request,
                                       GenerationObserver& observer) {
  Result<ModelReply> result{ModelReply()};
  try {
    const Status status = Run(request, observer, &result.value());
    if (!status.ok()) {
      return status.error();
    }
  } catch (const std::exception& problem) {
    llama_memory_clear(llama_get_memory(model_.context()), true);
    cells_.clear();
    return Error{ErrorCode::kInternal, std::string("the engine failed: ") + problem.what()};
  }
  return result;
}

Status Generator::Run(const GenerateRequest& request, GenerationObserver& observer,
                      ModelReply* result) {
  const std::vector<llama_token> prompt = NACRE_TRY(MakePrompt(request));
  const CallFrame frame = vocabulary_.Frame(model_.format().call_form());
  const std::string grammar = NACRE_TRY(request.tools.empty() && request.answer_schema.is_object()
                                            ? MakeAnswerGrammar(request.answer_schema, frame)
                                            : MakeGrammar(request.tools, frame));
  Reply reply{
      .tracker = ReplyTracker(frame, request.tools.empty() ? ReplyTracker::Calls::kImpossible
                                                           : ReplyTracker::Calls::kPossible),
      .utf8 = {},
      .grammar = SamplerPointer(
          llama_sampler_init_grammar(model_.llama_vocabulary(), grammar.c_str(), "root"))};
  if (reply.grammar == nullptr) {
    return Error{ErrorCode::kInternal, "libllama refuses the grammar of the offered tools"};
  }
  result->tokens.prompt = static_cast<uint32_t>(prompt.size());
  result->tokens.prompt_cached = NACRE_TRY(Prefill(prompt, observer));
  const uint32_t tokens_max =
      std::min(request.tokens_max, model_.context_tokens() - static_cast<uint32_t>(prompt.size()));
  Random random(request.seed);
  std::string text;
  std::string unfinished;  // bytes of a character whose rest has not come
  while (!reply.tracker.call_complete()) {
    if (observer.Cancelled()) {
      return Cancelled();
    }
    if (result->tokens.generated >= tokens_max || reply.tracker.bytes() >= kReplyBytesMax) {
      result->cut_off = true;
      break;
    }
    if (result->tokens.generated > 0) {
      NACRE_TRY(DecodeTimed(reply.last, observer));
    }
    reply.last = NACRE_TRY(Pick(reply, request.temperature, random));
    llama_sampler_accept(reply.grammar.get(), reply.last);
    ++result->tokens.generated;
    if (vocabulary_.EndsTurn(reply.last)) {
      break;
    }
    const std::string& piece = vocabulary_.Piece(reply.last);
    reply.utf8.Feed(piece);
    reply.tracker.Feed(piece, vocabulary_.IsControl(reply.last)
                                  ? ReplyTracker::PieceKind::kControl
                                  : ReplyTracker::PieceKind::kOrdinary);
    if (reply.tracker.kind() == ReplyTracker::Kind::kText) {
      unfinished += piece;
      if (reply.utf8.between_characters()) {
        observer.OnText(unfinished);
        text += std::exchange(unfinished, "");
      }
    }
  }
  if (reply.tracker.kind() == ReplyTracker::Kind::kCall) {
    result->content = EmittedCall{reply.tracker.name(), reply.tracker.arguments()};
  } else {
    result->content = std::move(text);
  }
  return Ok();
}

Result<std::vector<llama_token>> Generator::MakePrompt(const GenerateRequest& request) const {
  const std::vector<PromptPart> parts =
      NACRE_TRY(model_.format().Render(request.messages, request.tools));
  size_t bytes = 0;
  for (const PromptPart& part : parts) {
    bytes += part.text.size();
  }
  if (bytes > kPromptBytesMax) {
    return Error{ErrorCode::kResourceExhausted, "the conversation is larger than 2 MiB"};
  }
  std::vector<llama_token> prompt = vocabulary_.Tokenize(parts);
  if (prompt.empty()) {
    return Error{ErrorCode::kInvalidArgument, "the model's chat template makes an empty prompt"};
  }
  if (prompt.size() >= model_.context_tokens()) {
    return Error{ErrorCode::kResourceExhausted,
                 "the conversation needs " + std::to_string(prompt.size()) +
                     " tokens, the model has " + std::to_string(model_.context_tokens())};
  }
  return prompt;
}

Status Generator::DecodeTimed(llama_token token, GenerationObserver& observer) {
  const auto start = std::chrono::steady_clock::now();
  const int32_t threads = static_cast<int32_t>(tuner_.threads());
  llama_set_n_threads(model_.context(), threads, threads);
  NACRE_TRY(Decode({token}, observer));
  tuner_.Record(SecondsSince(start));
  return Ok();
}

Result<uint32_t> Generator::Prefill(const std::vector<llama_token>& prompt,
                                    GenerationObserver& observer) {
  const auto common = std::mismatch(cells_.begin(), cells_.end(), prompt.begin(), prompt.end());
  // The last token is always computed: its logits choose the first token of the reply.
  size_t kept = std::min(static_cast<size_t>(common.first - cells_.begin()), prompt.size() - 1);
  const llama_memory_t memory = llama_get_memory(model_.context());
  if (!llama_memory_seq_rm(memory, 0, static_cast<llama_pos>(kept), -1)) {
    llama_memory_clear(memory, true);  // recurrent models cannot be rolled back
    kept = 0;
  }
  cells_.resize(kept);
  const int32_t threads = static_cast<int32_t>(tuner_.threads());
  llama_set_n_threads(model_.context(), threads, threads);
  const size_t batch = llama_n_batch(model_.context());
  for (size_t from = kept; from < prompt.size(); from += batch) {
    if (observer.Cancelled()) {
      return Cancelled();
    }
    const auto begin = prompt.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end =
        prompt.begin() + static_cast<std::ptrdiff_t>(std::min(from + batch, prompt.size()));
    NACRE_TRY(Decode(std::vector<llama_token>(begin, end), observer));
  }
  return static_cast<uint32_t>(kept);
}

Status Generator::Decode(std::vector<llama_token> tokens, GenerationObserver& observer) {
  const AbortGuard guard(model_.context(), observer);
  const int32_t result = llama_decode(
      model_.context(), llama_batch_get_one(tokens.data(), static_cast<int32_t>(tokens.size())));
  if (result != 0) {
    // Part of the batch may be in; what was there before is still right.
    const llama_memory_t memory = llama_get_memory(model_.context());
    if (!llama_memory_seq_rm(memory, 0, static_cast<llama_pos>(cells_.size()), -1)) {
      llama_memory_clear(memory, true);
      cells_.clear();
    }
    return result == 2
               ? Cancelled()
               : Error{ErrorCode::kInternal, "llama_decode failed: " + std::to_string(result)};
  }
  cells_.insert(cells_.end(), tokens.begin(), tokens.end());
  observer.OnProgress();
  return Ok();
}

// What the grammar cannot judge: control tokens that only spell what it expects, and bytes that are
// no UTF-8. A token that ends the turn is the grammar's to judge.
bool Generator::MayFollow(const Reply& reply, llama_token token) const {
  Utf8Gate utf8 = reply.utf8;
  if (vocabulary_.EndsTurn(token)) {
    return utf8.between_characters();
  }
  if (vocabulary_.IsControl(token) && !reply.tracker.ControlTokenAllowed()) {
    return false;
  }
  return utf8.Feed(vocabulary_.Piece(token));
}

Result<llama_token> Generator::Pick(const Reply& reply, float temperature, Random& random) {
  const float* logits = llama_get_logits_ith(model_.context(), -1);
  if (logits == nullptr) {
    return Error{ErrorCode::kInternal, "libllama gave no logits"};
  }
  candidates_.clear();
  for (llama_token token = 0; token < vocabulary_.size(); ++token) {
    const float logit = logits[token];
    candidates_.push_back({token, std::isnan(logit) ? kNever : logit, 0});
  }
  const llama_token first = Choose(temperature, random);
  llama_token_data one{first, 0, 0};
  llama_token_data_array single{&one, 1, -1, false};
  if (MayFollow(reply, first)) {
    llama_sampler_apply(reply.grammar.get(), &single);
    if (one.logit != kNever) {
      return first;
    }
  }
  for (llama_token_data& candidate : candidates_) {
    if (!MayFollow(reply, candidate.id)) {
      candidate.logit = kNever;
    }
  }
  llama_token_data_array all{candidates_.data(), candidates_.size(), -1, false};
  llama_sampler_apply(reply.grammar.get(), &all);
  const llama_token second = Choose(temperature, random);
  if (candidates_[static_cast<size_t>(second)].logit == kNever) {
    return Error{ErrorCode::kInternal, "no token of the model can continue this reply"};
  }
  return second;
}

llama_token Generator::Choose(float temperature, Random& random) const {
  const auto best = std::max_element(
      candidates_.begin(), candidates_.end(),
      [](const llama_token_data& a, const llama_token_data& b) { return a.logit < b.logit; });
  if (!(temperature > 0) || best->logit == kNever) {
    return best->id;
  }
  const auto weight = [&](const llama_token_data& candidate) {
    return std::exp(static_cast<double>((candidate.logit - best->logit) / temperature));
  };
  double sum = 0;
  for (const llama_token_data& candidate : candidates_) {
    sum += weight(candidate);
  }
  double left = random.Next() * sum;
  for (const llama_token_data& candidate : candidates_) {
    left -= weight(candidate);
    if (left < 0) {
      return candidate.id;
    }
  }
  return best->id;
}

}  // namespace nacre::inference
