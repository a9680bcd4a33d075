// What a person says yes to: one exact call. Its tool, its arguments as they were judged, the workspace,
// and the files of the workspace that the arguments name, as they are at that moment. Described before
// the person is asked and again after the answer: a yes to what has changed meanwhile is a no.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "runtime/agent/tool_call.h"

namespace nacre::agent {

struct ApprovedFile {
  std::string path;  // in the sandbox
  std::string
      digest;  // "sha256:..."; "absent", "folder", or "large: BYTES bytes, changed NS" above 64 MiB

  friend bool operator==(const ApprovedFile&, const ApprovedFile&) = default;
};

struct ApprovalSubject {
  std::string tool;
  std::string arguments_digest;  // of the canonical JSON
  std::string workspace;         // host path
  std::vector<ApprovedFile> files;
  std::string unbound;  // why no yes can be held to the files as they are now; empty: one can

  friend bool operator==(const ApprovalSubject&, const ApprovalSubject&) = default;
};

// Files: of every path argument, and of every other text that names a file of the workspace (the
// elements of argv). Links are not followed: what one leads to may change without notice, so the link's
// own text is digested. What cannot be read is "unreadable". A call that names a file behind a link to a
// folder, more than 256 files, or files whose names have together more than 24 KiB in JSON, is `unbound`.
ApprovalSubject DescribeApproval(const ToolCall& call, const std::string& workspace);

// The same without any file: for a call that nobody is asked about.
ApprovalSubject NameApproval(const ToolCall& call, const std::string& workspace);

// For the audit record: {"tool", "arguments_digest", "workspace", "files": {PATH: DIGEST}, "digest"}, each PATH an
// audit::RecordKey.
// "digest" is that of all the rest.
Json ToJson(const ApprovalSubject& subject);

// The text with every character written as \u{NNNN} that is no ASCII and looks like a letter, digit or
// sign that is, such as the Cyrillic "а", and every other letter outside of ASCII that stands in a word
// with ASCII letters (but é and the like, which look like no other). Equal to the text when there is none.
std::string ShowConfusables(std::string_view text);

}  // namespace nacre::agent
