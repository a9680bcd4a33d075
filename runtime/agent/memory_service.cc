#include "runtime/agent/memory_service.h"

#include "base/digest.h"

namespace nacre::agent {
namespace {
constexpr size_t kNoteBytesMax = 4096;
constexpr size_t kQueryBytesMax = 1024;
constexpr int64_t kNotesMax = 10;
}  // namespace

Result<Json> MemoryService::Call(const std::string& method, const Json& arguments) {
  if (method == "memory.note") {
    const std::string text = StringMember(arguments, "text");
    if (text.empty() || text.size() > kNoteBytesMax) {
      return Error{ErrorCode::kInvalidArgument,
                   "a note has 1 to " + std::to_string(kNoteBytesMax) + " bytes"};
    }
    NACRE_TRY(log_.Append({.event = "memory.noted",
                           .session = scope_.session,
                           .turn = scope_.turn,
                           .call = scope_.call,
                           .policy_digest = scope_.policy_digest,
                           .data = {{"digest", Sha256Text(text)}, {"bytes", text.size()}},
                           .actor = "agent"}));
    NACRE_TRY(store_.AddNote(scope_.workspace, text,
                             memory::UnionOfWords(scope_.labels, read_labels_),
                             UnixMillis(clock_.Now())));
    return Json(nullptr);
  }
  if (method == "memory.search") {
    const std::string query = StringMember(arguments, "query").substr(0, kQueryBytesMax);
    const std::vector<memory::NoteRecord> notes =
        NACRE_TRY(store_.SearchNotes(scope_.workspace, query, kNotesMax));
    Json texts = Json::array();
    for (const memory::NoteRecord& note : notes) {
      texts.push_back(note.text);
      read_labels_ = memory::UnionOfWords(std::move(read_labels_), note.labels);
    }
    return texts;
  }
  return Error{ErrorCode::kNotFound, "there is no host service \"" + method.substr(0, 64) + "\""};
}

}  // namespace nacre::agent
