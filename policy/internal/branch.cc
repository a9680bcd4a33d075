#include "policy/internal/branch.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "policy/internal/host.h"
#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/internal/text_index.h"
#include "policy/path_glob.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;
using Numbers = std::vector<uint32_t>;

constexpr size_t kSetMin = 4;  // fewer patterns are asked one by one
constexpr int64_t kSetBytesMin = 8 << 20;
constexpr int64_t kSetBytesEach = 32 << 10;
constexpr int64_t kSetBytesMax = 512 << 20;

// Numbers by the number of a node of a TextIndex. Mostly there is one, which is found without a
// second look-up.
class NumbersAt {
 public:
  void Add(uint32_t node, uint32_t number) {
    first_.resize(std::max<size_t>(first_.size(), node + 1ULL), TextIndex::kNone);
    if (first_[node] == TextIndex::kNone) {
      first_[node] = number;
    } else {
      more_[node].push_back(number);
    }
  }
  void AppendTo(Numbers& numbers, uint32_t node) const {
    if (node >= first_.size() || first_[node] == TextIndex::kNone) {
      return;
    }
    numbers.push_back(first_[node]);
    if (!more_.empty()) {
      if (const auto more = more_.find(node); more != more_.end()) {
        numbers.insert(numbers.end(), more->second.begin(), more->second.end());
      }
    }
  }
  size_t bytes() const {
    size_t bytes = first_.capacity() * sizeof(uint32_t);
    for (const auto& [node, list] : more_) {
      bytes += 64 + list.capacity() * sizeof(uint32_t);
    }
    return bytes;
  }

 private:
  Numbers first_;
  std::unordered_map<uint32_t, Numbers> more_;
};

// Calls visit(node) for the root (0) and each node on the way of `text`, divided at "/", as far as
// the trie goes. visit also learns whether the text ends there.
template <typename Visit>
void Descend(const TextIndex& trie, std::string_view text, const Visit& visit) {
  uint32_t node = 0;
  visit(node);
  for (size_t from = 0; !text.empty() && from <= text.size();) {
    const size_t slash = std::min(text.find('/', from), text.size());
    node = trie.Find(node, text.substr(from, slash - from));
    if (node == TextIndex::kNone) {
      return;
    }
    visit(node);
    from = slash + 1;
  }
}

uint32_t PutPath(TextIndex& trie, std::string_view text) {
  uint32_t node = 0;
  for (size_t from = 0; !text.empty() && from <= text.size();) {
    const size_t slash = std::min(text.find('/', from), text.size());
    node = trie.Put(node, text.substr(from, slash - from));
    from = slash + 1;
  }
  return node;
}

class ValueBranch final : public Branch {
 public:
  explicit ValueBranch(const std::vector<Alternative>& alternatives)
      : subject_(*alternatives[0].condition) {
    for (const Alternative& alternative : alternatives) {
      for (const Json& value : alternative.condition->values) {
        const uint32_t node = value.is_string()
                                  ? values_.Put(0, value.get_ref<const std::string&>())
                                  : values_.Put(1, value.get<bool>() ? "1" : "0");
        numbers_.Add(node, alternative.number);
      }
    }
  }

  void Satisfied(const Request& request, Numbers& numbers) const override {
    VisitSubjects(subject_, request, [&](const Subject& subject) {
      if (subject.path != nullptr) {
        // As EqualsPath compares: in full, or from the workspace. No text can be both.
        const std::string_view path = subject.path->path;
        Append(numbers, values_.Find(0, path));
        if (IsUnder(path, kWorkspaceRoot)) {
          const std::string_view relative =
              path.substr(std::min(path.size(), kWorkspaceRoot.size() + 1));
          Append(numbers, values_.Find(0, relative.empty() ? "." : relative));
        }
      } else if (subject.value->is_string()) {
        Append(numbers, values_.Find(0, subject.value->get_ref<const std::string&>()));
      } else if (subject.value->is_boolean()) {
        Append(numbers, values_.Find(1, subject.value->get<bool>() ? "1" : "0"));
      }
      return false;
    });
  }

  size_t bytes() const override { return values_.bytes() + numbers_.bytes(); }

 private:
  void Append(Numbers& numbers, uint32_t node) const {
    if (node != TextIndex::kNone) {
      numbers_.AppendTo(numbers, node);
    }
  }

  const ArgumentMatcher& subject_;
  TextIndex values_;
  NumbersAt numbers_;
};

class HostBranch final : public Branch {
 public:
  explicit HostBranch(const std::vector<Alternative>& alternatives)
      : subject_(*alternatives[0].condition) {
    for (const Alternative& alternative : alternatives) {
      if (alternative.condition->holds_when_unsure) {
        unsure_.push_back(alternative.number);
      }
      for (const Json& value : alternative.condition->values) {
        const std::string_view pattern = value.get_ref<const std::string&>();
        const bool wild = pattern.substr(0, 2) == "*.";
        uint32_t node = 0;
        for (const std::string_view label : HostLabels(wild ? pattern.substr(2) : pattern)) {
          node = labels_.Put(node, label);
        }
        (wild ? below_ : exact_).Add(node, alternative.number);
      }
    }
  }

  void Satisfied(const Request& request, Numbers& numbers) const override {
    VisitSubjects(subject_, request, [&](const Subject& subject) {
      if (!subject.is_text()) {
        return false;
      }
      const std::optional<std::string> host = HostOf(subject.text());
      if (!host.has_value()) {
        numbers.insert(numbers.end(), unsure_.begin(), unsure_.end());
        return false;
      }
      const std::vector<std::string_view> labels = HostLabels(*host);
      uint32_t node = 0;
      for (size_t i = 0; i < labels.size(); ++i) {
        node = labels_.Find(node, labels[i]);
        if (node == TextIndex::kNone) {
          return false;
        }
        (i + 1 == labels.size() ? exact_ : below_).AppendTo(numbers, node);
      }
      return false;
    });
  }

  size_t bytes() const override { return labels_.bytes() + exact_.bytes() + below_.bytes(); }

 private:
  const ArgumentMatcher& subject_;
  TextIndex labels_;
  NumbersAt exact_;
  NumbersAt below_;
  Numbers unsure_;
};

class FolderBranch final : public Branch {
 public:
  explicit FolderBranch(const std::vector<Alternative>& alternatives)
      : subject_(*alternatives[0].condition) {
    for (const Alternative& alternative : alternatives) {
      const std::string_view folder = alternative.condition->text;
      numbers_.Add(PutPath(folders_, folder == "/" ? "" : folder), alternative.number);
    }
  }

  void Satisfied(const Request& request, Numbers& numbers) const override {
    VisitSubjects(subject_, request, [&](const Subject& subject) {
      if (subject.is_text()) {
        if (IsNormalPath(subject.text())) {
          Append(subject.text(), numbers);
        } else if (const auto path = NormalisePath(subject.text())) {
          Append(*path, numbers);
        }
      }
      return false;
    });
  }

  size_t bytes() const override { return folders_.bytes() + numbers_.bytes(); }

 private:
  void Append(std::string_view path, Numbers& numbers) const {
    Descend(folders_, path == "/" ? "" : path,
            [&](uint32_t node) { numbers_.AppendTo(numbers, node); });
  }

  const ArgumentMatcher& subject_;
  TextIndex folders_;
  NumbersAt numbers_;
};

class GlobBranch final : public Branch {
 public:
  explicit GlobBranch(const std::vector<Alternative>& alternatives)
      : subject_(*alternatives[0].condition) {
    for (const Alternative& alternative : alternatives) {
      const Glob& glob = *alternative.condition->glob;
      at_.Add(PutPath(folders_, glob.Folder()), static_cast<uint32_t>(globs_.size()));
      globs_.push_back({&glob, alternative.number});
    }
  }

  void Satisfied(const Request& request, Numbers& numbers) const override {
    VisitSubjects(subject_, request, [&](const Subject& subject) {
      if (subject.path != nullptr) {
        Append(subject.path->path, /*absolute=*/true, numbers);
        if (const auto relative = WorkspaceRelative(subject.path->path)) {
          Append(*relative, /*absolute=*/false, numbers);
        }
      } else if (subject.is_text()) {
        Append(subject.text(), std::nullopt, numbers);
      }
      return false;
    });
  }

  size_t bytes() const override {
    return folders_.bytes() + at_.bytes() + globs_.capacity() * sizeof(globs_[0]);
  }

 private:
  struct Entry {
    const Glob* glob;
    uint32_t number;
  };

  // `absolute`: which globs speak of this form of a path; nothing: all of them, of a plain text.
  void Append(std::string_view text, std::optional<bool> absolute, Numbers& numbers) const {
    Numbers candidates;
    Descend(folders_, text, [&](uint32_t node) { at_.AppendTo(candidates, node); });
    for (const uint32_t candidate : candidates) {
      const Entry& entry = globs_[candidate];
      const bool speaks = !absolute.has_value() || *absolute == (entry.glob->text()[0] == '/');
      if (speaks && entry.glob->Matches(text)) {
        numbers.push_back(entry.number);
      }
    }
  }

  const ArgumentMatcher& subject_;
  TextIndex folders_;
  NumbersAt at_;
  std::vector<Entry> globs_;
};

class PatternBranch final : public Branch {
 public:
  explicit PatternBranch(const std::vector<Alternative>& alternatives)
      : subject_(*alternatives[0].condition), alternatives_(alternatives) {
    if (alternatives.size() < kSetMin) {
      return;
    }
    const int64_t memory_max = std::min<int64_t>(
        kSetBytesMax, kSetBytesMin + kSetBytesEach * static_cast<int64_t>(alternatives.size()));
    set_ = std::make_unique<re2::RE2::Set>(PatternOptions(memory_max), re2::RE2::ANCHOR_BOTH);
    for (const Alternative& alternative : alternatives) {
      if (set_->Add(alternative.condition->text, nullptr) < 0) {
        set_ = nullptr;
        return;
      }
    }
    if (!set_->Compile()) {
      set_ = nullptr;  // too large together: one by one
    }
  }

  void Satisfied(const Request& request, Numbers& numbers) const override {
    VisitSubjects(subject_, request, [&](const Subject& subject) {
      if (!subject.is_text()) {
        return false;
      }
      std::vector<int> found;
      re2::RE2::Set::ErrorInfo error{re2::RE2::Set::kNoError};
      if (set_ != nullptr && set_->Match(subject.text(), &found, &error)) {
        for (const int index : found) {
          numbers.push_back(alternatives_[static_cast<size_t>(index)].number);
        }
        return false;
      }
      if (set_ != nullptr && error.kind == re2::RE2::Set::kNoError) {
        return false;
      }
      // No set, or its automaton outgrew its memory on this text.
      for (const Alternative& alternative : alternatives_) {
        if (re2::RE2::FullMatch(subject.text(), *alternative.condition->regex)) {
          numbers.push_back(alternative.number);
        }
      }
      return false;
    });
  }

  size_t bytes() const override { return alternatives_.capacity() * sizeof(Alternative); }

 private:
  const ArgumentMatcher& subject_;
  std::vector<Alternative> alternatives_;
  std::unique_ptr<re2::RE2::Set> set_;
};

class EachBranch final : public Branch {
 public:
  explicit EachBranch(const std::vector<Alternative>& alternatives) : alternatives_(alternatives) {}

  void Satisfied(const Request& request, Numbers& numbers) const override {
    for (const Alternative& alternative : alternatives_) {
      if (Holds(*alternative.condition, request)) {
        numbers.push_back(alternative.number);
      }
    }
  }

  size_t bytes() const override { return alternatives_.capacity() * sizeof(Alternative); }

 private:
  std::vector<Alternative> alternatives_;
};

// Numbers compare across their types (3 and 3.0), which a hash of texts does not.
bool HasTextsOnly(const ArgumentMatcher& condition) {
  return std::all_of(condition.values.begin(), condition.values.end(),
                     [](const Json& value) { return value.is_string() || value.is_boolean(); });
}

enum class Taker : char {
  kValues = 'v',
  kHosts = 'h',
  kFolders = 'f',
  kGlobs = 'g',
  kPatterns = 'p',
  kEach = 'e'
};

Taker TakerOf(const ArgumentMatcher& condition) {
  if (condition.negated || HasStep(condition, PathStep::Kind::kEvery)) {
    return Taker::kEach;
  }
  switch (condition.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return HasTextsOnly(condition) ? Taker::kValues : Taker::kEach;
    case Kind::kHostIn:
      return Taker::kHosts;
    case Kind::kUnder:
      return Taker::kFolders;
    case Kind::kGlob:
      return Taker::kGlobs;
    case Kind::kMatches:
      return Taker::kPatterns;
    case Kind::kMaxLength:
    case Kind::kMaxItems:
    case Kind::kRange:
      return Taker::kEach;
  }
  return Taker::kEach;
}

}  // namespace

std::string BranchKey(const ArgumentMatcher& condition) {
  const Taker taker = TakerOf(condition);
  return std::string(1, static_cast<char>(taker)) + (taker == Taker::kEach ? "" : condition.path);
}

std::unique_ptr<const Branch> MakeBranch(const std::vector<Alternative>& alternatives) {
  switch (TakerOf(*alternatives.at(0).condition)) {
    case Taker::kValues:
      return std::make_unique<ValueBranch>(alternatives);
    case Taker::kHosts:
      return std::make_unique<HostBranch>(alternatives);
    case Taker::kFolders:
      return std::make_unique<FolderBranch>(alternatives);
    case Taker::kGlobs:
      return std::make_unique<GlobBranch>(alternatives);
    case Taker::kPatterns:
      return std::make_unique<PatternBranch>(alternatives);
    case Taker::kEach:
      break;
  }
  return std::make_unique<EachBranch>(alternatives);
}

}  // namespace nacre::policy
