#include "policy/openshell_import.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "base/json.h"
#include "policy/internal/coverage.h"
#include "policy/internal/display.h"
#include "policy/internal/document.h"
#include "policy/internal/host.h"
#include "policy/internal/node_reader.h"
#include "policy/internal/problems.h"
#include "policy/internal/rule_reader.h"
#include "policy/internal/sandbox_path.h"
#include "policy/internal/yaml_tree.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

constexpr size_t kTextBytesMax = 4096;
constexpr size_t kListMax = 10'000;
constexpr size_t kPathsMax = 256;
constexpr size_t kRulesOutMax = 20'000;
constexpr const char* kWorkFolder = "/sandbox";

const NodeReader::Keys kTopKeys = {{"version", "preset", "filesystem_policy", "landlock", "process",
                                    "network_policies", "network_middlewares"},
                                   {}};
const NodeReader::Keys kEndpointKeys = {{"host",
                                         "port",
                                         "ports",
                                         "path",
                                         "protocol",
                                         "tls",
                                         "enforcement",
                                         "access",
                                         "rules",
                                         "deny_rules",
                                         "allowed_ips",
                                         "allow_encoded_slash",
                                         "websocket_credential_rewrite",
                                         "request_body_credential_rewrite",
                                         "allow_uninspected_credentials",
                                         "persisted_queries",
                                         "graphql_persisted_queries",
                                         "graphql_max_body_bytes",
                                         "credential_signing",
                                         "signing_service",
                                         "signing_region",
                                         "credential_binding",
                                         "json_rpc",
                                         "mcp"},
                                        {}};
const NodeReader::Keys kMatchKeys = {{"method", "path", "query", "command", "operation_type",
                                      "operation_name", "fields", "tool", "params"},
                                     {}};

// What OpenShell refuses, or resolves before it looks at a path, a rule here refuses: what does not begin
// with "/" (behind a host, "@b.example" would name another), blanks, control characters and what is not
// ASCII, escapes, parameters, a query, empty and dotted segments; and more than kRequestPathBytesMax.
constexpr const char* kUnclearPath = R"(([^/].*)?|.*([^!-~]|[%;?#\\]|//|/\.\.?(/|$)).*)";
// host_in reads the host of a URL or address as well; a port or a path in it would be another than the rule's.
constexpr const char* kMoreThanHost = ".*[:/@].*";
constexpr const char* kMoreThanAddress = R"(.*[/@\[\]].*)";  // of IPv6
constexpr size_t kOtherPathsBytesMax =
    900;  // with kUnclearPath, less than a regular expression may have
constexpr size_t kRequestPathBytesMax = 4096;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// "my-policy" of "policies/My Policy.yaml".
std::string NameOf(const std::string& file) {
  std::string name = Lower(file.substr(file.rfind('/') + 1));
  name = name.substr(0, name.rfind('.'));
  for (char& c : name) {
    if (!IsIdentifier(std::string(1, c)) && c != '-' && c != '_') {
      c = '-';
    }
  }
  name = name.substr(0, 40);
  return IsIdentifier(name) ? name : "imported";
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 &&
         path[folder.size()] == '/';
}

// A regular expression for a glob of OpenShell. What allows holds for no more than it matches, by the stricter reading of
// "*"; what denies for no less: there all from the first choice, class of letters or escape to the end of the last is anything.
std::string PatternOfGlob(const std::string& glob, Verdict verdict) {
  const bool denies = verdict == Verdict::kDeny;
  std::string pattern;
  for (size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    if (constexpr const char* kChoices = "[]{}\\"; denies && glob.find_first_of(kChoices, i) == i) {
      const size_t last = glob.find_last_of(kChoices);
      pattern += ".*";
      i = last + (glob[last] == '\\' ? 1 : 0);  // with what it escapes
      continue;
    }
    if (c == '*') {
      const bool two = i + 1 < glob.size() && glob[i + 1] == '*';
      i += two ? 1 : 0;
      if (denies && two && i + 1 < glob.size() && glob[i + 1] == '/') {
        pattern += "(.*/)?";  // also no folder at all
        ++i;
      } else if (denies && two && i + 1 == glob.size() && pattern.ends_with('/') &&
                 !pattern.ends_with("*/")) {
        pattern.pop_back();
        pattern += "(/.*)?";  // also the folder itself
      } else {
        // Two stars that are no whole segment are as one.
        const bool whole =
            two && pattern.ends_with('/') && (i + 1 == glob.size() || glob[i + 1] == '/');
        pattern += denies || whole ? ".*" : "[^/]*";
      }
    } else if (c == '?') {
      pattern += denies ? "." : "[^/]";
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '_' ||
               c == '-' || static_cast<unsigned char>(c) >= 0x80) {
      pattern += c;
    } else {
      pattern += std::string("\\") + c;
    }
  }
  return pattern;
}

class Importer final {
 public:
  Importer(const std::string& file, const OpenShellOptions& options)
      : file_(file), options_(options), reader_(file, problems_) {}

  Result<OpenShellImport> Run(std::string_view text) {
    const auto parsed = ParseYaml(text);
    if (const auto* problem = std::get_if<YamlProblem>(&parsed)) {
      problems_.Add({file_, problem->line, problem->column}, "", problem->what);
      return problems_.ToError();
    }
    Read(std::get<YamlTree>(parsed).root());
    if (!problems_.empty()) {
      return problems_.ToError();
    }
    LeaveOutCovered();
    result_.yaml = Header() + DocumentYaml(Document());
    return std::move(result_);
  }

 private:
  using Strings = std::vector<std::string>;

  void Read(const YamlNode& document) {
    if (reader_.Map(document, "", kTopKeys) == nullptr) {
      return;
    }
    const YamlNode* version = NodeReader::Find(document, "version");
    if (version != nullptr) {
      reader_.Integer(*version, "version", {1, 1});
    } else if (NodeReader::Find(document, "preset") == nullptr) {
      reader_.Report(document, "version", "missing: no policy of OpenShell");
    }
    if (const YamlNode* files = NodeReader::Find(document, "filesystem_policy")) {
      ReadFiles(*files);
    }
    if (const YamlNode* landlock = NodeReader::Find(document, "landlock")) {
      ReadLandlock(*landlock);
    }
    if (const YamlNode* process = NodeReader::Find(document, "process")) {
      reader_.Map(*process, "process", {{"run_as_user", "run_as_group"}, {}});
    }
    if (const YamlNode* network = NodeReader::Find(document, "network_policies")) {
      ReadNetwork(*network);
    }
    if (const YamlNode* middlewares = NodeReader::Find(document, "network_middlewares")) {
      Find("left-out", *middlewares, "network_middlewares",
           "what a middleware would change or refuse is not looked at");
    }
  }

  void Find(const char* code, const YamlNode& at, std::string key, std::string what) {
    result_.findings.push_back({code, std::move(key), reader_.Where(at), std::move(what)});
  }

  struct Path {
    std::string text;
    const YamlNode* node;
    std::string key;
  };

  std::vector<Path> ReadPaths(const YamlNode& map, const char* name) {
    std::vector<Path> paths;
    const std::string key = std::string("filesystem_policy.") + name;
    const YamlNode* node = NodeReader::Find(map, name);
    const YamlNode* list = node == nullptr ? nullptr : reader_.List(*node, key, kPathsMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const std::string item = key + "[" + std::to_string(i) + "]";
      if (const auto text = reader_.Text(list->items[i], item, kTextBytesMax)) {
        if (!IsNormalPath(*text)) {
          reader_.Report(list->items[i], item, "expected a full path without \".\" or \"..\"");
        }
        paths.push_back({*text, &list->items[i], item});
      }
    }
    return paths;
  }

  void ReadFiles(const YamlNode& node) {
    if (reader_.Map(node, "filesystem_policy",
                    {{"include_workdir", "read_only", "read_write"}, {}}) == nullptr) {
      return;
    }
    bool writable = false;
    bool readable = false;  // all of it
    if (const YamlNode* include = NodeReader::Find(node, "include_workdir")) {
      writable = reader_.Boolean(*include, "filesystem_policy.include_workdir").value_or(false);
    }
    const std::vector<Path> read_write = ReadPaths(node, "read_write");
    const std::vector<Path> read_only = ReadPaths(node, "read_only");
    for (const Path& path : read_write) {
      if (path.text == kWorkFolder) {
        writable = true;
      } else if (path.text != "/tmp" && path.text != "/dev/null" &&
                 !IsBelow(path.text, kWorkFolder)) {
        Find(
            "left-out", *path.node, path.key,
            ShownText(path.text, 200) + " is writable there; a call of nacre writes its workspace");
      }
    }
    for (const Path& path : read_only) {
      readable = readable || path.text == kWorkFolder;
      if (!IsBelow(path.text, kWorkFolder)) {
        continue;
      }
      const std::string relative = path.text.substr(std::string(kWorkFolder).size() + 1);
      if (GlobProblem(relative).has_value()) {
        reader_.Report(*path.node, path.key, "a name that no glob of nacre can name");
        continue;
      }
      protect_.push_back(relative);
      readable_.push_back(relative);
      if (writable) {
        Find("T7", *path.node, path.key,
             ShownText(path.text, 200) +
                 " is below a writable folder, so OpenShell lets it be written all the same "
                 "(Landlock unites rules); protected here");
      }
    }
    for (const Path& path : read_write) {
      const bool kept = std::any_of(protect_.begin(), protect_.end(), [&](const std::string& ro) {
        return IsBelow(path.text, std::string(kWorkFolder) + "/" + ro);
      });
      if (kept) {
        Find("left-out", *path.node, path.key,
             ShownText(path.text, 200) + " is below a read-only folder, and stays protected");
      } else if (!writable && IsBelow(path.text, kWorkFolder)) {
        Find("left-out", *path.node, path.key,
             ShownText(path.text, 200) +
                 " is writable there; here the whole workspace is, or none of it, so it is not");
      }
    }
    std::erase_if(readable_, [this](const std::string& folder) {
      return std::any_of(readable_.begin(), readable_.end(),
                         [&](const std::string& other) { return IsBelow(folder, other); });
    });
    std::sort(readable_.begin(), readable_.end());
    readable_.erase(std::unique(readable_.begin(), readable_.end()), readable_.end());
    if (writable || readable) {
      readable_.clear();
    } else if (!readable_.empty()) {
      Find("left-out", node, "filesystem_policy.read_only",
           std::string("programs could read these folders; one of nacre reads the whole "
                       "workspace, so none runs") +
               (options_.http_tool.empty() ? "" : " but the tool that makes requests"));
    }
    mode_ = writable ? "transactional" : readable || !readable_.empty() ? "read-only" : "none";
  }

  void ReadLandlock(const YamlNode& node) {
    if (reader_.Map(node, "landlock", {{"compatibility"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* value = NodeReader::Find(node, "compatibility")) {
      if (value->kind != YamlNode::Kind::kNull) {
        reader_.Choice(*value, "landlock.compatibility", {"best_effort", "hard_requirement"});
      }
    }
  }

  void ReadNetwork(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::kNull ||
        reader_.MapOfAnyKeys(node, "network_policies") == nullptr) {
      return;
    }
    for (const YamlNode& policy : node.items) {
      const YamlNode* endpoints = NodeReader::Find(policy, "endpoints");
      for (size_t i = 0; endpoints != nullptr && i < endpoints->items.size(); ++i) {
        const YamlNode& endpoint = endpoints->items[i];
        if (const std::string path = OwnPath(TextIn(endpoint, "path")); !path.empty()) {
          paths_of_hosts_.emplace(Lower(TextIn(endpoint, "host")), path);
        }
      }
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      ReadNetworkPolicy(node.items[i], node.keys[i],
                        "network_policies." + ShownText(node.keys[i].text, 100), i);
    }
  }

  void ReadNetworkPolicy(const YamlNode& node, const YamlNode& key_node, const std::string& key,
                         size_t number) {
    if (reader_.Map(node, key, {{"name", "endpoints", "binaries"}, {}}) == nullptr) {
      return;
    }
    const YamlNode* binaries = NodeReader::Find(node, "binaries");
    size_t programs = 0;
    if (binaries != nullptr && binaries->kind != YamlNode::Kind::kNull) {
      const YamlNode* list = reader_.List(*binaries, key + ".binaries", kListMax);
      for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
        const std::string item = key + ".binaries[" + std::to_string(i) + "]";
        if (reader_.Map(list->items[i], item, {{"path", "harness"}, {}}) != nullptr) {
          const YamlNode* path = NodeReader::Find(list->items[i], "path");
          if (path == nullptr) {
            reader_.Report(list->items[i], item, "a binary needs \"path\"");
          } else {
            reader_.Text(*path, item + ".path", kTextBytesMax);
          }
          ++programs;
        }
      }
    }
    if (programs > 0) {
      Find("T9", *binaries, key + ".binaries",
           "these programs also get the connection for all that they start, and for whatever is "
           "loaded into them; here the rule speaks of a tool, and programs have no network");
    } else {
      Find("T6", key_node, key,
           "no binaries: any program by OpenShell's documentation, none by its engine; left out");
    }
    const YamlNode* endpoints = NodeReader::Find(node, "endpoints");
    const YamlNode* list =
        endpoints == nullptr ? nullptr : reader_.List(*endpoints, key + ".endpoints", kListMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      ++result_.endpoints;
      ReadEndpoint(list->items[i], key + ".endpoints[" + std::to_string(i) + "]",
                   "net-" + std::to_string(number + 1) + "-" + std::to_string(i + 1), programs > 0);
    }
  }

  // The conditions that all rules of an endpoint share, as `args` of a rule: what its allowing rules need, and, never
  // narrower, what its denying rules look at. Those hold also where the endpoint is left out: another may allow.
  struct Endpoint {
    OrderedJson allowed = OrderedJson::object();
    OrderedJson denied = OrderedJson::object();
    std::string id;
    std::string shown;  // "api.github.com:443"
    std::string host = {};
    std::string path = {};  // empty: all
    bool imported = true;
  };

  void ReadEndpoint(const YamlNode& node, const std::string& key, const std::string& id,
                    bool imported) {
    if (reader_.Map(node, key, kEndpointKeys) == nullptr) {
      return;
    }
    Endpoint endpoint{.id = id, .imported = imported};
    ReadHost(node, key, endpoint);
    ReadPorts(node, key, endpoint);
    const std::string protocol = Lower(TextOf(node, key, "protocol"));
    if (protocol != "" && protocol != "rest") {
      LeaveOut(node, key, endpoint,
               "the protocol \"" + ShownText(protocol, 40) +
                   "\" is not one whose requests a tool's arguments name");
      if (protocol == "mcp" || protocol == "json-rpc") {
        Find("T10", node, key,
             "OpenShell matches names of tools only: their arguments, and all that comes back, are "
             "free");
      }
    }
    ReadEnforcement(node, key);
    if (const YamlNode* ips = NodeReader::Find(node, "allowed_ips")) {
      LeaveOut(*ips, key + ".allowed_ips", endpoint,
               "reaches addresses of a private network; nacre's rules speak of names");
    } else if (!endpoint.shown.empty() && endpoint.shown.find('*') == std::string::npos) {
      Find("T8", node, key,
           "OpenShell connects to " + endpoint.shown +
               " also when its name resolves to a private address; the tool must refuse those");
    }
    const YamlNode* rules = NodeReader::Find(node, "rules");
    const YamlNode* access = NodeReader::Find(node, "access");
    endpoint.path = OwnPath(TextOf(node, key, "path"));
    const std::string& path = endpoint.path;
    if (!path.empty()) {
      endpoint.allowed["path"]["matches"] = PatternOfGlob(path, Verdict::kAllow);
      endpoint.denied["path"]["matches"] = PatternOfGlob(path, Verdict::kDeny);
    }
    if (protocol.empty() && rules != nullptr) {
      Find(
          "T5", *rules, key + ".rules",
          "without a protocol OpenShell ignores these rules and allows everything; they hold here");
    }
    if (protocol.empty() && rules == nullptr) {
      if (access != nullptr && TextOf(node, key, "access") != "full") {
        Find("T5", *access, key + ".access",
             "without a protocol OpenShell ignores this and allows everything; it holds here");
      } else {
        Find("T5", node, key,
             "an uninspected connection: every method and path, also push and delete");
      }
    }
    if (!endpoint.imported && !path.empty()) {
      // Requests of this path are this endpoint's alone: another that speaks of the host does not let them through.
      Put(node, key, endpoint, Verdict::kDeny, endpoint.denied);
    }
    if (const YamlNode* deny = NodeReader::Find(node, "deny_rules")) {
      ReadRules(*deny, key + ".deny_rules", endpoint, Verdict::kDeny);
    }
    if (rules != nullptr) {
      ReadRules(*rules, key + ".rules", endpoint, Verdict::kAllow);
    } else {
      AllowPreset(node, key, endpoint);
    }
    result_.endpoints_imported += endpoint.imported && !options_.http_tool.empty() ? 1 : 0;
    if (options_.http_tool.empty() && endpoint.imported) {
      Find("left-out", node, key,
           endpoint.shown + " cannot be reached: name a tool for requests with --http-tool");
    }
  }

  std::string TextOf(const YamlNode& map, const std::string& key, const char* name) {
    const YamlNode* node = NodeReader::Find(map, name);
    if (node == nullptr || node->kind == YamlNode::Kind::kNull) {
      return "";
    }
    if (node->kind == YamlNode::Kind::kScalar && node->text.empty()) {
      return "";
    }
    return reader_.Text(*node, key + "." + name, kTextBytesMax).value_or("");
  }

  // As TextOf(), before the endpoint itself is read: that reports what is wrong.
  static std::string TextIn(const YamlNode& map, const char* name) {
    const YamlNode* node = NodeReader::Find(map, name);
    return node != nullptr && node->kind == YamlNode::Kind::kScalar ? std::string(node->text)
                                                                    : std::string();
  }

  // The path that an endpoint is of; empty: every one.
  static std::string OwnPath(const std::string& path) {
    return path == "**" || path == "/**" ? std::string() : path;
  }

  void LeaveOut(const YamlNode& node, const std::string& key, Endpoint& endpoint,
                const std::string& why) {
    endpoint.imported = false;
    Find("left-out", node, key, why);
  }

  void ReadHost(const YamlNode& node, const std::string& key, Endpoint& endpoint) {
    endpoint.host = Lower(TextOf(node, key, "host"));
    const std::string& host = endpoint.host;
    endpoint.shown = ShownText(host, 100);
    if (host.empty()) {
      LeaveOut(node, key, endpoint, "any host that has one of the allowed addresses");
      return;
    }
    if (host.find('*') == std::string::npos) {
      if (HostPatternProblem(host).has_value()) {
        reader_.Report(node, key + ".host", "\"" + ShownText(host, 100) + "\" is no host");
      }
      endpoint.allowed["host"]["host_in"] = OrderedJson::array({host});
      endpoint.denied["host"] = endpoint.allowed["host"];
      return;
    }
    const size_t labels = static_cast<size_t>(std::count(host.begin(), host.end(), '.')) + 1;
    if (labels <= 2) {
      reader_.Report(node, key + ".host", "too wide: every host below a top-level domain");
      return;
    }
    // All that is below the last star. A host_in reads a name as the tool will, so nobody is around it by how it is
    // written; where there is none, a deny is for every host.
    const std::string below =
        "*" + host.substr(std::min(host.size(), host.find('.', host.rfind('*'))));
    if (!HostPatternProblem(below).has_value()) {
      endpoint.denied["host"]["host_in"] = OrderedJson::array({below});
      if (host == "*" + below) {
        endpoint.allowed["host"] = endpoint.denied["host"];
        return;
      }
    }
    if (const YamlNode* deny = NodeReader::Find(node, "deny_rules")) {
      Find("T2", *deny, key + ".deny_rules",
           "a star does not cross a dot there, so a host with one more label is not denied; every "
           "host that ends so is denied here");
    }
    // One star is within a label there, and would be any number of labels in host_in.
    std::string pattern = "(?i)";
    for (const char c : host) {
      const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
      if (!plain && c != '.' && c != '*') {
        reader_.Report(node, key + ".host", "\"" + ShownText(host, 100) + "\" is no host");
        return;
      }
      pattern += c == '*' ? "[a-z0-9-]+" : plain ? std::string(1, c) : "\\.";
    }
    endpoint.allowed["host"]["matches"] = pattern + "\\.?";
  }

  void ReadPorts(const YamlNode& node, const std::string& key, Endpoint& endpoint) {
    OrderedJson ports = OrderedJson::array();
    const NodeReader::Range<int64_t> range{1, 65'535};
    if (const YamlNode* port = NodeReader::Find(node, "port")) {
      if (const auto number = reader_.Integer(*port, key + ".port", range)) {
        ports.push_back(*number);
      }
    }
    if (const YamlNode* many = NodeReader::Find(node, "ports")) {
      const YamlNode* list = reader_.List(*many, key + ".ports", kListMax);
      for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
        if (const auto number =
                reader_.Integer(list->items[i], key + ".ports[" + std::to_string(i) + "]", range)) {
          ports.push_back(*number);
        }
      }
    }
    if (ports.empty()) {
      LeaveOut(node, key, endpoint, "no port");
      return;
    }
    endpoint.shown += ":" + DumpJson(ports.at(0));
    endpoint.allowed["port"]["one_of"] = ports;
    endpoint.denied["port"]["one_of"] = std::move(ports);
  }

  void ReadEnforcement(const YamlNode& node, const std::string& key) {
    const std::string enforcement = Lower(TextOf(node, key, "enforcement"));
    if (enforcement == "enforce") {
      return;
    }
    const YamlNode* at = NodeReader::Find(node, "enforcement");
    const bool ruled = NodeReader::Find(node, "rules") != nullptr ||
                       NodeReader::Find(node, "access") != nullptr ||
                       NodeReader::Find(node, "deny_rules") != nullptr;
    if (at != nullptr || ruled) {
      Find("T4", at != nullptr ? *at : node, key + ".enforcement",
           (enforcement.empty() ? "absent" : "\"" + ShownText(enforcement, 40) + "\"") +
               ", which OpenShell takes for audit: what the rules do not allow is logged and "
               "passes; enforced here");
    }
  }

  void AllowPreset(const YamlNode& node, const std::string& key, Endpoint& endpoint) {
    const std::string access = TextOf(node, key, "access");
    Strings methods = {"GET", "HEAD", "OPTIONS"};
    if (access == "read-write" || access == "full" || access.empty()) {
      methods.insert(methods.end(), {"POST", "PUT", "PATCH"});
    }
    if (access == "full" || access.empty()) {
      methods.emplace_back("DELETE");
    }
    if (access == "read-write") {
      Find("T11", node, key + ".access", "read-write has no DELETE, as it had none");
    } else if (access == "full") {
      Find("T11", node, key + ".access",
           "full is any method, also CONNECT and TRACE; the seven usual ones here");
    } else if (!access.empty() && access != "read-only") {
      reader_.Report(node, key + ".access",
                     "\"" + ShownText(access, 40) + "\" is not one of read-only, read-write, full");
    } else if (access.empty() && !TextOf(node, key, "protocol").empty()) {
      LeaveOut(node, key, endpoint, "neither rules nor access: nothing is allowed");
    }
    OrderedJson args = endpoint.allowed;
    args["method"]["one_of"] = methods;
    Put(node, key, endpoint, Verdict::kAllow, std::move(args));
  }

  void ReadRules(const YamlNode& node, const std::string& key, Endpoint& endpoint,
                 Verdict verdict) {
    const YamlNode* list = reader_.List(node, key, kListMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const std::string item = key + "[" + std::to_string(i) + "]";
      const YamlNode* match = &list->items[i];
      if (verdict == Verdict::kAllow) {
        if (reader_.Map(*match, item, {{"allow"}, {}}) == nullptr) {
          continue;
        }
        match = NodeReader::Find(*match, "allow");
        if (match == nullptr) {
          reader_.Report(list->items[i], item, "a rule needs \"allow\"");
          continue;
        }
      }
      if (reader_.Map(*match, item, kMatchKeys) != nullptr) {
        ReadMatch(*match, item, endpoint, verdict);
      }
    }
  }

  void ReadMatch(const YamlNode& node, const std::string& key, Endpoint& endpoint,
                 Verdict verdict) {
    const bool denies = verdict == Verdict::kDeny;
    OrderedJson args = denies ? endpoint.denied : endpoint.allowed;
    const std::string method = Upper(TextOf(node, key, "method"));
    if (method == "GET" || method == "HEAD") {
      // A rule for GET speaks of HEAD as well.
      args["method"]["one_of"] = method == "GET" ? Strings{"GET", "HEAD"} : Strings{"HEAD"};
    } else if (!method.empty() && method != "*") {
      args["method"]["one_of"] = Strings{method};
    } else if (!denies) {
      if (method.empty()) {
        Find("left-out", node, key, "a rule without a method");
        return;
      }
      args["method"]["one_of"] =
          Strings{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"};
    }
    if (const YamlNode* query = NodeReader::Find(node, "query")) {
      if (!denies) {
        Find("left-out", *query, key + ".query", "what a query may be cannot be said");
        return;
      }
      Find("T2", *query, key + ".query",
           "a star does not cross a dot there, so \"*secret*\" misses \"a.secret.b\"; every query "
           "is denied here");
      Find("T12", *query, key + ".query",
           "a request without one of these keys is not denied there; it is here");
    }
    for (const char* other :
         {"command", "operation_type", "operation_name", "fields", "tool", "params"}) {
      if (const YamlNode* found = NodeReader::Find(node, other)) {
        Find("left-out", *found, key + "." + other, "no part of a request that a tool names");
        if (!denies) {
          return;
        }
      }
    }
    if (!ReadPath(node, key, args, denies)) {
      return;
    }
    Put(node, key, endpoint, verdict, std::move(args));
  }

  // False when the rule allows nothing.
  bool ReadPath(const YamlNode& node, const std::string& key, OrderedJson& args, bool denies) {
    const std::string path = TextOf(node, key, "path");
    if (path.empty()) {
      if (denies) {
        Find("T3", node, key,
             "without a path this deny never fires there; it denies every path here");
      } else {
        Find("left-out", node, key, "a rule without a path allows nothing");
      }
      return denies;
    }
    if (path == "**" || path == "/**") {
      return true;
    }
    std::string bare = path;
    for (size_t at = bare.find("**"); at != std::string::npos; at = bare.find("**")) {
      bare.erase(at, 2);
    }
    if (bare.find('*') != std::string::npos) {
      Find("T1", node, key + ".path",
           std::string("\"*\" crosses \"/\" by OpenShell's documentation and does not by its "
                       "engine, so ") +
               (denies ? "a deny can be walked around; it crosses here"
                       : "less is allowed than was meant; it does not cross here"));
    }
    // A glob of nacre that ends in "**" is of the folder itself as well.
    const bool glob = !denies && !args.contains("path") && path.find('?') == std::string::npos &&
                      path.find("**") == std::string::npos && !GlobProblem(path).has_value();
    if (!glob && args.contains("path")) {
      // Both must hold, and a regular expression has no "and": the narrower way is none at all.
      if (!denies) {
        Find("left-out", node, key, "a path below the endpoint's own path");
        return false;
      }
      args.erase("path");
    }
    args["path"][glob ? "glob" : "matches"] =
        glob ? path : PatternOfGlob(path, denies ? Verdict::kDeny : Verdict::kAllow);
    return true;
  }

  void Put(const YamlNode& node, const std::string& key, Endpoint& endpoint, Verdict verdict,
           OrderedJson args) {
    const bool denies = verdict == Verdict::kDeny;
    if (options_.http_tool.empty() || (!endpoint.imported && !denies)) {
      return;
    }
    if (rules_.size() >= kRulesOutMax) {
      problems_.Add({file_, 1, 1}, "", "more than " + std::to_string(kRulesOutMax) + " rules");
      return;
    }
    if (!denies) {
      if (args["host"].contains("host_in")) {
        const bool address = DumpJson(args["host"]["host_in"]).find(':') != std::string::npos;
        args["host"]["not"]["matches"] = address ? kMoreThanAddress : kMoreThanHost;
      }
      args["path"]["max_length"] = kRequestPathBytesMax;
      const std::string not_these = PathsOfOthers(endpoint);
      if (not_these.size() > kOtherPathsBytesMax) {
        Find("left-out", node, key,
             "too many other endpoints of this host have paths of their own");
        return;
      }
      args["path"]["not"]["matches"] = kUnclearPath + not_these;
    }
    rules_.push_back({{{"id", endpoint.id + "-" + std::to_string(++numbers_)},
                       {"reason", std::string(denies ? "not allowed at " : "reaches ") +
                                      ShownText(endpoint.shown, 120)},
                       {"tool", options_.http_tool},
                       {"args", std::move(args)},
                       {"decision", denies ? "deny" : "allow"}},
                      &node,
                      key});
  }

  // Of endpoints that may be of the same host, one with a path is the only one that speaks of it: "|/admin/.*".
  std::string PathsOfOthers(const Endpoint& endpoint) const {
    std::string patterns;
    for (const auto& [host, path] : paths_of_hosts_) {
      const bool exact =
          host.find('*') == std::string::npos && endpoint.host.find('*') == std::string::npos;
      const bool same = !exact || host == endpoint.host || host.empty() || endpoint.host.empty();
      if (same && path != endpoint.path) {
        patterns += "|" + PatternOfGlob(path, Verdict::kDeny);
      }
    }
    return patterns;
  }

  // A policy of OpenShell may say a thing twice, and a rule of nacre that decides nothing is a mistake.
  void LeaveOutCovered() {
    for (bool again = true; again;) {
      OrderedJson list = OrderedJson::array();
      for (const Written& written : rules_) {
        list.push_back(written.rule);
      }
      const auto parsed = ParseYaml(DocumentYaml({{"tools", std::move(list)}}));
      const auto* tree = std::get_if<YamlTree>(&parsed);
      Problems problems;
      const NodeReader reader("imported.yaml", problems);
      std::vector<ToolRule> rules;
      for (size_t i = 0; tree != nullptr && i < rules_.size(); ++i) {
        const YamlNode& node = NodeReader::Find(tree->root(), "tools")->items[i];
        if (auto rule = ReadRule(reader, node, "tools", nullptr)) {
          rules.push_back(std::move(*rule));
        }
      }
      if (rules.size() < rules_.size()) {
        return;  // too much for a policy: who loads it says what
      }
      std::vector<const ToolRule*> pointers;
      for (const ToolRule& rule : rules) {
        pointers.push_back(&rule);
      }
      const DeciderIndex index(pointers);
      std::vector<Written> kept;
      for (size_t i = 0; i < rules.size(); ++i) {
        if (const ToolRule* decider = index.DeciderOf(i)) {
          Find("covered", *rules_[i].node, rules_[i].key,
               std::string(decider->verdict == Verdict::kDeny ? "denied by " : "said by ") +
                   decider->id + " already");
        } else {
          kept.push_back(std::move(rules_[i]));
        }
      }
      again = kept.size() < rules.size();
      rules_ = std::move(kept);
    }
  }

  OrderedJson Document() const {
    OrderedJson tools = OrderedJson::array();
    const auto add = [&](const char* id, const char* reason, const Strings& names,
                         const char* decision) {
      tools.push_back({{"id", id}, {"reason", reason}, {"tool", names}, {"decision", decision}});
    };
    for (size_t i = 0; i < readable_.size(); ++i) {
      const std::string id = "read-folder-" + std::to_string(i + 1);
      add(id.c_str(), "this folder can be read", {"fs.list", "fs.read", "fs.search"}, "allow");
      tools.back()["args"]["path"]["under"] = "/workspace/" + readable_[i];
    }
    if (mode_ != "none" && readable_.empty()) {
      add("read-workspace", "the work folder can be read", {"fs.list", "fs.read", "fs.search"},
          "allow");
    }
    if (mode_ == "transactional") {
      add("write-workspace", "the work folder can be written", {"fs.write", "fs.edit"}, "allow");
    }
    if (mode_ != "none" && readable_.empty()) {
      add("run-programs", "a container ran every program that it had; here a person is asked",
          {"proc.run"}, "ask");
    }
    for (const Written& written : rules_) {
      tools.push_back(written.rule);
    }
    OrderedJson workspace = {{"mode", mode_}};
    if (!protect_.empty()) {
      workspace["protect"] = protect_;
    }
    return {{"nacre", "policy/1"},
            {"name", NameOf(file_)},
            {"workspace", std::move(workspace)},
            {"sandbox", {{"profile", "default"}, {"require", {{"landlock", 1}}}}},
            {"tools", std::move(tools)}};
  }

  std::string Header() const {
    std::string text = "# Imported by nacre from " + ShownText(file_, 200) + ".\n";
    for (const OpenShellFinding& finding : result_.findings) {
      text += "# " + finding.code + ", line " + std::to_string(finding.source.line) + ": " +
              finding.key + ": " + ShownText(finding.what, 400) + "\n";
    }
    return text;
  }

  const std::string& file_;
  const OpenShellOptions& options_;
  Problems problems_;
  NodeReader reader_;
  OpenShellImport result_;
  std::string mode_ =
      "transactional";  // without a filesystem_policy: the default includes the folder
  Strings protect_;
  Strings readable_;  // empty: all of the workspace, when mode_ is not "none"
  std::set<std::pair<std::string, std::string>> paths_of_hosts_;  // of endpoints that have one
  struct Written {
    OrderedJson rule;
    const YamlNode* node;  // what it was made of
    std::string key;
  };
  std::vector<Written> rules_;
  size_t numbers_ = 0;
};

}  // namespace

Result<OpenShellImport> ImportOpenShell(const std::string& file, std::string_view text,
                                        const OpenShellOptions& options) {
  return Importer(file, options).Run(text);
}

}  // namespace nacre::policy
