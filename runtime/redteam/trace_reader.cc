#include "runtime/redteam/trace_reader.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/unique_fd.h"

namespace nacre::redteam {
namespace {

constexpr size_t kTraceLineBytesMax = 16U << 20;
constexpr uint64_t kTraceFileBytesMax = 4ULL << 30;
constexpr int64_t kTraceLinesMax = 10'000'000;
constexpr size_t kTraceCallsMax = 2000;
constexpr int kZstdWindowLogMax = 27;  // 128 MiB
constexpr size_t kReadBytes = 256U << 10;

Error Wrong(const std::string& what) {
  return {ErrorCode::kInvalidArgument, what};
}

// A message's content is a text, nothing, or a list of {content} or {text}.
std::string ContentOf(const Json& message) {
  const Json* content = FindMember(message, "content");
  if (content == nullptr || content->is_null()) {
    return {};
  }
  if (content->is_string()) {
    return content->get<std::string>();
  }
  std::string text;
  if (content->is_array()) {
    for (const Json& part : *content) {
      const std::string piece = StringMember(part, "content", StringMember(part, "text"));
      text += (text.empty() ? "" : "\n") + piece;
    }
  }
  return text;
}

class MessageReader {
 public:
  explicit MessageReader(Trace& trace) : trace_(trace) {}

  Status Read(const Json& messages) {
    for (const Json& message : messages) {
      const std::string role = StringMember(message, "role");
      if (role == "system" || role == "user") {
        trace_.steps.emplace_back(UserText{ContentOf(message)});
      } else if (role == "assistant") {
        NACRE_TRY(ReadCalls(message));
      } else if (role == "tool") {
        NACRE_TRY(ReadResult(message));
      } else {
        return Wrong("messages: a message's role is system, user, assistant or tool");
      }
    }
    return Ok();
  }

 private:
  Status Add(const Json& call) {
    RecordedCall recorded;
    recorded.function = StringMember(call, "function");
    if (recorded.function.empty()) {
      return Wrong("messages: a call has no function");
    }
    if (const Json* arguments = FindMember(call, "args");
        arguments != nullptr && !arguments->is_null()) {
      if (!arguments->is_object()) {
        return Wrong("messages: a call's args are no object");
      }
      recorded.arguments = *arguments;
    }
    if (++calls_ > kTraceCallsMax) {
      return Wrong("more than " + std::to_string(kTraceCallsMax) + " calls");
    }
    trace_.steps.emplace_back(std::move(recorded));
    return Ok();
  }

  // Several calls of one message are answered, in order, by the messages after it.
  Status ReadCalls(const Json& message) {
    waiting_.clear();
    next_ = 0;
    const Json* calls = FindMember(message, "tool_calls");
    if (calls == nullptr || !calls->is_array()) {
      return Ok();
    }
    for (const Json& call : *calls) {
      NACRE_TRY(Add(call));
      waiting_.push_back(trace_.steps.size() - 1);
    }
    return Ok();
  }

  Status ReadResult(const Json& message) {
    if (next_ == waiting_.size()) {  // an answer to a call that is not in the record
      const Json* call = FindMember(message, "tool_call");
      if (call == nullptr || !call->is_object()) {
        return Wrong("messages: a result without a call");
      }
      NACRE_TRY(Add(*call));
      waiting_.push_back(trace_.steps.size() - 1);
    }
    auto& call = std::get<RecordedCall>(trace_.steps[waiting_[next_++]]);
    const std::string error = StringMember(message, "error");
    call.error = !error.empty();
    call.result = call.error ? error : ContentOf(message);
    return Ok();
  }

  Trace& trace_;
  std::vector<size_t> waiting_;  // steps: the calls of the last assistant message
  size_t next_ = 0;              // of waiting_, the one that the next result answers
  size_t calls_ = 0;
};

}  // namespace

Result<Trace> ParseTrace(std::string_view line) {
  const Json json = NACRE_TRY(ParseJson(line, {.bytes_max = kTraceLineBytesMax, .depth_max = 32}));
  Trace trace;
  const auto text = [&](const char* key, std::string& value) -> Status {
    const Json* member = FindMember(json, key);
    if (member == nullptr || !member->is_string()) {
      return Wrong(std::string(key) + ": expected a text");
    }
    value = member->get<std::string>();
    return Ok();
  };
  NACRE_TRY(text("suite", trace.suite));
  NACRE_TRY(text("user_task", trace.user_task));
  NACRE_TRY(text("attack", trace.attack));
  // Without an attack nothing is to be said of its goal.
  if (const Json* goal = FindMember(json, "injection_task");
      trace.attacked() || (goal != nullptr && !goal->is_null())) {
    NACRE_TRY(text("injection_task", trace.injection_task));
  }
  trace.pipeline = StringMember(json, "pipeline");
  trace.task_done = BoolMember(json, "utility");
  trace.attack_succeeded = BoolMember(json, "security");
  if (const Json* injections = FindMember(json, "injections");
      injections != nullptr && injections->is_object()) {
    for (const auto& [vector, injection] : injections->items()) {
      if (injection.is_string()) {
        trace.injections.push_back(injection.get<std::string>());
      }
    }
  }
  const Json* messages = FindMember(json, "messages");
  if (messages == nullptr || !messages->is_array()) {
    return Wrong("messages: expected a list");
  }
  NACRE_TRY(MessageReader(trace).Read(*messages));
  return trace;
}

// The bytes of a file, decompressed where it begins as zstd's files do.
class TraceReader::Decoder final {
 public:
  Decoder(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { ZSTD_freeDStream(stream_); }

  Status Start() {
    NACRE_TRY(Fill());
    constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";
    if (std::string_view(input_.data(), input_size_).substr(0, kMagic.size()) != kMagic) {
      return Ok();
    }
    stream_ = ZSTD_createDStream();
    if (stream_ == nullptr || ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax,
                                                                  kZstdWindowLogMax)) != 0) {
      return Error{ErrorCode::kResourceExhausted, path_ + ": no memory to decompress"};
    }
    return Ok();
  }

  // Appends some bytes; false at the end.
  Result<bool> Read(std::string& output) {
    while (true) {
      if (input_at_ == input_size_) {
        NACRE_TRY(Fill());
        if (input_size_ == 0) {
          if (stream_ != nullptr && frame_open_) {
            return Error{ErrorCode::kDataLoss, path_ + ": ends in the middle; copy it again"};
          }
          return false;
        }
      }
      if (stream_ == nullptr) {
        output.append(input_.data() + input_at_, input_size_ - input_at_);
        input_at_ = input_size_;
        return true;
      }
      ZSTD_inBuffer in = {input_.data(), input_size_, input_at_};
      ZSTD_outBuffer out = {decoded_.data(), decoded_.size(), 0};
      const size_t left = ZSTD_decompressStream(stream_, &out, &in);
      if (ZSTD_isError(left) != 0) {
        return Error{ErrorCode::kDataLoss,
                     path_ + ": cannot be decompressed: " + ZSTD_getErrorName(left)};
      }
      frame_open_ = left != 0;
      input_at_ = in.pos;
      if (out.pos > 0) {
        output.append(decoded_.data(), out.pos);
        return true;
      }
    }
  }

 private:
  Status Fill() {
    ssize_t got = 0;
    do {
      got = ::read(file_.get(), input_.data(), input_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      return SysError("read " + path_, errno);
    }
    input_size_ = static_cast<size_t>(got);
    input_at_ = 0;
    return Ok();
  }

  UniqueFd file_;
  std::string path_;
  ZSTD_DStream* stream_ = nullptr;  // null: the file is plain
  bool frame_open_ = false;
  std::vector<char> input_ = std::vector<char>(kReadBytes);
  std::vector<char> decoded_ = std::vector<char>(kReadBytes);
  size_t input_size_ = 0;
  size_t input_at_ = 0;
};

TraceReader::TraceReader(std::unique_ptr<Decoder> decoder) : decoder_(std::move(decoder)) {}
TraceReader::~TraceReader() = default;

Result<std::unique_ptr<TraceReader>> TraceReader::Open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return SysError("open " + path, errno);
  }
  auto decoder = std::make_unique<Decoder>(std::move(file), path);
  NACRE_TRY(decoder->Start());
  return std::unique_ptr<TraceReader>(new TraceReader(std::move(decoder)));
}

Result<bool> TraceReader::Next(std::string_view& line) {
  size_t searched = begin_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos || (ended_ && begin_ < buffer_.size())) {
      const size_t stop = std::min(end, buffer_.size());
      line = std::string_view(buffer_).substr(begin_, stop - begin_);
      begin_ = std::min(stop + 1, buffer_.size());
      if (++line_ > kTraceLinesMax) {
        return Error{ErrorCode::kResourceExhausted,
                     "more than " + std::to_string(kTraceLinesMax) + " lines"};
      }
      return true;
    }
    if (ended_) {
      return false;
    }
    searched = buffer_.size() - begin_;
    buffer_.erase(0, begin_);
    begin_ = 0;
    const size_t before = buffer_.size();
    ended_ = !NACRE_TRY(decoder_->Read(buffer_));
    bytes_ += buffer_.size() - before;
    if (bytes_ > kTraceFileBytesMax || buffer_.size() > kTraceLineBytesMax + kReadBytes) {
      return Error{ErrorCode::kResourceExhausted, "line " + std::to_string(line_ + 1) +
                                                      ": a line has at most 16 MiB, a file 4 GiB"};
    }
  }
}

}  // namespace nacre::redteam
