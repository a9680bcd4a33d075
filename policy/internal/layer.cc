#include "policy/internal/layer.h"

#include <utility>

#include "policy/internal/data_reader.h"
#include "policy/internal/node_reader.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

using std::chrono::milliseconds;

constexpr size_t kExtendsMax = 8;
constexpr size_t kGlobsMax = 256;
constexpr size_t kRulesMax = 100'000;
constexpr size_t kTextBytesMax = 512;

class LayerReader {
 public:
  LayerReader(const std::string& file, const ToolSchemas* tools, Problems& problems)
      : reader_(file, problems), tools_(tools) {
    layer_.file = file;
  }

  Layer Read(const YamlNode& document) {
    const NodeReader::Keys keys = {
        {"nacre", "name", "extends", "workspace", "sandbox", "tools", "data", "budgets", "audit"},
        {"network", "inference"}};
    if (reader_.Map(document, "", keys) == nullptr) {
      return std::move(layer_);
    }
    ReadHead(document);
    Section(document, "workspace", &LayerReader::ReadWorkspace);
    Section(document, "sandbox", &LayerReader::ReadSandbox);
    Section(document, "tools", &LayerReader::ReadTools);
    if (const YamlNode* data = NodeReader::Find(document, "data")) {
      layer_.data = ReadData(reader_, *data);
    }
    Section(document, "budgets", &LayerReader::ReadBudgets);
    Section(document, "audit", &LayerReader::ReadAudit);
    return std::move(layer_);
  }

 private:
  void Section(const YamlNode& document, const char* name,
               void (LayerReader::*read)(const YamlNode&)) {
    if (const YamlNode* section = NodeReader::Find(document, name)) {
      (this->*read)(*section);
    }
  }

  void Set(std::function<void(PolicyDocument&)> setting) {
    layer_.settings.push_back(std::move(setting));
  }

  void ReadHead(const YamlNode& document) {
    const YamlNode* version = NodeReader::Find(document, "nacre");
    if (version == nullptr) {
      reader_.Report(document, "nacre", "missing; a policy begins with \"nacre: policy/1\"");
    } else if (version->text != "policy/1") {
      reader_.Report(*version, "nacre", "this version reads \"policy/1\"");
    }
    const YamlNode* name = NodeReader::Find(document, "name");
    if (name == nullptr) {
      reader_.Report(document, "name", "missing");
    } else {
      layer_.name = reader_.Identifier(*name, "name", "a name").value_or("");
    }
    if (const YamlNode* extends = NodeReader::Find(document, "extends")) {
      layer_.extends = ReadTexts(*extends, "extends", kExtendsMax);
    }
  }

  std::vector<Layer::Located> ReadTexts(const YamlNode& node, const std::string& path,
                                        size_t items_max) {
    std::vector<Layer::Located> texts;
    const YamlNode* list = reader_.List(node, path, items_max);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const YamlNode& item = list->items[i];
      if (auto text = reader_.Text(item, path + "[" + std::to_string(i) + "]", kTextBytesMax)) {
        texts.push_back({std::move(*text), reader_.Where(item)});
      }
    }
    return texts;
  }

  void ReadWorkspace(const YamlNode& node) {
    if (reader_.Map(node, "workspace", {{"mode", "hide", "protect", "commit"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* mode = NodeReader::Find(node, "mode")) {
      const auto choice = reader_.Choice(*mode, "workspace.mode",
                                         {{"transactional", "direct", "read-only", "none"}, {}});
      if (choice.has_value()) {
        const WorkspaceMode value = *choice == "transactional" ? WorkspaceMode::kTransactional
                                    : *choice == "direct"      ? WorkspaceMode::kDirect
                                    : *choice == "read-only"   ? WorkspaceMode::kReadOnly
                                                               : WorkspaceMode::kNone;
        Set([value, source = reader_.Where(*mode)](PolicyDocument& policy) {
          policy.grant.workspace = value;
          policy.mode_source = source;
        });
      }
    }
    ReadGlobs(node, "hide", "none", layer_.hide);
    ReadGlobs(node, "protect", "read-only", layer_.protect);
    if (const YamlNode* commit = NodeReader::Find(node, "commit")) {
      ReadCommit(*commit);
    }
  }

  void ReadCommit(const YamlNode& node) {
    const std::string path = "workspace.commit";
    if (reader_.Map(node, path, {{"changes", "bytes", "executables", "links"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* changes = NodeReader::Find(node, "changes")) {
      if (const auto value = reader_.Integer(*changes, path + ".changes", {1, 65536})) {
        Set([value](PolicyDocument& policy) {
          policy.grant.commit.changes = static_cast<uint64_t>(*value);
        });
      }
    }
    if (const YamlNode* bytes = NodeReader::Find(node, "bytes")) {
      if (const auto value = reader_.Size(*bytes, path + ".bytes", {1ULL << 10, 1ULL << 40})) {
        Set([value](PolicyDocument& policy) { policy.grant.commit.bytes = *value; });
      }
    }
    if (const YamlNode* executables = NodeReader::Find(node, "executables")) {
      if (const auto choice =
              reader_.Choice(*executables, path + ".executables", {{"allow", "deny"}, {}})) {
        const auto value =
            *choice == "allow" ? CommitExecutables::kAllow : CommitExecutables::kDeny;
        Set([value](PolicyDocument& policy) { policy.grant.commit.executables = value; });
      }
    }
    if (const YamlNode* links = NodeReader::Find(node, "links")) {
      if (const auto choice =
              reader_.Choice(*links, path + ".links", {{"allow", "inside", "deny"}, {}})) {
        const auto value = *choice == "allow"    ? CommitLinks::kAllow
                           : *choice == "inside" ? CommitLinks::kInside
                                                 : CommitLinks::kDeny;
        Set([value](PolicyDocument& policy) { policy.grant.commit.links = value; });
      }
    }
  }

  void ReadGlobs(const YamlNode& workspace, const std::string& key, const std::string& whole_mode,
                 std::vector<Layer::Located>& globs) {
    const YamlNode* node = NodeReader::Find(workspace, key);
    if (node == nullptr) {
      return;
    }
    const YamlNode* list = reader_.List(*node, "workspace." + key, kGlobsMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const YamlNode& item = list->items[i];
      const std::string path = "workspace." + key + "[" + std::to_string(i) + "]";
      const auto glob = reader_.Text(item, path, kTextBytesMax);
      if (!glob.has_value()) {
        continue;
      }
      if (const auto problem = GlobProblem(*glob)) {
        reader_.Report(item, path, *problem);
      } else if (glob->front() == '/') {
        const bool inside = glob->rfind("/workspace/", 0) == 0;
        reader_.Report(item, path, "globs here count from the workspace, without a leading \"/\"",
                       inside ? glob->substr(std::string("/workspace/").size()) : "");
      } else if (GlobMatches(*glob, "")) {
        reader_.Report(item, path, "this is the whole workspace; use mode: " + whole_mode);
      } else {
        globs.push_back({*glob, reader_.Where(item)});
      }
    }
  }

  void ReadSandbox(const YamlNode& node) {
    if (reader_.Map(node, "sandbox",
                    {{"profile", "isolation", "share_network", "limits", "require"}, {}}) ==
        nullptr) {
      return;
    }
    if (const YamlNode* share = NodeReader::Find(node, "share_network")) {
      if (const auto value = reader_.Boolean(*share, "sandbox.share_network")) {
        Set([value](PolicyDocument& policy) { policy.grant.share_network = *value; });
      }
    }
    if (const YamlNode* profile = NodeReader::Find(node, "profile")) {
      const auto choice =
          reader_.Choice(*profile, "sandbox.profile",
                         {{"pure", "default", "shell", "build", "network-client"}, {}});
      if (choice.has_value()) {
        Set([value = *choice](PolicyDocument& policy) { policy.grant.profile = value; });
      }
    }
    if (const YamlNode* isolation = NodeReader::Find(node, "isolation")) {
      const auto choice =
          reader_.Choice(*isolation, "sandbox.isolation", {{"namespace", "gvisor", "microvm"}, {}});
      if (choice.has_value()) {
        const Isolation value = *choice == "gvisor"    ? Isolation::kGvisor
                                : *choice == "microvm" ? Isolation::kMicrovm
                                                       : Isolation::kNamespace;
        Set([value](PolicyDocument& policy) { policy.grant.isolation = value; });
      }
    }
    if (const YamlNode* limits = NodeReader::Find(node, "limits")) {
      ReadLimits(*limits);
    }
    if (const YamlNode* require = NodeReader::Find(node, "require")) {
      ReadRequire(*require);
    }
  }

  void ReadLimits(const YamlNode& node) {
    const std::string path = "sandbox.limits";
    if (reader_.Map(node, path,
                    {{"wall", "cpu", "memory", "tasks", "files", "output", "disk", "inodes"},
                     {}}) == nullptr) {
      return;
    }
    constexpr uint64_t kKiB = 1ULL << 10;
    constexpr uint64_t kMiB = 1ULL << 20;
    constexpr uint64_t kTiB = 1ULL << 40;
    constexpr milliseconds kHour{3'600'000};
    if (const YamlNode* wall = NodeReader::Find(node, "wall")) {
      if (const auto value = reader_.Duration(*wall, path + ".wall", {milliseconds(10), kHour})) {
        Set([value](PolicyDocument& policy) { policy.grant.limits.wall = *value; });
      }
    }
    if (const YamlNode* cpu = NodeReader::Find(node, "cpu")) {
      if (const auto value = reader_.Duration(*cpu, path + ".cpu", {milliseconds(1000), kHour})) {
        if (value->count() % 1000 != 0) {
          reader_.Report(*cpu, path + ".cpu", "expected whole seconds");
        }
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*value);
        Set([seconds](PolicyDocument& policy) { policy.grant.limits.cpu = seconds; });
      }
    }
    const auto size = [&](const char* key, uint64_t minimum, uint64_t maximum,
                          uint64_t SandboxLimits::*field) {
      if (const YamlNode* value_node = NodeReader::Find(node, key)) {
        if (const auto value = reader_.Size(*value_node, path + "." + key, {minimum, maximum})) {
          Set([value, field](PolicyDocument& policy) { policy.grant.limits.*field = *value; });
        }
      }
    };
    size("memory", 8 * kMiB, kTiB, &SandboxLimits::memory_bytes);
    size("output", kKiB, 64 * kMiB, &SandboxLimits::output_bytes);
    size("disk", kMiB, kTiB, &SandboxLimits::disk_bytes);
    const auto count = [&](const char* key, int64_t minimum, int64_t maximum,
                           uint32_t SandboxLimits::*field) {
      if (const YamlNode* value_node = NodeReader::Find(node, key)) {
        if (const auto value = reader_.Integer(*value_node, path + "." + key, {minimum, maximum})) {
          Set([value, field](PolicyDocument& policy) {
            policy.grant.limits.*field = static_cast<uint32_t>(*value);
          });
        }
      }
    };
    count("tasks", 1, 4096, &SandboxLimits::tasks);
    count("files", 16, 65'536, &SandboxLimits::files);
    count("inodes", 16, 1 << 24, &SandboxLimits::inodes);
  }

  void ReadRequire(const YamlNode& node) {
    if (reader_.Map(node, "sandbox.require", {{"landlock", "cgroup", "id_maps"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* landlock = NodeReader::Find(node, "landlock")) {
      if (const auto value = reader_.Integer(*landlock, "sandbox.require.landlock", {0, 100})) {
        Set([value](PolicyDocument& policy) {
          policy.grant.require_landlock_abi = static_cast<int>(*value);
        });
      }
    }
    if (const YamlNode* cgroup = NodeReader::Find(node, "cgroup")) {
      if (const auto value = reader_.Boolean(*cgroup, "sandbox.require.cgroup")) {
        Set([value](PolicyDocument& policy) { policy.grant.require_cgroup = *value; });
      }
    }
    if (const YamlNode* id_maps = NodeReader::Find(node, "id_maps")) {
      if (const auto value = reader_.Boolean(*id_maps, "sandbox.require.id_maps")) {
        Set([value](PolicyDocument& policy) { policy.grant.require_id_maps = *value; });
      }
    }
  }

  void ReadTools(const YamlNode& node) {
    const YamlNode* list = reader_.List(node, "tools", kRulesMax);
    for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
      const std::string path = "tools[" + std::to_string(i) + "]";
      if (auto rule = ReadRule(reader_, list->items[i], path, tools_)) {
        layer_.tools.push_back(std::move(*rule));
      }
    }
  }

  void ReadBudgets(const YamlNode& node) {
    if (reader_.Map(node, "budgets", {{"turn"}, {"tenant_per_day"}}) == nullptr) {
      return;
    }
    const YamlNode* turn = NodeReader::Find(node, "turn");
    const std::string path = "budgets.turn";
    if (turn == nullptr ||
        reader_.Map(*turn, path, {{"steps", "tool_calls", "tokens", "wall"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* steps = NodeReader::Find(*turn, "steps")) {
      if (const auto value = reader_.Integer(*steps, path + ".steps", {1, 10'000})) {
        Set([value](PolicyDocument& policy) {
          policy.budgets.steps = static_cast<uint32_t>(*value);
        });
      }
    }
    if (const YamlNode* calls = NodeReader::Find(*turn, "tool_calls")) {
      if (const auto value = reader_.Integer(*calls, path + ".tool_calls", {0, 10'000})) {
        Set([value](PolicyDocument& policy) {
          policy.budgets.tool_calls = static_cast<uint32_t>(*value);
        });
      }
    }
    if (const YamlNode* tokens = NodeReader::Find(*turn, "tokens")) {
      if (const auto value = reader_.Integer(*tokens, path + ".tokens", {1, 1'000'000'000})) {
        Set([value](PolicyDocument& policy) {
          policy.budgets.tokens = static_cast<uint64_t>(*value);
        });
      }
    }
    if (const YamlNode* wall = NodeReader::Find(*turn, "wall")) {
      constexpr milliseconds kDay{86'400'000};
      if (const auto value = reader_.Duration(*wall, path + ".wall", {milliseconds(100), kDay})) {
        Set([value](PolicyDocument& policy) { policy.budgets.wall = *value; });
      }
    }
  }

  void ReadAudit(const YamlNode& node) {
    if (reader_.Map(node, "audit", {{"on_failure", "content"}, {}}) == nullptr) {
      return;
    }
    if (const YamlNode* on_failure = NodeReader::Find(node, "on_failure")) {
      // Checked only: an unrecorded call never runs.
      (void)reader_.Choice(*on_failure, "audit.on_failure", {{"refuse"}, {}});
    }
    if (const YamlNode* content = NodeReader::Find(node, "content")) {
      const auto choice =
          reader_.Choice(*content, "audit.content", {{"digest", "full"}, {"redacted"}});
      if (choice.has_value()) {
        const AuditContent value = *choice == "full" ? AuditContent::kFull : AuditContent::kDigest;
        Set([value](PolicyDocument& policy) { policy.audit_content = value; });
      }
    }
  }

  NodeReader reader_;
  const ToolSchemas* tools_;
  Layer layer_;
};

}  // namespace

Layer ReadLayer(const std::string& file, const YamlNode& document, const ToolSchemas* tools,
                Problems& problems) {
  return LayerReader(file, tools, problems).Read(document);
}

}  // namespace nacre::policy
