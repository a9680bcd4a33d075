#include "policy/analysis/place.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "policy/internal/matcher.h"
#include "policy/internal/sandbox_path.h"
#include "policy/path_glob.h"
#include "policy/witness.h"

namespace nacre::policy {
namespace {

using Kind = ArgumentMatcher::Kind;

constexpr size_t kComparedGlobsMax = 300;

std::vector<std::string> Segments(const std::string& glob) {
  std::vector<std::string> segments;
  for (size_t begin = 0; begin <= glob.size();) {
    const size_t end = std::min(glob.find('/', begin), glob.size());
    segments.push_back(glob.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool IsPlain(const std::string& text) {
  return text.find_first_of("*?[") == std::string::npos;
}

// Of names without "/".
bool SegmentCovers(const std::string& wide, const std::string& narrow) {
  if (wide == narrow) {
    return true;
  }
  if (wide == "**" || narrow == "**") {
    return false;
  }
  return wide == "*" || (IsPlain(narrow) && GlobMatches(wide, narrow));
}

std::string Full(const std::string& glob) {
  return glob.front() == '/' ? glob : std::string(kWorkspaceRoot) + "/" + glob;
}

}  // namespace

std::optional<std::string> FolderOfGlob(const std::string& glob, GlobReach reach) {
  const bool all_below = glob.size() > 3 && glob.compare(glob.size() - 3, 3, "/**") == 0;
  const std::string folder = all_below ? glob.substr(0, glob.size() - 3) : glob;
  if (!IsPlain(folder) || (!all_below && reach == GlobReach::kWhole) ||
      !IsNormalPath(Full(folder))) {
    return std::nullopt;
  }
  return Full(folder);
}

bool GlobCovers(const std::string& wide, GlobReach wide_reach, const std::string& narrow,
                GlobReach narrow_reach) {
  if (narrow_reach == GlobReach::kAbove && wide_reach == GlobReach::kWhole) {
    return false;
  }
  const std::vector<std::string> above = Segments(Full(wide));
  const std::vector<std::string> below = Segments(Full(narrow));
  for (size_t i = 0; i < above.size(); ++i) {
    if (above[i] == "**" && i + 1 == above.size()) {
      return true;  // it takes whatever follows, also nothing
    }
    if (i == below.size() || !SegmentCovers(above[i], below[i])) {
      return false;
    }
  }
  return above.size() == below.size() || wide_reach == GlobReach::kAbove;
}

Place::Place(Solver& solver, std::shared_ptr<const ValueClasses> classes,
             std::shared_ptr<const HostClasses> hosts, bool may_be_absent, bool may_be_present)
    : solver_(solver), classes_(std::move(classes)), hosts_(std::move(hosts)) {
  value_ = solver_.NewNumber(classes_->greatest());
  std::vector<ClassRange> domain;
  if (may_be_absent || !may_be_present) {
    domain.push_back({ValueClasses::kAbsent, ValueClasses::kAbsent});
  }
  if (may_be_present) {
    domain.insert(domain.end(), classes_->domain().begin(), classes_->domain().end());
  }
  solver_.Require(IsAny(domain));
  std::vector<ClassRange> named;
  for (const ValueClasses::Text& entry : classes_->entries()) {
    if (entry.named && !named.empty() && named.back().last + 1 == entry.number) {
      named.back().last = entry.number;
    } else if (entry.named) {
      named.push_back({entry.number, entry.number});
    }
  }
  named_ = IsAny(named);
  if (hosts_ != nullptr) {
    host_ = solver_.NewNumber(hosts_->greatest());
    for (const ValueClasses::Text& entry : classes_->entries()) {
      if (entry.named) {
        const uint32_t host = hosts_->ClassOf(entry.text);
        solver_.Require(
            solver_.Implies(Is({entry.number, entry.number}), solver_.InRange(host_, host, host)));
      }
    }
  }
}

Formula Place::IsAny(const std::vector<ClassRange>& ranges) {
  std::vector<Formula> any;
  for (const ClassRange& range : ranges) {
    any.push_back(Is(range));
  }
  return solver_.AnyOf(any);
}

Formula Place::Present() {
  return solver_.Not(Absent());
}

Formula Place::Opened(const std::string& key, std::function<bool(const std::string&)> test,
                      std::vector<std::string> samples, bool below) {
  if (const auto known = open_.find(key); known != open_.end()) {
    return known->second.whole;
  }
  std::vector<ClassRange> certain;
  for (const ValueClasses::Text& entry : classes_->entries()) {
    if (entry.named ? test(entry.text) : below && test(entry.text)) {
      certain.push_back(entry.named ? ClassRange{entry.number, entry.number} : entry.below);
    }
  }
  const Formula bit = solver_.NewBoolean();
  const Formula open = solver_.AllOf({Is(classes_->texts()), solver_.Not(named_), bit});
  const Formula whole = solver_.AnyOf({IsAny(certain), open});
  open_.emplace(key, Open{whole, bit, std::move(test), std::move(samples)});
  return whole;
}

Formula Place::MatchesGlob(const std::string& glob, GlobReach reach) {
  if (const auto folder = FolderOfGlob(glob, reach);
      folder.has_value() && *folder != kWorkspaceRoot) {
    return Under(*folder);
  }
  const bool above = reach == GlobReach::kAbove;
  const std::string key = (above ? "above " : "glob ") + glob;
  if (const auto known = open_.find(key); known != open_.end()) {
    return known->second.whole;
  }
  const auto compiled = std::make_shared<const std::optional<Glob>>(Glob::Compile(glob));
  const bool full = glob.front() == '/';
  std::vector<std::string> samples;
  for (const std::string& path : PathsOfGlob(glob)) {
    samples.push_back(full ? path : std::string(kWorkspaceRoot) + "/" + path);
  }
  const Formula whole = Opened(
      key,
      [compiled, full, above](const std::string& path) {
        const std::optional<std::string> tried =
            full ? std::optional<std::string>(path) : WorkspaceRelative(path);
        return compiled->has_value() && tried.has_value() &&
               (above ? (*compiled)->MatchesAtOrAbove(*tried) : (*compiled)->Matches(*tried));
      },
      std::move(samples), above);
  if (!full) {
    solver_.Require(solver_.Implies(whole, Under(std::string(kWorkspaceRoot))));
  }
  if (globs_.size() < kComparedGlobsMax) {
    for (const auto& [other, meant] : globs_) {
      if (GlobCovers(glob, reach, meant.first, meant.second)) {
        solver_.Require(solver_.Implies(open_.at(other).whole, whole));
      }
      if (GlobCovers(meant.first, meant.second, glob, reach)) {
        solver_.Require(solver_.Implies(whole, open_.at(other).whole));
      }
    }
    globs_.emplace(key, std::pair(glob, reach));
  }
  return whole;
}

Formula Place::ShorterThan(int64_t maximum) {
  if (const auto known = lengths_.find(maximum); known != lengths_.end()) {
    return known->second;
  }
  const auto bytes = static_cast<size_t>(maximum);
  const Formula shorter = Opened(
      "bytes " + std::to_string(maximum),
      [bytes](const std::string& text) { return text.size() <= bytes; }, {}, false);
  const auto next = lengths_.emplace(maximum, shorter).first;
  if (next != lengths_.begin()) {
    solver_.Require(solver_.Implies(std::prev(next)->second, shorter));
  }
  if (std::next(next) != lengths_.end()) {
    solver_.Require(solver_.Implies(shorter, std::next(next)->second));
  }
  return shorter;
}

Formula Place::HostIn(const ArgumentMatcher& matcher) {
  std::vector<Formula> any;
  for (const Json& value : matcher.values) {
    const ClassRange range = hosts_->RangeOf(value.get_ref<const std::string&>());
    any.push_back(solver_.InRange(host_, range.first, range.last));
  }
  const Formula unsure = solver_.InRange(host_, HostClasses::kUnsure, HostClasses::kUnsure);
  const Formula in = solver_.AnyOf(any);
  const Formula sure = matcher.negated ? solver_.AllOf({solver_.Not(in), solver_.Not(unsure)}) : in;
  return solver_.AllOf(
      {Is(classes_->texts()), matcher.holds_when_unsure ? solver_.AnyOf({sure, unsure}) : sure});
}

Formula Place::Applies(const ArgumentMatcher& matcher) {
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      return Is({ValueClasses::kFalse, classes_->greatest()});
    case Kind::kRange:
      return Is(classes_->numbers());
    case Kind::kUnder:
      return Is({classes_->no_paths().last + 1, classes_->greatest()});
    default:
      return Is(classes_->texts());
  }
}

Formula Place::Yes(const ArgumentMatcher& matcher) {
  switch (matcher.kind) {
    case Kind::kEquals:
    case Kind::kOneOf:
      if (const auto ranges = classes_->Named(matcher.values)) {
        return IsAny(*ranges);
      }
      break;
    case Kind::kRange:
      if (const auto ranges = classes_->Between(matcher.minimum, matcher.maximum)) {
        return IsAny(*ranges);
      }
      break;
    case Kind::kUnder:
      return Under(matcher.text);
    case Kind::kMaxLength:
      return ShorterThan(matcher.maximum);
    case Kind::kGlob: {
      if (classes_->is_path()) {
        return MatchesGlob(matcher.text, GlobReach::kWhole);
      }
      const auto glob = matcher.glob;
      return Opened(
          "text " + matcher.text, [glob](const std::string& text) { return glob->Matches(text); },
          PathsOfGlob(matcher.text), false);
    }
    case Kind::kMatches: {
      std::vector<std::string> samples;
      for (const Json& sample : ValuesMeeting(matcher)) {
        samples.push_back(sample.get<std::string>());
      }
      const auto regex = matcher.regex;
      return Opened(
          "matches " + matcher.text,
          [regex](const std::string& text) { return re2::RE2::FullMatch(text, *regex); },
          std::move(samples), false);
    }
    case Kind::kHostIn:
    case Kind::kMaxItems:
      break;
  }
  // Of numbers that no class is exact for either may be, but for the same ones the same.
  const auto [known, added] =
      inexact_.emplace(MatcherName(matcher.kind) + DumpJson(Json(matcher.values)) +
                           std::to_string(matcher.minimum) + ',' + std::to_string(matcher.maximum),
                       Formula{});
  if (added) {
    known->second = solver_.NewBoolean();
  }
  return known->second;
}

Formula Place::Meets(const ArgumentMatcher& matcher) {
  if (matcher.kind == Kind::kHostIn) {
    return HostIn(matcher);
  }
  const Formula yes = Yes(matcher);
  return solver_.AllOf({Applies(matcher), matcher.negated ? solver_.Not(yes) : yes});
}

std::vector<Formula> Place::Pinned(const Json* value) {
  const uint32_t number = classes_->ClassOf(value);
  std::vector<Formula> pinned = {Is({number, number})};
  if (value != nullptr && value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    if (hosts_ != nullptr) {
      const uint32_t host = hosts_->ClassOf(text);
      pinned.push_back(solver_.InRange(host_, host, host));
    }
    for (const auto& [key, open] : open_) {
      pinned.push_back(open.test(text) ? open.whole : solver_.Not(open.whole));
    }
  }
  return pinned;
}

bool Place::Agrees(const std::string& text) const {
  const Json value(text);
  return classes_->ClassOf(&value) == solver_.Value(value_) &&
         (hosts_ == nullptr || hosts_->ClassOf(text) == solver_.Value(host_)) &&
         std::all_of(open_.begin(), open_.end(), [&](const auto& entry) {
           return entry.second.test(text) == solver_.Holds(entry.second.whole);
         });
}

std::optional<Json> Place::Value() const {
  const uint32_t number = solver_.Value(value_);
  const ClassRange texts = classes_->texts();
  std::optional<Json> example = classes_->Example(number);
  if (!example.has_value() || number <= texts.first || solver_.Holds(named_)) {
    return example;
  }
  const std::string& folder = classes_->entries()[number - texts.first - 1].text;
  const std::string inside = folder == "/" ? "/" : folder + "/";
  // What might be in the class, from what is likely to what is far-fetched.
  std::vector<std::string> stems;
  if (hosts_ != nullptr) {
    const std::string host = hosts_->Example(solver_.Value(host_));
    stems.insert(stems.end(), {host, "https://" + host + "/", inside + host});
  }
  for (const auto& [key, open] : open_) {
    if (solver_.Holds(open.whole)) {
      for (const std::string& sample : open.samples) {
        stems.push_back(sample);
        if (const auto relative = WorkspaceRelative(sample); relative.has_value()) {
          stems.push_back(inside + *relative);
        }
        stems.push_back(inside + sample);
      }
    }
  }
  stems.insert(stems.end(), {inside + "x", folder, inside + "x/y", "x", "x-y", "1", ".x"});
  int64_t longer = 0;
  for (const auto& [maximum, shorter] : lengths_) {
    longer = solver_.Holds(shorter) ? longer : maximum + 1;
  }
  for (std::string& stem : stems) {
    if (longer > 0 && longer < (1 << 20) && stem.size() < static_cast<size_t>(longer)) {
      stem.resize(static_cast<size_t>(longer), 'x');
    }
    if (Agrees(stem)) {
      return Json(stem);
    }
  }
  return example;
}

}  // namespace nacre::policy
