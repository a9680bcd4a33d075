// ResultFields: a tool's result as the texts that it is made of, each with the key that it stands
// under, so that a manifest can vouch for some of them ("sender") and not for others ("body").
//
// Results are hostile: whoever wrote an e-mail chose what its body is. So this reads only what an
// encoder of JSON or YAML writes, with bounds, and answers nothing at all when any of it is something
// else: the caller then vouches for none of it. It is no validator: what it must never do is to give a
// part of a value the key of another one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::policy {

struct ResultField {
  // The keys on the way, outermost first; elements of lists have none. "shared_with", "a@b.c".
  std::vector<std::string> keys;
  std::string text;

  friend bool operator==(const ResultField&, const ResultField&) = default;
};

enum class ResultFormat { kText = 0, kJson, kYaml };

// nullopt when the text is not of the format, or has more than 1 MiB, 65,536 fields or 16 levels.
// kText: one field without keys. JSON may be written with single quotes, as Python shows a map.
// YAML is block style: maps, lists, plain, quoted and block scalars, and one-line [] and {}; no
// anchors, tags, aliases, comments, directives or keys that are no scalars.
std::optional<std::vector<ResultField>> ReadResultFields(ResultFormat format,
                                                         std::string_view text);

}  // namespace nacre::policy
