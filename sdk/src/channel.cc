#include "sdk/src/channel.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/frame.h"

namespace nacre::sdk {
namespace {

constexpr uint32_t kFrameBytesMax = 4U << 20;
// Six times this, the worst that JSON escapes can make of it, still fits a frame.
constexpr size_t kTextBytesMax = 512U << 10;

[[noreturn]] void Fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

UniqueFd DuplicateOutOfReach(int descriptor) {
  const int duplicate = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kChannelOut + 1);
  if (duplicate < 0) {
    Fail("take the channel");
  }
  return UniqueFd(duplicate);
}

std::string ReplaceInvalidUtf8(const std::string& text) {
  using Json = nlohmann::json;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace

std::string BoundedText(const std::string& text) {
  std::string valid = ReplaceInvalidUtf8(text);
  if (valid.size() <= kTextBytesMax) {
    return valid;
  }
  size_t end = valid.rfind('\n', kTextBytesMax - 64);
  if (end == std::string::npos) {
    end = kTextBytesMax - 64;
    while ((static_cast<unsigned char>(valid[end]) & 0xC0U) == 0x80U) {
      --end;
    }
  }
  const auto missing =
      std::count(valid.begin() + static_cast<ptrdiff_t>(end) + 1, valid.end(), '\n') + 1;
  valid.resize(end);
  return valid + "\n(truncated: " + std::to_string(missing) +
         (missing == 1 ? " more line)" : " more lines)");
}

Channel Channel::Take() {
  // A child of the same user could otherwise attach, or open our descriptors through /proc.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    Fail("prctl PR_SET_DUMPABLE");
  }
  UniqueFd in = DuplicateOutOfReach(STDIN_FILENO);
  UniqueFd out = DuplicateOutOfReach(kChannelOut);
  const UniqueFd empty(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (::dup2(empty.get(), STDIN_FILENO) < 0) {
    Fail("open /dev/null");
  }
  ::close(kChannelOut);
  return {std::move(in), std::move(out)};
}

Arguments Channel::Read() {
  const Result<std::string> payload = ReadFrame(in_.get(), kFrameBytesMax);
  if (!payload.ok()) {
    throw std::runtime_error("read from the host: " + payload.error().message);
  }
  return Arguments::parse(payload.value());
}

void Channel::Write(const Arguments& message) {
  const Status written =
      WriteFrame(out_.get(), message.dump(-1, ' ', false, Arguments::error_handler_t::replace));
  if (!written.ok()) {
    throw std::runtime_error("write to the host: " + written.error().message);
  }
}

Channel::Request Channel::ReadRequest() {
  Arguments request = Read();
  return {.call_id = request.at("call").get<std::string>(),
          .arguments = std::move(request.at("arguments"))};
}

void Channel::WriteReply(const ToolReply& reply) {
  Write({{"result", {{"text", BoundedText(reply.text)}, {"error", reply.error}}}});
}

Arguments Channel::CallHost(const char* method, const Arguments& arguments) {
  Write({{"host", method}, {"arguments", arguments}});
  Arguments answer = Read();
  if (!answer.at("ok").get<bool>()) {
    throw ToolError(answer.at("value").get<std::string>());
  }
  return std::move(answer.at("value"));
}

void Channel::Note(const std::string& text) {
  CallHost("memory.note", {{"text", text}});
}

std::vector<std::string> Channel::Search(const std::string& query) {
  return CallHost("memory.search", {{"query", query}}).get<std::vector<std::string>>();
}

}  // namespace nacre::sdk
