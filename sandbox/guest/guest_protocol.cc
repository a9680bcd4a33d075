#include "sandbox/guest/guest_protocol.h"

#include <optional>

#include "base/frame.h"
#include "base/json.h"

namespace nacre::sandbox::guest {
namespace {

constexpr size_t kTextBytesMax = 200;
constexpr int kErrorMax = 4095;  // the kernel's MAX_ERRNO
constexpr int64_t kWaitStatusMax = 0xffff;
constexpr int64_t kUseMax = (1LL << 53) - 1;  // what the audit log's numbers may be

// Arguments are bytes, JSON is UTF-8.
std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::string> Unhex(const std::string& text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Json HexList(const std::vector<std::string>& list) {
  Json json = Json::array();
  for (const std::string& each : list) {
    json.push_back(Hex(each));
  }
  return json;
}

bool ReadHexList(const Json& from, const char* key, std::vector<std::string>& into) {
  const Json* list = FindMember(from, key);
  if (list == nullptr || !list->is_array()) {
    return false;
  }
  for (const Json& each : *list) {
    const auto bytes = each.is_string() ? Unhex(each.get<std::string>()) : std::nullopt;
    if (!bytes) {
      return false;
    }
    into.push_back(*bytes);
  }
  return true;
}

bool ReadMountRules(const Json& from, std::vector<MountRule>& into) {
  const Json* list = FindMember(from, "mounts");
  if (list == nullptr || !list->is_array()) {
    return false;
  }
  for (const Json& each : *list) {
    const auto target = each.is_object() ? Unhex(StringMember(each, "target")) : std::nullopt;
    if (!target) {
      return false;
    }
    into.push_back({.target = *target,
                    .writable = BoolMember(each, "writable"),
                    .executable = BoolMember(each, "executable")});
  }
  return true;
}

Error Malformed(const char* what) {
  return {ErrorCode::kInvalidArgument, std::string("the guest protocol: malformed ") + what};
}

std::string FrameOf(FrameKind kind, std::string_view token, const Json& json) {
  return EncodeFrame(kind, token, DumpJson(json));
}

bool IsUse(const Json& json, const char* key) {
  const int64_t value = IntMember(json, key, 0);
  return value >= 0 && value <= kUseMax;
}

uint64_t Count(const Json& json, const char* key) {
  const int64_t value = IntMember(json, key, 0);
  return value < 0 ? 0 : static_cast<uint64_t>(value);
}

std::string ShortText(const Json& json, const char* key) {
  return StringMember(json, key).substr(0, kTextBytesMax);
}

}  // namespace

std::string EncodeFrame(FrameKind kind, std::string_view bytes) {
  std::string payload(1, static_cast<char>(kind));
  payload += bytes;
  return nacre::EncodeFrame(payload);
}

std::string EncodeFrame(FrameKind kind, std::string_view token, std::string_view bytes) {
  return EncodeFrame(kind, std::string(token) + std::string(bytes));
}

std::string EncodeTask(const Task& task) {
  const Limits& limits = task.limits;
  Json mounts = Json::array();
  for (const MountRule& each : task.mounts) {
    mounts.push_back({{"target", Hex(each.target)},
                      {"writable", each.writable},
                      {"executable", each.executable}});
  }
  return FrameOf(FrameKind::kTask, {},
                 {{"argv", HexList(task.argv)},
                  {"environment", HexList(task.environment)},
                  {"token", Hex(task.token)},
                  {"working_directory", Hex(task.working_directory)},
                  {"filter", Hex(task.filter)},
                  {"uid", task.uid},
                  {"mounts", std::move(mounts)},
                  {"wall_ms", limits.wall.count()},
                  {"cpu_s", limits.cpu.count()},
                  {"memory_bytes", limits.memory_bytes},
                  {"tasks", limits.tasks},
                  {"files", limits.files},
                  {"disk_bytes", limits.disk_bytes},
                  {"inodes", limits.inodes}});
}

Result<Task> ParseTask(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kTaskBytesMax, .depth_max = 4}));
  Task task;
  const auto directory = Unhex(StringMember(json, "working_directory"));
  const auto filter = Unhex(StringMember(json, "filter"));
  const auto token = Unhex(StringMember(json, "token"));
  if (!ReadHexList(json, "argv", task.argv) || task.argv.empty() ||
      !ReadHexList(json, "environment", task.environment) || !ReadMountRules(json, task.mounts) ||
      !directory || !filter || !token || token->size() != kTokenBytes) {
    return Malformed("task");
  }
  task.working_directory = *directory;
  task.filter = *filter;
  task.token = *token;
  task.uid = static_cast<uint32_t>(Count(json, "uid"));
  task.limits.wall = std::chrono::milliseconds(Count(json, "wall_ms"));
  task.limits.cpu = std::chrono::seconds(Count(json, "cpu_s"));
  task.limits.memory_bytes = Count(json, "memory_bytes");
  task.limits.tasks = static_cast<uint32_t>(Count(json, "tasks"));
  task.limits.files = static_cast<uint32_t>(Count(json, "files"));
  task.limits.disk_bytes = Count(json, "disk_bytes");
  task.limits.inodes = static_cast<uint32_t>(Count(json, "inodes"));
  return task;
}

std::string EncodeReady(std::string_view token, const Ready& ready) {
  return FrameOf(FrameKind::kReady, token,
                 {{"kernel", ready.kernel},
                  {"seccomp", ready.seccomp},
                  {"no_new_privs", ready.no_new_privs},
                  {"capabilities_empty", ready.capabilities_empty}});
}

Result<Ready> ParseReady(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kReportBytesMax, .depth_max = 2}));
  if (!json.is_object()) {
    return Malformed("report");
  }
  return Ready{.kernel = ShortText(json, "kernel"),
               .seccomp = BoolMember(json, "seccomp"),
               .no_new_privs = BoolMember(json, "no_new_privs"),
               .capabilities_empty = BoolMember(json, "capabilities_empty")};
}

std::string EncodeFailed(std::string_view token, const Failed& failed) {
  return FrameOf(FrameKind::kFailed, token, {{"step", failed.step}, {"errno", failed.error}});
}

Result<Failed> ParseFailed(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kReportBytesMax, .depth_max = 2}));
  const int64_t error = IntMember(json, "errno", -1);
  if (!json.is_object() || error < 0 || error > kErrorMax) {
    return Malformed("failure");
  }
  return Failed{.step = ShortText(json, "step"), .error = static_cast<int>(error)};
}

std::string EncodeEnd(std::string_view token, const End& end) {
  return FrameOf(FrameKind::kEnd, token,
                 {{"status", end.wait_status},
                  {"limit", end.limit},
                  {"cpu_us", end.cpu.count()},
                  {"wall_us", end.wall.count()},
                  {"memory_peak_bytes", end.memory_peak_bytes}});
}

Result<End> ParseEnd(std::string_view payload) {
  const Json json = NACRE_TRY(ParseJson(payload, {.bytes_max = kReportBytesMax, .depth_max = 2}));
  const int64_t status = IntMember(json, "status", -1);
  if (!json.is_object() || status < 0 || status > kWaitStatusMax || !IsUse(json, "cpu_us") ||
      !IsUse(json, "wall_us") || !IsUse(json, "memory_peak_bytes")) {
    return Malformed("end");
  }
  return End{.wait_status = static_cast<int>(status),
             .limit = ShortText(json, "limit"),
             .cpu = std::chrono::microseconds(Count(json, "cpu_us")),
             .wall = std::chrono::microseconds(Count(json, "wall_us")),
             .memory_peak_bytes = Count(json, "memory_peak_bytes")};
}

}  // namespace nacre::sandbox::guest
