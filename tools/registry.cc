#include "tools/registry.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace nacre::tools {
namespace {

constexpr size_t kToolsMax = 256;

// The sub-directories that hold a tool.yaml.
Result<std::vector<std::string>> ToolDirectories(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  std::error_code failure;
  fs::directory_iterator entry(root, failure);
  for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
    std::error_code no_manifest;
    if (fs::symlink_status(entry->path() / "tool.yaml", no_manifest).type() ==
            fs::file_type::not_found ||
        no_manifest) {
      continue;
    }
    found.push_back(entry->path().string());
    if (found.size() > kToolsMax) {
      return Error{ErrorCode::kResourceExhausted,
                   root + " holds more than " + std::to_string(kToolsMax) + " tools"};
    }
  }
  if (failure) {
    return SysError("read the tools in " + root, failure.value());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Error NoTools(const std::string& root) {
  std::error_code ignored;
  const bool is_tool = std::filesystem::exists(std::filesystem::path(root) / "tool.yaml", ignored);
  return {ErrorCode::kNotFound,
          "no sub-folder of " + root + " holds a tool.yaml" +
              (is_tool ? "; it is a tool's own folder: name the folder above it" : "")};
}

bool ByName(const Manifest& left, const Manifest& right) {
  return left.name < right.name;
}

Status Insert(Manifest manifest, std::vector<Manifest>& all) {
  const auto place = std::lower_bound(all.begin(), all.end(), manifest, ByName);
  if (place != all.end() && place->name == manifest.name) {
    return Error{ErrorCode::kAlreadyExists, "the tool name \"" + manifest.name +
                                                "\" is already taken by " +
                                                (place->runtime ? "nacre itself" : place->program)};
  }
  if (all.size() == kToolsMax) {
    return Error{ErrorCode::kResourceExhausted,
                 "more than " + std::to_string(kToolsMax) + " tools"};
  }
  all.insert(place, std::move(manifest));
  return Ok();
}

}  // namespace

Status Registry::AddDirectory(const std::string& root, bool builtin) {
  const std::vector<std::string> directories = NACRE_TRY(ToolDirectories(root));
  if (directories.empty()) {
    return NoTools(root);
  }
  std::vector<Manifest> all = manifests_;
  for (const std::string& directory : directories) {
    Manifest manifest = NACRE_TRY(LoadManifest(directory));
    manifest.builtin = builtin;
    if (Status inserted = Insert(std::move(manifest), all); !inserted.ok()) {
      return WithContext(directory + "/tool.yaml", inserted.error());
    }
  }
  manifests_ = std::move(all);
  return Ok();
}

Status Registry::Add(Manifest manifest) {
  return Insert(std::move(manifest), manifests_);
}

const Manifest* Registry::Find(const std::string& name) const {
  const auto found = std::lower_bound(
      manifests_.begin(), manifests_.end(), name,
      [](const Manifest& manifest, const std::string& wanted) { return manifest.name < wanted; });
  return found != manifests_.end() && found->name == name ? &*found : nullptr;
}

}  // namespace nacre::tools
