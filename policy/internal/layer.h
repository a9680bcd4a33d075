// Layer: one policy document as it was read, before it is put upon those that it extends.
#pragma once

#include <string>
#include <vector>

#include "policy/internal/problems.h"
#include "policy/internal/rule_reader.h"
#include "policy/internal/settings.h"
#include "policy/internal/yaml_tree.h"
#include "policy/policy.h"

namespace nacre::policy {

struct Layer {
  struct Located {
    std::string text;
    SourceLocation source;
  };

  std::string file;  // as it stands in messages
  std::string name;
  std::vector<Located> extends;
  std::vector<Setting> settings;
  std::vector<Located> hide;
  std::vector<Located> protect;
  std::vector<ToolRule> tools;
  std::vector<ToolRule> narrow;
  std::vector<CallRate> rates;
  DataRules data;
  SourceLocation unlisted_source;  // of data.unlisted; empty where the document does not say it
};

// All regular expressions of all layers together: kPatternStepsMax steps, so that no document takes more
// than about 64 MiB for them.
inline constexpr size_t kPatternStepsMax = 4'000'000;

// Reports to `problems`; what it returns is complete only when none was added. `pattern_steps`: of the layers that
// were read before; this one's are added.
Layer ReadLayer(const std::string& file, const YamlNode& document, const ToolSchemas* tools,
                size_t& pattern_steps, Problems& problems);

// What adds up over layers, whichever order they are in: globs, rates, and the rules about data. What nobody
// speaks of is trusted only where every layer that speaks of data says so.
void Unite(const Layer& layer, PolicyDocument& policy);

}  // namespace nacre::policy
