#include "runtime/inference/llama_engine.h"

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "base/file.h"
#include "base/json.h"
#include "base/temp_dir.h"
#include "tests/unit/inference/tiny_model.h"

namespace nacre::inference {
namespace {

using testing::TinyModel;
using testing::WriteTinyModel;

// Collects an answer's text; optionally does something once when text comes.
class Collector final : public TokenSink {
 public:
  explicit Collector(std::function<void()> at_first = {}) : at_first_(std::move(at_first)) {}
  void OnText(std::string_view text) override {
    text_ += text;
    if (at_first_) {
      std::exchange(at_first_, {})();
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::function<void()> at_first_;
  std::string text_;
};

class Fixture {
 public:
  explicit Fixture(const TinyModel& model = {}) {
    WriteTinyModel(path(), model);
    Result<std::unique_ptr<LlamaEngine>> created = LlamaEngine::Create(Options());
    INFO((created.ok() ? "" : created.error().message));
    REQUIRE(created.ok());
    engine = std::move(created).value();
  }
  std::string path() const { return directory_.path() + "/tiny.gguf"; }
  LlamaEngine::Options Options() const {
    return {.worker_program = NACRE_ENGINE_PROGRAM, .model_path = path(), .threads_max = 1};
  }
  Result<ModelReply> Generate(const GenerateRequest& request) {
    Collector sink;
    return engine->Generate(request, sink, CancelToken());
  }

 private:
  TempDir directory_ = TempDir::Create().value();

 public:
  std::unique_ptr<LlamaEngine> engine;
};

std::vector<ToolSchema> SomeTools() {
  return {{"fs.list", "Lists a directory", OrderedJson::parse(R"({"type":"object","properties":{
          "path":{"type":"string","maxLength":12},
          "recursive":{"type":"boolean"},
          "sort":{"enum":["name","size","time"]},
          "limit":{"type":"integer","minimum":1,"maximum":250}},"required":["path"]})")},
          {"proc.run", "Runs a program", OrderedJson::parse(R"({"type":"object","properties":{
          "argv":{"type":"array","items":{"type":"string","minLength":1,"maxLength":6},"minItems":1,"maxItems":3}},
          "required":["argv"]})")}};
}

GenerateRequest Request(const std::string& text) {
  return {
      .session_id = "s", .messages = {{.role = Role::kUser, .content = text}}, .tokens_max = 400};
}

}  // namespace

TEST_CASE("the worker runs in its sandbox and says which layers it has") {
  Fixture fixture;
  const HelloEvent hello = fixture.engine->WorkerSandbox();
  for (const char* layer : {"seccomp", "no_new_privs", "no capabilities", "rlimits"}) {
    CAPTURE(layer);
    CHECK(std::find(hello.layers.begin(), hello.layers.end(), layer) != hello.layers.end());
  }
  const std::string proc = "/proc/" + std::to_string(fixture.engine->WorkerPid());
  const std::string status = ReadFile(proc + "/status", 1 << 16).value();
  CHECK(status.find("Seccomp:\t2") != std::string::npos);
  CHECK(status.find("NoNewPrivs:\t1") != std::string::npos);
  CHECK(status.find("CapEff:\t0000000000000000") != std::string::npos);
  CHECK(status.find("CapPrm:\t0000000000000000") != std::string::npos);
  const EngineInfo info = fixture.engine->Info();
  CHECK(info.model == "tiny");
  CHECK(info.context_tokens == 1024);
  CHECK_FALSE(info.demonstration);
  CHECK(info.model_digest.starts_with("sha256:"));
}

// The weights are random and the temperature is 1: the property must come from the grammar alone.
TEST_CASE("whatever a model says, a call parses, is of an offered tool, and matches its schema") {
  Fixture fixture;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    GenerateRequest request = Request("list the files");
    request.tools = SomeTools();
    request.temperature = 1;
    request.seed = seed;
    const Result<ModelReply> reply = fixture.Generate(request);
    INFO((reply.ok() ? "" : reply.error().message));
    REQUIRE(reply.ok());
    const auto* call = std::get_if<EmittedCall>(&reply.value().content);
    REQUIRE(call != nullptr);
    CAPTURE(call->name, call->arguments_json);
    REQUIRE_FALSE(reply.value().cut_off);
    const Result<Json> parsed = ParseJson(call->arguments_json);
    REQUIRE(parsed.ok());
    const Json& arguments = parsed.value();
    if (call->name == "fs.list") {
      REQUIRE(arguments.contains("path"));
      for (const auto& [key, value] : arguments.items()) {
        CAPTURE(key);
        if (key == "path") {
          CHECK(value.is_string());
        } else if (key == "recursive") {
          CHECK(value.is_boolean());
        } else if (key == "sort") {
          CHECK((value == "name" || value == "size" || value == "time"));
        } else {
          CHECK(key == "limit");
          CHECK((value.is_number_integer() && value >= 1 && value <= 250));
        }
      }
    } else {
      REQUIRE(call->name == "proc.run");
      REQUIRE(arguments.size() == 1);
      const Json& argv = arguments.at("argv");
      CHECK((argv.size() >= 1 && argv.size() <= 3));
      for (const Json& item : argv) {
        CHECK((item.is_string() && !item.get<std::string>().empty()));
      }
    }
  }
}

// Starts ggml's threads, which the system call filter must let it do.
TEST_CASE("whatever a model says, an answer of a schema is such an object") {
  Fixture fixture;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    GenerateRequest request = Request("when is it?");
    request.answer_schema = OrderedJson::parse(
        R"({"type":"object","properties":{"answer":{"anyOf":[
            {"type":"array","items":{"type":"integer","minimum":-5,"maximum":40},"maxItems":3},
            {"type":"string","enum":["by train","by car"]},{"type":"null"}]}},
            "required":["answer"],"additionalProperties":false})");
    request.temperature = 1;
    request.seed = seed;
    const Result<ModelReply> reply = fixture.Generate(request);
    REQUIRE(reply.ok());
    REQUIRE_FALSE(reply.value().cut_off);
    const Json object = ParseJson(std::get<std::string>(reply.value().content)).value();
    REQUIRE(object.size() == 1);
    const Json& answer = object.at("answer");
    if (answer.is_array()) {
      CHECK(answer.size() <= 3);
      for (const Json& item : answer) {
        CHECK(item.is_number_integer());
        CHECK((item >= -5 && item <= 40));
      }
    } else {
      CHECK((answer.is_null() || answer == "by train" || answer == "by car"));
    }
  }
}

TEST_CASE("a model that is worth two threads runs on two in the sandbox") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/wide.gguf";
  WriteTinyModel(path, {.context_tokens = 256, .width = 1024});
  const auto engine = LlamaEngine::Create(
      {.worker_program = NACRE_ENGINE_PROGRAM, .model_path = path, .threads_max = 2});
  INFO((engine.ok() ? "" : engine.error().message));
  REQUIRE(engine.ok());
  CHECK(engine.value()->Info().name == "llama.cpp (CPU, 2 threads)");
  GenerateRequest request = Request("talk");
  request.tokens_max = 12;
  Collector sink;
  CHECK(engine.value()->Generate(request, sink, CancelToken()).ok());
}

TEST_CASE("a model that wants to call cannot when no tool is offered") {
  Fixture fixture;
  GenerateRequest request = Request("list the files");
  request.temperature = 1;
  request.tokens_max = 40;
  Collector sink;
  const Result<ModelReply> reply = fixture.engine->Generate(request, sink, CancelToken());
  REQUIRE(reply.ok());
  const auto* text = std::get_if<std::string>(&reply.value().content);
  REQUIRE(text != nullptr);
  CHECK(*text == sink.text());
  CHECK(reply.value().cut_off == (reply.value().tokens.generated == 40));
  CHECK(ParseJson(DumpJson(Json(*text))).ok());
}

TEST_CASE("the cells of a prefix are reused and change nothing in the reply") {
  Fixture first;
  GenerateRequest request = Request("list the files");
  request.tools = SomeTools();
  const ModelReply one = first.Generate(request).value();
  CHECK(one.tokens.prompt_cached == 0);
  request.messages.push_back(
      {.role = Role::kAssistant, .call = std::get<EmittedCall>(one.content)});
  request.messages.push_back({.role = Role::kTool, .content = "2 files, 1 directory"});
  const ModelReply reused = first.Generate(request).value();
  CHECK(reused.tokens.prompt_cached >= one.tokens.prompt);

  Fixture second;
  const ModelReply fresh = second.Generate(request).value();
  CHECK(fresh.tokens.prompt_cached == 0);
  CHECK(fresh.content == reused.content);
  // The same again: all but the last token is there.
  const ModelReply again = first.Generate(request).value();
  CHECK(again.tokens.prompt_cached == again.tokens.prompt - 1);
  CHECK(again.content == fresh.content);
}

TEST_CASE("a prompt that does not fit the context is refused with the numbers") {
  Fixture fixture;
  const Result<ModelReply> reply = fixture.Generate(Request(std::string(5000, 'x')));
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kResourceExhausted);
  CHECK(reply.error().message.find("the model has 1024") != std::string::npos);
  CHECK(fixture.Generate(Request("short")).ok());
}

TEST_CASE("a worker killed in the middle is the error of one request") {
  Fixture fixture({.eager_to_call = false, .context_tokens = 4096});
  const pid_t pid = fixture.engine->WorkerPid();
  Collector sink([pid] { ::kill(pid, SIGKILL); });
  GenerateRequest request = Request("talk");
  request.tokens_max = 4000;
  request.temperature = 1;
  const Result<ModelReply> reply = fixture.engine->Generate(request, sink, CancelToken());
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  CHECK(reply.error().message.find("signal 9") != std::string::npos);
  request.tokens_max = 5;
  CHECK(fixture.Generate(request).ok());
  CHECK(fixture.engine->WorkerPid() != pid);
}

TEST_CASE("a worker that hangs is stopped and restarted") {
  Fixture fixture({.eager_to_call = false, .context_tokens = 4096});
  LlamaEngine::Options options = fixture.Options();
  options.progress_timeout = std::chrono::milliseconds(200);
  const auto engine = LlamaEngine::Create(options).value();
  const pid_t pid = engine->WorkerPid();
  Collector sink([pid] { ::kill(pid, SIGSTOP); });
  GenerateRequest request = Request("talk");
  request.tokens_max = 4000;
  const Result<ModelReply> reply = engine->Generate(request, sink, CancelToken());
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kUnavailable);
  CHECK(reply.error().message.find("no progress") != std::string::npos);
}

TEST_CASE("a cancelled generation ends with kCancelled and the worker lives on") {
  Fixture fixture({.eager_to_call = false, .context_tokens = 4096});
  CancelSource source;
  Collector sink([&source] { source.Cancel(); });
  GenerateRequest request = Request("talk");
  request.tokens_max = 4000;
  request.temperature = 1;
  const pid_t pid = fixture.engine->WorkerPid();
  const Result<ModelReply> reply = fixture.engine->Generate(request, sink, source.token());
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kCancelled);
  CHECK(fixture.engine->WorkerPid() == pid);
  request.tokens_max = 5;
  CHECK(fixture.Generate(request).ok());
}

TEST_CASE(
    "a cancelled worker that does not stop is killed, and the request is still just cancelled") {
  Fixture fixture({.eager_to_call = false, .context_tokens = 4096});
  LlamaEngine::Options options = fixture.Options();
  options.cancel_timeout = std::chrono::milliseconds(100);
  const auto engine = LlamaEngine::Create(options).value();
  const pid_t pid = engine->WorkerPid();
  CancelSource source;
  Collector sink([&source, pid] {
    ::kill(pid, SIGSTOP);
    source.Cancel();
  });
  GenerateRequest request = Request("talk");
  request.tokens_max = 4000;
  const Result<ModelReply> reply = engine->Generate(request, sink, source.token());
  REQUIRE_FALSE(reply.ok());
  CHECK(reply.error().code == ErrorCode::kCancelled);
  request.tokens_max = 5;
  Collector rest;
  CHECK(engine->Generate(request, rest, CancelToken()).ok());
}

TEST_CASE("a file that is no usable model is refused with a reason") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/model.gguf";
  const LlamaEngine::Options options{
      .worker_program = NACRE_ENGINE_PROGRAM, .model_path = path, .threads_max = 1};

  SECTION("missing") {
    const auto engine = LlamaEngine::Create(options);
    REQUIRE_FALSE(engine.ok());
    CHECK(engine.error().code == ErrorCode::kNotFound);
    CHECK(engine.error().message.find(path) != std::string::npos);
  }
  SECTION("a directory, a FIFO") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    for (const std::string& odd : {directory.path(), path}) {
      LlamaEngine::Options with = options;
      with.model_path = odd;
      CHECK(LlamaEngine::Create(with).error().code == ErrorCode::kInvalidArgument);
    }
  }
  SECTION("text, empty, truncated, damaged") {
    WriteTinyModel(path);
    const std::string good = ReadFile(path, 16 << 20).value();
    std::vector<std::string> bad = {"",
                                    "hello, world",
                                    good.substr(0, 4),
                                    good.substr(0, 1000),
                                    good.substr(0, good.size() / 2),
                                    good.substr(0, good.size() - 1)};
    for (const size_t at :
         {size_t{4}, size_t{8}, size_t{16}, size_t{24}, size_t{60}, size_t{120}}) {
      bad.push_back(good);
      bad.back()[at] = static_cast<char>(bad.back()[at] ^ 0x7F);
    }
    for (const std::string& bytes : bad) {
      CAPTURE(bytes.size());
      REQUIRE(WriteFileAtomically(path, bytes).ok());
      const auto engine = LlamaEngine::Create(options);
      if (!engine.ok()) {
        CAPTURE(engine.error().message);
        CHECK(engine.error().code == ErrorCode::kInvalidArgument);
        CHECK(engine.error().message.find(path + " is not a usable GGUF file: ") == 0);
      }
    }
    // These cannot load, whatever libllama tolerates.
    for (size_t i = 0; i < 6; ++i) {
      REQUIRE(WriteFileAtomically(path, bad[i]).ok());
      CHECK_FALSE(LlamaEngine::Create(options).ok());
    }
  }
}

TEST_CASE("a chat template that never ends is stopped by the deadline of the load") {
  const TempDir directory = TempDir::Create().value();
  const std::string path = directory.path() + "/model.gguf";
  WriteTinyModel(path,
                 {.chat_template = "{%- for a in range(100000) -%}{%- for b in range(100000) -%}x"
                                   "{%- endfor -%}{%- endfor -%}"});
  const auto engine = LlamaEngine::Create({.worker_program = NACRE_ENGINE_PROGRAM,
                                           .model_path = path,
                                           .threads_max = 1,
                                           .load_timeout = std::chrono::milliseconds(500)});
  REQUIRE_FALSE(engine.ok());
  CHECK(engine.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a worker program that cannot run is an error that names it") {
  const TempDir directory = TempDir::Create().value();
  WriteTinyModel(directory.path() + "/m.gguf");
  for (const char* program : {"/nonexistent/nacre-engine", "/bin/true"}) {
    const auto engine = LlamaEngine::Create(
        {.worker_program = program, .model_path = directory.path() + "/m.gguf"});
    REQUIRE_FALSE(engine.ok());
    CHECK(engine.error().message.find(program) != std::string::npos);
  }
}

}  // namespace nacre::inference
