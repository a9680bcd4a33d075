// Hosts in arguments of tools, by their text alone: no name is looked up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nacre::policy {

// The host that a text names, in lower case without a final dot: of a URL with "//", of "host:port",
// or of a host alone. An IPv6 address stands without brackets in its shortest form. nullopt when two
// readers of the text might disagree: user names ("https://a@b"), backslashes, blanks, percent
// signs, letters that are not ASCII, and numbers such as 0x7f.1 that some read as an address.
std::optional<std::string> HostOf(std::string_view text);

// What is wrong with an entry of host_in, as one clause, or nullopt. Good are a host as HostOf writes
// it, and "*.example.com", which is every name below example.com but not that name itself.
std::optional<std::string> HostPatternProblem(std::string_view pattern);

// `host` as HostOf writes it.
bool HostMatches(std::string_view pattern, std::string_view host);

// The labels of a name from the last to the first: "com", "example", "www". An address is one label.
std::vector<std::string_view> HostLabels(std::string_view host);

}  // namespace nacre::policy
