// What a decision costs by the number of rules, next to Cedar (wasm) on the same policy and calls.
//
//   policy_bench [--sizes 100,1000,10000,100000] [--rounds 50] [--peer-seconds 10] [--no-peers]
//                [--replay-records 200000]
//
// The policy: per 100 rules 48 that allow an exact host with methods and a path, 5 that deny a part of
// such a path, 10 hosts by a wildcard, 27 folders, 10 programs with an argument that begins so. Half
// of the calls are allowed. Each nacre figure is a whole decision: hide and protect, all rules, flows
// with the label of the context and who named each argument, rates with what ran before; verdict, rule,
// reason, source and grant. The flows and rates look at each call and narrow none, so that the peers,
// which know neither, decide the same. What fills a call's label and origins is measured beside it: the
// results of a session joined to its context, and calls judged in it.
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/json.h"
#include "policy/analysis/prover.h"
#include "policy/context_tracker.h"
#include "policy/evaluator.h"
#include "policy/policy_loader.h"
#include "policy/rate.h"
#ifdef NACRE_PROGRAM  // not where only some modules are built
#include "tests/bench/policy_replay.h"
#endif

namespace {

using namespace nacre;
using Clock = std::chrono::steady_clock;

constexpr size_t kCalls = 2000;
constexpr size_t kPeerRulesMax = 10'000;

double Microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

double ThreadSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Call {
  policy::Request request;
  bool allowed = false;
  Json context;  // the same for Cedar
};

struct Workload {
  std::string yaml;
  std::string
      rules;  // without the flows, which decide only for tools whose manifests say what they do
  std::string cedar;
  std::vector<Call> calls;
};

std::string Number(const char* before, size_t number, const char* after = "") {
  return before + std::to_string(number) + after;
}

constexpr char kFlowsAndRates[] = R"(data:
  unlisted: untrusted
  sources:
    - {tool: mail.*, integrity: untrusted, categories: [pii]}
    - {path: "/workspace/customers/**", integrity: trusted, confidentiality: confidential, categories: ["customer:acme"]}
    - {host: "*.corp.example", integrity: trusted, confidentiality: internal}
    - {path: "/workspace/keys/**", confidentiality: secret, categories: [keys]}
    - {user: true, integrity: trusted}
  flows:
    - {id: no-leak, reason: what is confidential stays, when: {confidentiality: {at_least: confidential}}, to: [network], decision: deny}
    - {id: keys-stay, reason: keys leave by nobody, when: {categories: [keys]}, to: [network], decision: deny}
    - {id: strangers-name-no-place, reason: the user says where, when: {argument: {roles: [recipient, url], origin: [stranger, derived]}}, to: {effects: [fetch, send, pay, write]}, decision: ask}
    - {id: strangers-choose-no-object, reason: the user says what, when: {argument: {roles: [object], origin: [stranger, derived]}}, to: {effects: [read, delete, write]}, decision: ask}
    - {id: strangers-change-no-setting, reason: the user says how, when: {argument: {roles: [setting], origin: [stranger]}}, to: {effects: [execute]}, decision: ask}
    - {id: nothing-is-sent-untrusted, reason: side effects need a person, when: {integrity: untrusted}, to: {effects: [send, pay, delete]}, decision: ask}
budgets:
  rates:
    - {id: web, reason: enough, tool: http.request, calls: 1000000, per: hour}
    - {id: reads, reason: enough, tool: fs.*, calls: 1000000, per: session}
    - {id: programs, reason: enough, tool: proc.run, calls: 1000000, per: turn}
)";

class Generator {
 public:
  explicit Generator(size_t rules) : rules_(rules) {}

  Workload Make() {
    work_.yaml =
        "nacre: policy/1\nname: bench\nworkspace:\n  mode: transactional\n  hide: [\"**/.env\", "
        "\"**/.ssh/**\", \"**/*.pem\", \"**/id_rsa*\", \"**/.aws/**\", \"**/*.key\"]\n  protect: "
        "[\"policy/**\", \"**/.git/**\", \"**/.nacre/**\"]\ntools:\n";
    for (size_t i = 0; i < rules_; ++i) {
      Rule(i);
    }
    work_.rules = work_.yaml;
    work_.yaml += kFlowsAndRates;
    std::mt19937 random(7);
    while (work_.calls.size() < kCalls) {
      Ask(random() % rules_, random() % 2 == 0, random() % 4);
    }
    return std::move(work_);
  }

 private:
  enum class Kind { kHost, kDenied, kWildcard, kFolder, kProgram };

  static Kind KindOf(size_t i) {
    const size_t part = i % 100;
    return part < 96 && part % 20 == 19 ? Kind::kDenied
           : part < 53                  ? Kind::kHost
           : part < 63                  ? Kind::kWildcard
           : part < 90                  ? Kind::kFolder
                                        : Kind::kProgram;
  }
  // Four rules share a host.
  static std::string Host(size_t i) { return Number("api", i / 4, ".corp.example"); }

  void Put(size_t i, const std::string& tool, const std::string& args, bool allow) {
    work_.yaml += Number("  - {id: r", i, ", reason: a rule of the benchmark, tool: ") + tool +
                  ", args: {" + args + "}, decision: " + (allow ? "allow" : "deny") + "}\n";
  }
  void Cedar(const std::string& tool, const std::string& when, bool allow) {
    work_.cedar += std::string(allow ? "permit" : "forbid") + "(principal, action == Action::\"" +
                   tool + "\", resource) when { " + when + " };\n";
  }
  static std::string Below(const std::string& path) {
    return "(context.path == \"" + path + "\" || context.path like \"" + path + "/*\")";
  }

  void Rule(size_t i) {
    const std::string path = Number("/v1/a", i);
    switch (KindOf(i)) {
      case Kind::kHost:
        Put(i, "http.request",
            "host: {host_in: [" + Host(i) +
                "]}, method: {one_of: [GET, POST]}, path: {under: " + path + "}",
            true);
        Cedar("http.request",
              "context.host == \"" + Host(i) +
                  "\" && [\"GET\", \"POST\"].contains(context.method) && " + Below(path),
              true);
        break;
      case Kind::kDenied: {
        const std::string denied = Number("/v1/a", i - 1, "/admin");
        Put(i, "http.request",
            "host: {host_in: [" + Host(i - 1) + "]}, path: {under: " + denied + "}", false);
        Cedar("http.request", "context.host == \"" + Host(i - 1) + "\" && " + Below(denied), false);
        break;
      }
      case Kind::kWildcard:
        Put(i, "http.request", Number("host: {host_in: [\"*.w", i, ".example\"]}, method: GET"),
            true);
        Cedar("http.request",
              Number("context.host like \"*.w", i, ".example\" && context.method == \"GET\""),
              true);
        break;
      case Kind::kFolder: {
        const std::string folder = Number("/workspace/data/d", i % 97) + Number("/part", i);
        Put(i, "fs.read", "path: {under: " + folder + "}", true);
        Cedar("fs.read", Below(folder), true);
        break;
      }
      case Kind::kProgram:
        Put(i, "proc.run",
            Number("argv[0]: tool", i) + Number(", argv[1]: {glob: \"--in=d", i, "*\"}"), true);
        Cedar("proc.run",
              Number("context.argv0 == \"tool", i) +
                  Number("\" && context.argv1 like \"--in=d", i, "*\""),
              true);
        break;
    }
  }

  // A call that rule i speaks of, or one that misses it in one of four ways.
  void Ask(size_t i, bool allowed, size_t miss) {
    Call call;
    call.allowed = allowed;
    const std::string path = Number("/v1/a", i);
    switch (KindOf(i)) {
      case Kind::kHost:
        Http(call, allowed || miss != 0 ? Host(i) : Host(i) + ".evil.example",
             allowed || miss != 1 ? "POST" : "DELETE",
             allowed || miss < 2 ? path + "/items/7"
             : miss == 2         ? path + "x/items"
                                 : "/v2");
        break;
      case Kind::kDenied:
        call.allowed = false;
        Http(call, Host(i - 1), "GET", Number("/v1/a", i - 1, "/admin/users"));
        break;
      case Kind::kWildcard:
        Http(call,
             allowed || miss > 1 ? Number("x.y.w", i, ".example") : Number("w", i, ".example"),
             allowed || miss < 2 ? "GET" : "PUT", "/any");
        break;
      case Kind::kFolder: {
        const std::string file = Number("/workspace/data/d", i % 97) +
                                 Number("/part", i, allowed ? "" : "x") + "/2026/report.csv";
        call.request = {.tool = "fs.read",
                        .arguments = {{"path", file}},
                        .paths = {{"path", file, policy::PathAccess::kRead}}};
        call.context = {{"path", file}};
        break;
      }
      case Kind::kProgram: {
        const std::string program = Number("tool", i, allowed || miss > 1 ? "" : "x");
        const std::string argument = Number(allowed || miss < 2 ? "--in=d" : "--out=d", i, ".csv");
        call.request = {
            .tool = "proc.run", .arguments = {{"argv", {program, argument}}}, .paths = {}};
        call.context = {{"argv0", program}, {"argv1", argument}};
        break;
      }
    }
    AddFlow(call.request);
    work_.calls.push_back(std::move(call));
  }

  // What the runtime knows of a call in a session that has read a stranger's text and an internal file.
  static void AddFlow(policy::Request& request) {
    policy::FlowFacts& flow = request.flow;
    flow.effects = {request.tool == "http.request" ? policy::CallEffect::kFetch
                    : request.tool == "proc.run"   ? policy::CallEffect::kExecute
                                                   : policy::CallEffect::kRead};
    flow.context.integrity = policy::Integrity::kUntrusted;
    flow.context.confidentiality = policy::Confidentiality::kInternal;
    flow.context.categories = {"customer:acme", "pii"};
    for (const auto& [name, value] : request.arguments.items()) {
      const auto role = name == "host"   ? policy::ArgumentRole::kUrl
                        : name == "path" ? policy::ArgumentRole::kObject
                                         : policy::ArgumentRole::kOption;
      flow.arguments.push_back(
          {name, role, value.is_string() ? value.get<std::string>() : "", policy::Origin::kUser});
    }
  }

  static void Http(Call& call, const std::string& host, const std::string& method,
                   const std::string& path) {
    call.context = {{"host", host}, {"method", method}, {"path", path}};
    call.request = {.tool = "http.request", .arguments = call.context, .paths = {}};
  }

  const size_t rules_;
  Workload work_;
};

struct Row {
  size_t rules = 0;
  double p50_us = 0;
  double p99_us = 0;
  double per_second = 0;
  double load_ms = 0;
  double load_cpu_ms = 0;
  double heap_mib = 0;
};

std::shared_ptr<const policy::Policy> Load(const std::string& yaml) {
  auto loaded = policy::LoadPolicyText("bench.yaml", yaml);
  if (!loaded.ok()) {
    std::fprintf(stderr, "policy_bench: %s\n", loaded.error().message.c_str());
    std::exit(1);
  }
  return std::move(loaded).value();
}

Row Measure(size_t rules, const Workload& work, size_t rounds) {
  Row row{.rules = rules, .load_ms = 1e12, .load_cpu_ms = 1e12};
  std::shared_ptr<const policy::Policy> policy;
  // The best of some: on a busy machine the others measure who else was running.
  for (int i = 0; i < 5; ++i) {
    policy.reset();
    const size_t before = ::mallinfo2().uordblks;
    const double cpu = ThreadSeconds();
    const auto began = Clock::now();
    policy = Load(work.yaml);
    row.load_ms = std::min(row.load_ms, Microseconds(Clock::now() - began) / 1000);
    row.load_cpu_ms = std::min(row.load_cpu_ms, (ThreadSeconds() - cpu) * 1000);
    row.heap_mib = static_cast<double>(::mallinfo2().uordblks - before) / (1 << 20);
  }
  std::vector<double> times;
  times.reserve(rounds * work.calls.size());
  double seconds = 0;
  const policy::CallCounts ran = {
      {"http.request", {.calls = 12}}, {"fs.read", {.calls = 40}}, {"proc.run", {.calls = 3}}};
  const policy::CallHistory history = {{policy::CallRate::Per::kTurn, ran},
                                       {policy::CallRate::Per::kSession, ran},
                                       {policy::CallRate::Per::kHour, ran}};
  for (size_t round = 0; round < rounds; ++round) {
    const double cpu = ThreadSeconds();
    for (const Call& call : work.calls) {
      const auto began = Clock::now();
      policy::Decision decision = policy::Evaluate(*policy, call.request);
      policy::NarrowByRate(policy->budgets, call.request, history, decision);
      times.push_back(Microseconds(Clock::now() - began));
      if ((decision.verdict == policy::Verdict::kAllow) != call.allowed) {
        std::fprintf(stderr, "policy_bench: %s %s was decided %s by %s\n",
                     call.request.tool.c_str(), DumpJson(call.request.arguments).c_str(),
                     policy::VerdictName(decision.verdict), decision.rule.c_str());
        std::exit(1);
      }
    }
    seconds += ThreadSeconds() - cpu;
  }
  std::sort(times.begin(), times.end());
  row.p50_us = times[times.size() / 2];
  row.p99_us = times[times.size() * 99 / 100];
  row.per_second = static_cast<double>(times.size()) / seconds;
  return row;
}

// In a session that has read kResults results of kResultBytes each: one result labelled and joined to the context, and
// one call to a place in the network, of which is found who named its host and path, decided.
constexpr size_t kResults = 30;
constexpr size_t kResultBytes = 4096;
struct ContextTime {
  double result_us = 0;
  double call_us = 0;
  double call_p99_us = 0;
};
ContextTime MeasureContext(const Workload& work, size_t rounds) {
  const auto policy = Load(work.yaml);
  const policy::ToolTraits read{.tool = "fs.read", .effects = {policy::CallEffect::kRead}};
  const policy::ToolTraits fetch{
      .tool = "http.request",
      .effects = {policy::CallEffect::kFetch},
      .roles = {{"host", policy::ArgumentRole::kUrl}, {"path", policy::ArgumentRole::kObject}}};
  std::mt19937 random(11);
  std::vector<double> results;
  std::vector<double> calls;
  for (size_t round = 0; round < rounds; ++round) {
    policy::ContextTracker context(policy->data);
    context.AddUser("What is new at api4.corp.example?");
    for (size_t i = 0; i < kResults; ++i) {
      std::string text;
      while (text.size() < kResultBytes) {
        text += Number("word", random() % 5000, random() % 12 == 0 ? "\n" : " ");
      }
      const std::string path = Number("/workspace/customers/c", i, ".txt");
      const policy::Request request{.tool = "fs.read",
                                    .arguments = {{"path", path}},
                                    .paths = {{"path", path, policy::PathAccess::kRead}}};
      const auto began = Clock::now();
      const policy::Label label = context.ResultLabel(read, request, text);
      context.AddResult(read, request, text);
      context.AddRun(read, request);
      results.push_back(Microseconds(Clock::now() - began));
      if (label.confidentiality != policy::Confidentiality::kConfidential) {
        std::fprintf(stderr, "policy_bench: a result has not the label of its source\n");
        std::exit(1);
      }
    }
    for (const Call& call : work.calls) {
      if (call.request.tool != "http.request" || !call.allowed) {
        continue;
      }
      policy::Request request = call.request;
      const auto began = Clock::now();
      request.flow = context.Facts(fetch, request);
      const policy::Decision decision = policy::Evaluate(*policy, request);
      calls.push_back(Microseconds(Clock::now() - began));
      if (decision.rule != "data.no-leak") {
        std::fprintf(stderr, "policy_bench: what is confidential was sent by %s\n",
                     decision.rule.c_str());
        std::exit(1);
      }
    }
  }
  std::sort(results.begin(), results.end());
  std::sort(calls.begin(), calls.end());
  return {results[results.size() / 2], calls[calls.size() / 2], calls[calls.size() * 99 / 100]};
}

// How long the slowest of these takes: is the policy with one rule left out no more permissive than the
// whole, does each rule decide a call, and may nothing reach one of the denied paths? All are proved.
struct ProveTime {
  double ms = 0;
  double cpu_ms = 0;
};
ProveTime SlowestProof(const Workload& work) {
  const auto whole = Load(work.rules);
  policy::PolicyDocument fewer = *whole;
  fewer.tools.erase(std::find_if(fewer.tools.begin(), fewer.tools.end(), [](const auto& rule) {
    return rule.verdict == policy::Verdict::kAllow;
  }));
  const auto narrow = policy::Policy::Compile(std::move(fewer));
  std::vector<policy::ToolModel> tools;
  for (const char* name : {"http.request", "fs.read", "proc.run"}) {
    tools.push_back({.name = name, .schema = {}, .paths = {}, .traits = {}});
  }
  tools[1].paths = {{"path", policy::PathAccess::kRead}};
  policy::ProverInput input{
      .policy = narrow.get(), .against = whole.get(), .tools = &tools, .read = nullptr};
  input.read = [](const policy::CandidateCall& call) {
    policy::Request request{.tool = call.tool, .arguments = call.arguments, .paths = {}};
    if (call.tool == "fs.read") {
      const std::string path = StringMember(call.arguments, "path", "/workspace");
      request.paths.push_back({"path", path, policy::PathAccess::kRead});
    }
    return std::optional<policy::Request>(std::move(request));
  };
  auto queries = policy::ParseProofQueries(
                     "bench.yaml",
                     "nacre: policy-queries/1\nqueries:\n  - {id: wider, built-in: no-wider}\n"
                     "  - {id: reachable, built-in: rules-reachable}\n"
                     "  - {id: admin, nothing lets: {tool: http.request, args: {host: "
                     "{host_in: [api4.corp.example]}, path: {under: /v1/a18/admin}}}}\n")
                     .value();
  ProveTime slowest;
  for (const policy::ProofQuery& query : queries) {
    const double cpu = ThreadSeconds();
    const policy::ProofAnswer answer = policy::Prove(input, query);
    const double cpu_ms = (ThreadSeconds() - cpu) * 1000;
    const double took = static_cast<double>(answer.took.count()) / 1000;
    std::printf("prove %s: %s in %.0f ms, %.0f ms of CPU\n", query.id.c_str(),
                policy::ProofStatusName(answer.status), took, cpu_ms);
    if (answer.status != policy::ProofStatus::kProved) {
      std::fprintf(stderr, "policy_bench: %s\n", answer.what.c_str());
      std::exit(1);
    }
    slowest = {std::max(slowest.ms, took), std::max(slowest.cpu_ms, cpu_ms)};
  }
  return slowest;
}

// What peers.mjs says, or why it says nothing.
Json AskPeers(const std::vector<std::pair<size_t, const Workload*>>& sizes, double seconds) {
  const std::string folder = NACRE_PEERS;
  if (std::system("command -v node >/dev/null 2>&1") != 0) {
    return {{"missing", "node is not installed (Debian: apt-get install nodejs npm)"}};
  }
  if (!std::ifstream(folder + "/node_modules/@cedar-policy/cedar-wasm/package.json").good()) {
    return {{"missing", "cedar-wasm is not installed: tests/bench/run policy does that with npm"}};
  }
  Json input = {{"seconds", seconds}, {"sizes", Json::array()}};
  for (const auto& [rules, work] : sizes) {
    Json calls = Json::array();
    for (const Call& call : work->calls) {
      calls.push_back(
          {{"tool", call.request.tool}, {"context", call.context}, {"allowed", call.allowed}});
    }
    input["sizes"].push_back({{"rules", rules}, {"cedar", work->cedar}, {"calls", calls}});
  }
  std::ofstream(folder + "/input.json") << input.dump();
  FILE* node =
      ::popen(("node '" + folder + "/peers.mjs' '" + folder + "/input.json'").c_str(), "r");
  std::string said;
  char buffer[4096];
  for (size_t got = 0; node != nullptr && (got = std::fread(buffer, 1, sizeof buffer, node)) > 0;) {
    said.append(buffer, got);
  }
  if (node == nullptr || ::pclose(node) != 0) {
    return {{"missing", "peers.mjs failed, see above"}};
  }
  Result<Json> answer = ParseJson(said);
  return answer.ok() ? answer.value() : Json{{"missing", answer.error().message}};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<size_t> sizes = {100, 1000, 10'000, 100'000};
  size_t rounds = 50;
  double peer_seconds = 10;
  bool peers = true;
  [[maybe_unused]] uint64_t replay_records = 200'000;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--sizes") {
      sizes.clear();
      for (char* at = argv[++i]; at != nullptr && *at != '\0'; at += *at == ',' ? 1 : 0) {
        sizes.push_back(std::strtoul(at, &at, 10));
      }
    } else if (option == "--rounds") {
      rounds = std::max(1UL, std::strtoul(value, nullptr, 10));
      ++i;
    } else if (option == "--peer-seconds") {
      peer_seconds = std::strtod(value, nullptr);
      ++i;
    } else if (option == "--replay-records") {
      replay_records = std::strtoul(value, nullptr, 10);
      ++i;
    } else if (option == "--no-peers") {
      peers = false;
    } else {
      std::fprintf(stderr, "policy_bench: unknown option %s\n", option.c_str());
      return 2;
    }
  }
  std::vector<Row> rows;
  std::vector<Workload> works;
  for (const size_t rules : sizes) {
    works.push_back(Generator(std::max<size_t>(rules, 1)).Make());
  }
  std::printf("%8s %10s %10s %14s %10s %12s %10s\n", "rules", "p50 us", "p99 us", "per s and core",
              "load ms", "load CPU ms", "heap MiB");
  std::vector<std::pair<size_t, const Workload*>> for_peers;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Row row = Measure(sizes[i], works[i], rounds);
    std::printf("%8zu %10.2f %10.2f %14.0f %10.1f %12.1f %10.1f\n", row.rules, row.p50_us,
                row.p99_us, row.per_second, row.load_ms, row.load_cpu_ms, row.heap_mib);
    std::fflush(stdout);
    rows.push_back(row);
    if (sizes[i] <= kPeerRulesMax) {
      for_peers.emplace_back(sizes[i], &works[i]);
    }
  }
  const Json asked =
      peers ? AskPeers(for_peers, peer_seconds) : Json{{"missing", "left out by --no-peers"}};
  const auto row_of = [&](size_t rules) -> const Row* {
    for (const Row& row : rows) {
      if (row.rules == rules) {
        return &row;
      }
    }
    return nullptr;
  };
  OrderedJson last = {{"p50_us_10k_rules", nullptr},
                      {"p99_us_10k_rules", nullptr},
                      {"flatness_100_to_100k", nullptr},
                      {"opa_wasm_over_nacre_10k", nullptr},
                      {"cedar_wasm_over_nacre_10k", nullptr},
                      {"load_ms_10k", nullptr},
                      {"load_cpu_ms_10k", nullptr},
                      {"decisions_per_s_per_core", nullptr},
                      {"heap_mib_10k", nullptr},
                      {"context_result_us", nullptr},
                      {"context_call_us", nullptr},
                      {"prove_ms_10k", nullptr},
                      {"prove_cpu_ms_10k", nullptr},
                      {"replay_records_per_minute", nullptr},
                      {"missing", OrderedJson::object()}};
  last["missing"]["opa_wasm"] =
      "needs the policy compiled to wasm by opa, which neither Debian 12 nor npm has";
  if (const Row* row = row_of(10'000)) {
    last["p50_us_10k_rules"] = row->p50_us;
    last["p99_us_10k_rules"] = row->p99_us;
    last["load_ms_10k"] = row->load_ms;
    last["load_cpu_ms_10k"] = row->load_cpu_ms;
    last["decisions_per_s_per_core"] = row->per_second;
    last["heap_mib_10k"] = row->heap_mib;
  }
  if (!works.empty()) {
    const ContextTime context = MeasureContext(works.front(), std::min<size_t>(rounds, 10));
    std::printf(
        "context of %zu results of %zu bytes: p50 %.1f us to label and join one, p50 / p99 %.1f / "
        "%.1f us to find who named what in a call and decide it\n",
        kResults, kResultBytes, context.result_us, context.call_us, context.call_p99_us);
    last["context_result_us"] = context.result_us;
    last["context_call_us"] = context.call_us;
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    // A short run proves what it has, so that it is known to work.
    if (sizes[i] == 10'000 || (row_of(10'000) == nullptr && i + 1 == sizes.size())) {
      const ProveTime took = SlowestProof(works[i]);
      if (sizes[i] == 10'000) {
        last["prove_ms_10k"] = took.ms;
        last["prove_cpu_ms_10k"] = took.cpu_ms;
      }
    }
  }
#ifdef NACRE_PROGRAM
  if (replay_records > 0) {
    const OrderedJson replay = bench::MeasureReplay(NACRE_PROGRAM, replay_records);
    last["replay_records_per_minute"] = replay["replay_records_per_minute"];
    std::printf("replay of %llu recorded calls: %.0f a minute and core, %.1f s\n",
                static_cast<unsigned long long>(replay_records),
                replay["replay_records_per_minute"].get<double>(),
                replay["replay_wall_s"].get<double>());
  }
#endif
  if (row_of(100) != nullptr && row_of(100'000) != nullptr) {
    last["flatness_100_to_100k"] = row_of(100'000)->p50_us / row_of(100)->p50_us;
  }
  if (const Json* cedar = FindMember(asked, "cedar_wasm")) {
    for (const Json& peer : *cedar) {
      const auto rules = static_cast<size_t>(IntMember(peer, "rules"));
      std::printf(
          "cedar-wasm, %zu rules: p50 %.0f us, p99 %.0f us, load %.0f ms, %.0f times nacre's p50\n",
          rules, peer["p50_us"].get<double>(), peer["p99_us"].get<double>(),
          peer["load_ms"].get<double>(), peer["p50_us"].get<double>() / row_of(rules)->p50_us);
      if (rules == 10'000) {
        last["cedar_wasm_over_nacre_10k"] = peer["p50_us"].get<double>() / row_of(rules)->p50_us;
      }
    }
  } else {
    last["missing"]["cedar_wasm"] = StringMember(asked, "missing");
    std::printf("cedar-wasm: %s\n", StringMember(asked, "missing").c_str());
  }
  std::printf("%s\n", DumpJson(last).c_str());
  return 0;
}
