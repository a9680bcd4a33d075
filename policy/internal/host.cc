#include "policy/internal/host.h"

#include <arpa/inet.h>

#include <algorithm>

namespace nacre::policy {
namespace {

constexpr size_t kHostBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kNone = std::string_view::npos;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<std::string> Address6(std::string_view text) {
  in6_addr address{};
  char canonical[INET6_ADDRSTRLEN];
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1 ||
      inet_ntop(AF_INET6, &address, canonical, sizeof canonical) == nullptr) {
    return std::nullopt;
  }
  return std::string(canonical);
}

bool IsAddress4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool IsAddress(std::string_view host) {
  return host.find(':') != kNone || (!host.empty() && IsDigit(host.back()));
}

// A name of DNS or an IPv4 address, in lower case.
std::optional<std::string> Name(std::string_view text) {
  std::string host(text);
  std::transform(host.begin(), host.end(), host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!host.empty() && host.back() == '.') {
    host.pop_back();
  }
  if (host.empty() || host.size() > kHostBytesMax) {
    return std::nullopt;
  }
  size_t last = 0;
  for (size_t from = 0; from <= host.size();) {
    const size_t dot = std::min(host.find('.', from), host.size());
    const std::string_view label = std::string_view(host).substr(from, dot - from);
    const bool plain = std::all_of(label.begin(), label.end(), [](char c) {
      return IsLetter(c) || IsDigit(c) || c == '-' || c == '_';
    });
    if (label.empty() || label.size() > kLabelBytesMax || !plain) {
      return std::nullopt;
    }
    last = from;
    from = dot + 1;
  }
  // A last label that begins with a digit makes some readers see an address: WHATWG's URL, inet_aton.
  if (IsDigit(host[last]) && !IsAddress4(host)) {
    return std::nullopt;
  }
  return host;
}

bool IsPort(std::string_view text) {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), IsDigit);
}

}  // namespace

std::optional<std::string> HostOf(std::string_view text) {
  std::string_view authority = text;
  if (const size_t scheme = text.find("://"); scheme != kNone) {
    const std::string_view name = text.substr(0, scheme);
    const bool plain =
        !name.empty() && IsLetter(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
          return IsLetter(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
        });
    if (!plain) {
      return std::nullopt;
    }
    authority = text.substr(scheme + 3);
    const size_t end = authority.find_first_of("/?#\\");
    if (end != kNone && authority[end] == '\\') {
      return std::nullopt;
    }
    authority = authority.substr(0, end);
  }
  if (!authority.empty() && authority[0] == '[') {
    const size_t close = authority.find(']');
    const std::string_view after =
        close == kNone ? std::string_view() : authority.substr(close + 1);
    if (close == kNone || (!after.empty() && (after[0] != ':' || !IsPort(after.substr(1))))) {
      return std::nullopt;
    }
    return Address6(authority.substr(1, close - 1));
  }
  const size_t colon = authority.find(':');
  if (colon != kNone && authority.find(':', colon + 1) != kNone) {
    return Address6(authority);  // an address alone
  }
  if (colon != kNone && !IsPort(authority.substr(colon + 1))) {
    return std::nullopt;
  }
  return Name(authority.substr(0, colon));
}

std::optional<std::string> HostPatternProblem(std::string_view pattern) {
  const bool wild = pattern.substr(0, 2) == "*.";
  const std::string_view host = wild ? pattern.substr(2) : pattern;
  if (host.find('*') != kNone) {
    return "a star stands for whole labels at the front only: *.example.com";
  }
  if (HostOf(host) != host || (wild && IsAddress(host))) {
    return "expected a host in lower case such as api.example.com, *.example.com or 192.0.2.1, "
           "without a scheme, port or path";
  }
  return std::nullopt;
}

bool HostMatches(std::string_view pattern, std::string_view host) {
  if (pattern.substr(0, 2) != "*.") {
    return pattern == host;
  }
  const std::string_view suffix = pattern.substr(1);  // with its dot
  return host.size() > suffix.size() && host.substr(host.size() - suffix.size()) == suffix;
}

std::vector<std::string_view> HostLabels(std::string_view host) {
  std::vector<std::string_view> labels;
  if (IsAddress(host)) {
    return {host};
  }
  for (size_t end = host.size();;) {
    const size_t dot = host.substr(0, end).rfind('.');
    labels.push_back(host.substr(dot == kNone ? 0 : dot + 1, end - (dot == kNone ? 0 : dot + 1)));
    if (dot == kNone) {
      return labels;
    }
    end = dot;
  }
}

}  // namespace nacre::policy
