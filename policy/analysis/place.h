// Place: one argument of a call as the solver sees it: the class of its value, the class of the host that
// it names, and a Boolean for each thing that classes do not tell.
//
// It never leaves a value out: whatever an argument can be is one of its assignments. The other way round
// an assignment may stand for no value (two regular expressions that cannot both match, a short text in
// a deep folder), so what the solver finds has to be tried.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "policy/analysis/solver.h"
#include "policy/analysis/value_classes.h"
#include "policy/policy.h"

namespace nacre::policy {

// How a glob is meant: the whole path, or also a folder that the path is in (hide and protect).
enum class GlobReach { kWhole = 0, kAbove };

class Place final {
 public:
  // `hosts` may be null. `may_be_absent`, or must it be there.
  Place(Solver& solver, std::shared_ptr<const ValueClasses> classes,
        std::shared_ptr<const HostClasses> hosts, bool may_be_absent, bool may_be_present);

  Formula Absent() { return Is({ValueClasses::kAbsent, ValueClasses::kAbsent}); }
  Formula Present();
  Formula IsArray() { return Is({ValueClasses::kArray, ValueClasses::kArray}); }
  Formula Under(const std::string& folder) { return Is(classes_->Under(folder)); }
  // The condition holds, its path having led here. Not for kMaxItems, which the list knows.
  Formula Meets(const ArgumentMatcher& matcher);
  // Of path arguments: a glob that counts from the workspace unless it begins with "/".
  Formula MatchesGlob(const std::string& glob, GlobReach reach);

  // What makes it this value (null: absent), for tests of the encoding and for trying.
  std::vector<Formula> Pinned(const Json* value);
  Formula Differs() { return solver_.Not(Is({solver_.Value(value_), solver_.Value(value_)})); }
  // A value for what the solver found, as near as one was found; nullopt: absent.
  std::optional<Json> Value() const;

 private:
  struct Open {  // what classes do not tell
    Formula whole;
    Formula bit;
    std::function<bool(const std::string&)> test;
    std::vector<std::string> samples;  // texts of which it may hold
  };

  Formula Is(ClassRange range) { return solver_.InRange(value_, range.first, range.last); }
  Formula IsAny(const std::vector<ClassRange>& ranges);
  // `below`: where it holds of a folder, it holds of all in it.
  Formula Opened(const std::string& key, std::function<bool(const std::string&)> test,
                 std::vector<std::string> samples, bool below);
  Formula Yes(const ArgumentMatcher& matcher);
  Formula Applies(const ArgumentMatcher& matcher);
  Formula ShorterThan(int64_t maximum);
  Formula HostIn(const ArgumentMatcher& matcher);
  bool Agrees(const std::string& text) const;

  Solver& solver_;
  std::shared_ptr<const ValueClasses> classes_;
  std::shared_ptr<const HostClasses> hosts_;
  Number value_;
  Number host_;
  Formula named_;  // it is one of the named texts
  std::map<std::string, Open> open_;
  std::map<std::string, std::pair<std::string, GlobReach>> globs_;  // by their keys in open_
  std::map<std::string, Formula> inexact_;
  std::map<int64_t, Formula> lengths_;
};

// The folder that a glob means with all below it, where it is no more than that: "src/**", and with
// kAbove "src". Full; nullopt otherwise.
std::optional<std::string> FolderOfGlob(const std::string& glob, GlobReach reach);
// Whatever the narrow one matches, as meant, the wide one does. "No" may mean that it is not known.
bool GlobCovers(const std::string& wide, GlobReach wide_reach, const std::string& narrow,
                GlobReach narrow_reach);

}  // namespace nacre::policy
