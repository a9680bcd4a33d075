// What the bundled model costs, through the real worker process: loading it, generating with it, and
// a whole task of one step. The last line of the output is one JSON object.
//
//   model_bench [rounds] [MODEL.gguf]
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/temp_dir.h"
#include "runtime/inference/llama_engine.h"

namespace nacre::inference {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

double Percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

class FirstText final : public TokenSink {
 public:
  void OnText(std::string_view text) override {
    if (bytes_ == 0) {
      at_ = Clock::now();
    }
    bytes_ += text.size();
  }
  bool came() const { return bytes_ > 0; }
  Clock::time_point at() const { return at_; }

 private:
  size_t bytes_ = 0;
  Clock::time_point at_;
};

// A conversation whose answer is long: the text of a file that was read. One tool is offered, so
// that the grammar takes its part of the time, as it does in a session.
GenerateRequest LongAnswer(size_t round) {
  std::string result = "12 lines, 382 bytes";
  for (int line = 1; line <= 12; ++line) {
    result += "\nline " + std::to_string(line) + " of the poem, round " + std::to_string(round);
  }
  GenerateRequest request;
  request.session_id = "bench-" + std::to_string(round);
  request.messages = {
      {.role = Role::kUser, .content = "Read poem.txt"},
      {.role = Role::kAssistant,
       .call = EmittedCall{.name = "fs.read", .arguments_json = R"({"path":"poem.txt"})"},
       .call_id = "1"},
      {.role = Role::kTool, .content = result, .call_id = "1"},
  };
  request.tools = {
      {"fs.read", "Read a text file.",
       OrderedJson::parse(
           R"({"type":"object","properties":{"path":{"type":"string"}},"required":["path"]})")}};
  request.tokens_max = 400;
  return request;
}

struct Figures {
  std::vector<double> load_ms;
  std::vector<double> first_text_ms;      // of a new conversation: its prompt and one token
  std::vector<double> tokens_per_second;  // of one answer, after its first text
  std::vector<double> task_ms;
  uint64_t generated = 0;
};

Status MeasureEngine(const std::string& model, size_t round, Figures& figures) {
  const auto start = Clock::now();
  const auto engine = NACRE_TRY(LlamaEngine::Create(
      {.worker_program = NACRE_BINARY_DIR "/nacre-engine", .model_path = model}));
  figures.load_ms.push_back(Milliseconds(Clock::now() - start).count());
  const auto asked = Clock::now();
  FirstText sink;
  const ModelReply reply = NACRE_TRY(engine->Generate(LongAnswer(round), sink, CancelToken()));
  const auto end = Clock::now();
  // Few tokens say little; a model may also answer this shortly, or call.
  if (sink.came() && reply.tokens.generated >= 20) {
    figures.first_text_ms.push_back(Milliseconds(sink.at() - asked).count());
    figures.tokens_per_second.push_back(1000.0 * (reply.tokens.generated - 1) /
                                        Milliseconds(end - sink.at()).count());
    figures.generated += reply.tokens.generated;
  }
  return {};
}

// `nacre run` as a person starts it: a new process, a new session, one call, an answer.
Status MeasureTask(const std::string& model, Figures& figures) {
  const TempDir directory = NACRE_TRY(TempDir::Create());
  const std::string workspace = directory.path() + "/workspace";
  if (::mkdir(workspace.c_str(), 0700) != 0) {
    return Error{ErrorCode::kUnavailable, "cannot make " + workspace};
  }
  NACRE_TRY(WriteFileAtomically(workspace + "/notes.md", "one\ntwo\nthree\n"));
  std::vector<std::string> words = {NACRE_BINARY_DIR "/nacre",
                                    "--state",
                                    directory.path() + "/state",
                                    "run",
                                    "--model",
                                    model,
                                    "--workspace",
                                    workspace,
                                    "How many lines does notes.md have?"};
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  int status = 0;
  const auto start = Clock::now();
  const bool done = ::posix_spawn(&pid, argv.front(), &quiet, nullptr, argv.data(), environ) == 0 &&
                    ::waitpid(pid, &status, 0) == pid && status == 0;
  ::posix_spawn_file_actions_destroy(&quiet);
  if (!done) {
    return Error{ErrorCode::kUnavailable, "nacre run failed"};
  }
  figures.task_ms.push_back(Milliseconds(Clock::now() - start).count());
  return {};
}

int Measure(const std::string& model, size_t rounds) {
  Figures figures;
  for (size_t round = 0; round < rounds; ++round) {
    Status done = MeasureEngine(model, round, figures);
    if (done.ok()) {
      done = MeasureTask(model, figures);
    }
    if (!done.ok()) {
      std::fprintf(stderr, "model_bench: %s\n", done.error().message.c_str());
      return 1;
    }
  }
  if (figures.tokens_per_second.empty()) {
    std::fprintf(stderr, "model_bench: the model gave no answer of 20 tokens\n");
    return 1;
  }
  const auto row = [](const char* what, const std::vector<double>& values, double slow) {
    std::printf("%-22s p50 %8.1f  p99 %8.1f\n", what, Percentile(values, 0.5),
                Percentile(values, slow));
  };
  row("load, ms", figures.load_ms, 0.99);
  row("first text, ms", figures.first_text_ms, 0.99);
  row("tokens/s", figures.tokens_per_second, 0.01);  // the slow end, here too
  row("one-step task, ms", figures.task_ms, 0.99);
  std::printf(
      "{\"bench\":\"model\",\"rounds\":%zu,\"generated_tokens\":%llu,\"load_p50_ms\":%.1f,"
      "\"load_p99_ms\":%.1f,\"first_text_p50_ms\":%.1f,\"first_text_p99_ms\":%.1f,"
      "\"tokens_per_second_p50\":%.0f,\"tokens_per_second_p99\":%.0f,\"task_p50_ms\":%.0f,"
      "\"task_p99_ms\":%.0f}\n",
      rounds, static_cast<unsigned long long>(figures.generated), Percentile(figures.load_ms, 0.5),
      Percentile(figures.load_ms, 0.99), Percentile(figures.first_text_ms, 0.5),
      Percentile(figures.first_text_ms, 0.99), Percentile(figures.tokens_per_second, 0.5),
      Percentile(figures.tokens_per_second, 0.01), Percentile(figures.task_ms, 0.5),
      Percentile(figures.task_ms, 0.99));
  return 0;
}

}  // namespace
}  // namespace nacre::inference

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 30;
  if (rounds < 1 || rounds > 10'000 || argc > 3) {
    std::fprintf(stderr, "usage: model_bench [rounds, 1 to 10000] [MODEL.gguf]\n");
    return 2;
  }
  return nacre::inference::Measure(argc > 2 ? argv[2] : NACRE_BUNDLED_MODEL,
                                   static_cast<size_t>(rounds));
}
