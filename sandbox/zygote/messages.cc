#include "sandbox/zygote/messages.h"

#include <cstring>

namespace nacre::sandbox::zygote {
namespace {

constexpr size_t kItemsMax = 16 * 1024;    // of any list in a message
constexpr size_t kInstructionsMax = 4096;  // the kernel's BPF_MAXINSNS

class Writer {
 public:
  void Number(uint64_t value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof bytes);
  }
  void Text(std::string_view text) {
    Number(text.size());
    bytes_.append(text);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Once something does not fit, all that follows reads as zero and Finish() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number() {
    uint64_t value = 0;
    if (bytes_.size() < sizeof value) {
      good_ = false;
      bytes_ = {};
      return 0;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  uint64_t NumberUpTo(uint64_t most) {
    const uint64_t value = Number();
    if (value > most) {
      good_ = false;
      return 0;
    }
    return value;
  }
  template <typename Enum>
  Enum EnumUpTo(Enum last) {
    return static_cast<Enum>(NumberUpTo(static_cast<uint64_t>(last)));
  }
  bool Flag() { return NumberUpTo(1) == 1; }
  uint32_t Small() { return static_cast<uint32_t>(NumberUpTo(UINT32_MAX)); }
  int32_t Signed() { return static_cast<int32_t>(NumberUpTo(INT32_MAX)); }
  std::string_view View() {
    const uint64_t size = Number();
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  // Texts become C strings.
  std::string Text() {
    const std::string_view text = View();
    good_ = good_ && text.find('\0') == std::string_view::npos;
    return std::string(text);
  }
  // The size of a list whose items have at least one number each.
  size_t Count(size_t most = kItemsMax) {
    const uint64_t count = NumberUpTo(most);
    if (count > bytes_.size() / sizeof(uint64_t)) {
      good_ = false;
      return 0;
    }
    return count;
  }
  bool good() const { return good_; }
  bool finished() const { return good_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

Error Malformed() {
  return {ErrorCode::kInvalidArgument, "a malformed message between the runtime and its zygote"};
}

// By a binding to every field, here and for plans: a new field does not compile until it is decided
// whether it travels.
void WriteStep(Writer& out, const Step& step) {
  const auto& [kind, name, path, text, number, value, source, create, optional] = step;
  static_cast<void>(name);  // failed steps are reported by index
  out.Number(static_cast<uint64_t>(kind));
  out.Text(path);
  out.Text(text);
  out.Number(number);
  out.Number(value);
  out.Number(source);
  out.Number((create ? 1U : 0U) | (optional ? 2U : 0U));
}

Step ReadStep(Reader& in) {
  Step step;
  step.kind = in.EnumUpTo(StepKind::kExec);
  step.path = in.Text();
  step.text = in.Text();
  step.number = in.Number();
  step.value = in.Number();
  step.source = in.NumberUpTo(kItemsMax);
  const uint64_t flags = in.NumberUpTo(3);
  step.create = (flags & 1) != 0;
  step.optional = (flags & 2) != 0;
  return step;
}

void WriteTexts(Writer& out, const std::vector<std::string>& texts) {
  out.Number(texts.size());
  for (const std::string& text : texts) {
    out.Text(text);
  }
}

std::vector<std::string> ReadTexts(Reader& in) {
  std::vector<std::string> texts;
  for (size_t left = in.Count(); left > 0 && in.good(); --left) {
    texts.push_back(in.Text());
  }
  return texts;
}

void WritePlan(Writer& out, const LaunchPlan& plan) {
  const auto& [steps, prepared_steps, sources, landlock_rules, prepared_rules, landlock_abi,
               seccomp_profile, observe, id, network_group, argv, environment, interpreter, limits,
               cgroup_version, privileged, devices, inside_id, may_be_root, exceptions, weaker,
               cold, unmet, shared_namespaces, fail_at_step] = plan;
  // The runtime's own: how it came to the steps, and what it says of the call.
  static_cast<void>(prepared_steps);
  static_cast<void>(seccomp_profile);
  static_cast<void>(observe);  // such a call is cold
  static_cast<void>(id);
  static_cast<void>(devices);
  static_cast<void>(may_be_root);  // the runtime opens what is mounted
  static_cast<void>(exceptions);
  static_cast<void>(weaker);
  static_cast<void>(cold);
  static_cast<void>(unmet);
  out.Number(steps.size());
  for (const Step& step : steps) {
    WriteStep(out, step);
  }
  out.Number(sources.size());
  out.Number(landlock_rules.size());
  for (const kernel::LandlockRule& rule : landlock_rules) {
    out.Text(rule.path);
    out.Number(static_cast<uint64_t>(rule.grant));
  }
  out.Number(prepared_rules);
  out.Number(static_cast<uint64_t>(landlock_abi));
  WriteTexts(out, argv);
  WriteTexts(out, environment);
  WriteTexts(out, interpreter);
  out.Number(limits.memory_bytes);
  out.Number(limits.disk_bytes);
  out.Number(limits.tasks);
  out.Number(limits.inodes);
  out.Number(static_cast<uint64_t>(cgroup_version));
  out.Number(privileged ? 1 : 0);
  out.Number(inside_id);
  out.Number(shared_namespaces);
  out.Text(network_group);
  out.Number(fail_at_step ? *fail_at_step + 1 : 0);
}

LaunchPlan ReadPlan(Reader& in) {
  LaunchPlan plan;
  for (size_t left = in.Count(); left > 0 && in.good(); --left) {
    plan.steps.push_back(ReadStep(in));
  }
  plan.sources.resize(in.NumberUpTo(kDescriptorsMax));
  for (size_t left = in.Count(); left > 0 && in.good(); --left) {
    std::string path = in.Text();
    plan.landlock_rules.push_back(
        {std::move(path), in.EnumUpTo(kernel::LandlockGrant::kUseDevice)});
  }
  plan.prepared_rules = in.NumberUpTo(plan.landlock_rules.size());
  plan.landlock_abi = in.Signed();
  plan.argv = ReadTexts(in);
  plan.environment = ReadTexts(in);
  plan.interpreter = ReadTexts(in);
  plan.limits.memory_bytes = in.Number();
  plan.limits.disk_bytes = in.Number();
  plan.limits.tasks = in.Small();
  plan.limits.inodes = in.Small();
  plan.cgroup_version = in.EnumUpTo(kernel::CgroupVersion::kV2);
  plan.privileged = in.Flag();
  plan.inside_id = in.Small();
  plan.shared_namespaces = in.Number();
  plan.network_group = in.Text();
  if (const uint64_t fail = in.NumberUpTo(kItemsMax); fail > 0) {
    plan.fail_at_step = fail - 1;
  }
  return plan;
}

// Every step may name only what the plan has.
bool IsCoherent(const LaunchPlan& plan) {
  for (const Step& step : plan.steps) {
    const bool uses_source = step.kind == StepKind::kMountSource ||
                             step.kind == StepKind::kOpenSource || step.kind == StepKind::kOverlay;
    if (uses_source && step.source >= plan.sources.size()) {
      return false;
    }
    if ((step.kind == StepKind::kExec && plan.argv.empty()) ||
        (step.kind == StepKind::kStartInterpreter && plan.interpreter.empty()) ||
        (step.kind == StepKind::kSplit &&
         step.number >= static_cast<size_t>(plan.steps.data() + plan.steps.size() - &step))) {
      return false;
    }
  }
  return true;
}

void WriteFilter(Writer& out, const std::vector<sock_filter>& filter) {
  out.Text({reinterpret_cast<const char*>(filter.data()), filter.size() * sizeof(sock_filter)});
}

std::vector<sock_filter> ReadFilter(Reader& in, bool& good) {
  const std::string_view bytes = in.View();
  good = good && !bytes.empty() && bytes.size() % sizeof(sock_filter) == 0 &&
         bytes.size() / sizeof(sock_filter) <= kInstructionsMax;
  if (!good) {
    return {};
  }
  std::vector<sock_filter> filter(bytes.size() / sizeof(sock_filter));
  std::memcpy(filter.data(), bytes.data(), bytes.size());
  return filter;
}

struct WriteBody {
  Writer& out;

  void operator()(const SetUp& m) {
    out.Text(m.launch_digest);
    out.Number(static_cast<uint64_t>(m.cgroup.version));
    out.Text(m.cgroup.memory_directory);
    out.Text(m.cgroup.pids_directory);
    out.Text(m.cgroup.cpu_directory);
    out.Text(m.cgroup.detail);
  }
  void operator()(const AddTemplate& m) {
    out.Number(m.number);
    WritePlan(out, m.plan);
    WriteFilter(out, m.tool_filter);
    WriteFilter(out, m.killing_tool_filter);
    WriteFilter(out, m.reaper_filter);
  }
  void operator()(const DropTemplate& m) { out.Number(m.number); }
  void operator()(const MakeSlots& m) {
    out.Number(m.number);
    out.Number(m.count);
  }
  void operator()(const OpenTree& m) {
    out.Text(m.path);
    out.Number(m.attributes);
    out.Number(m.device);
    out.Number(m.inode);
  }
  void operator()(const ReturnSlot& m) { out.Number(m.slot); }
  void operator()(const SlotMade& m) {
    out.Number(m.number);
    out.Number(m.slot);
    out.Number(static_cast<uint64_t>(m.pid));
    out.Number(m.meter_files);
  }
  void operator()(const SlotFailed& m) {
    out.Number(m.number);
    out.Number(static_cast<uint64_t>(m.error));
    out.Text(m.step);
  }
  void operator()(const TreeOpened& m) { out.Number(static_cast<uint64_t>(m.error)); }
  void operator()(const SlotEnded& m) { out.Number(m.slot); }
  void operator()(const SlotGone& m) { out.Number(m.slot); }
};

template <typename Message>
std::string EncodeAny(const Message& message) {
  Writer out;
  out.Number(message.index());
  std::visit(WriteBody{out}, message);
  return out.Take();
}

// The message, if nothing follows it.
template <typename Any, typename Message>
Result<Any> Whole(const Reader& in, Message message) {
  if (!in.finished()) {
    return Malformed();
  }
  return Any(std::move(message));
}

}  // namespace

std::string Encode(const Command& command) {
  return EncodeAny(command);
}

std::string Encode(const Event& event) {
  return EncodeAny(event);
}

// Each alternative is returned as itself: gcc 12 takes a variant that changes for one half-made.
Result<Command> DecodeCommand(std::string_view bytes) {
  Reader in(bytes);
  switch (in.NumberUpTo(std::variant_size_v<Command> - 1)) {
    case 0: {
      SetUp m;
      m.launch_digest = in.Text();
      m.cgroup.version = in.EnumUpTo(kernel::CgroupVersion::kV2);
      m.cgroup.memory_directory = in.Text();
      m.cgroup.pids_directory = in.Text();
      m.cgroup.cpu_directory = in.Text();
      m.cgroup.detail = in.Text();
      return Whole<Command>(in, std::move(m));
    }
    case 1: {
      AddTemplate m;
      bool good = true;
      m.number = in.Small();
      m.plan = ReadPlan(in);
      m.tool_filter = ReadFilter(in, good);
      m.killing_tool_filter = ReadFilter(in, good);
      m.reaper_filter = ReadFilter(in, good);
      if (!good || !IsCoherent(m.plan)) {
        return Malformed();
      }
      return Whole<Command>(in, std::move(m));
    }
    case 2:
      return Whole<Command>(in, DropTemplate{.number = in.Small()});
    case 3: {
      MakeSlots m;
      m.number = in.Small();
      m.count = in.Small();
      return Whole<Command>(in, m);
    }
    case 4: {
      OpenTree m;
      m.path = in.Text();
      m.attributes = in.Number();
      m.device = in.Number();
      m.inode = in.Number();
      return Whole<Command>(in, std::move(m));
    }
    default:
      return Whole<Command>(in, ReturnSlot{.slot = in.Small()});
  }
}

Result<Event> DecodeEvent(std::string_view bytes) {
  Reader in(bytes);
  switch (in.NumberUpTo(std::variant_size_v<Event> - 1)) {
    case 0: {
      SlotMade m;
      m.number = in.Small();
      m.slot = in.Small();
      m.pid = in.Signed();
      m.meter_files = static_cast<uint32_t>(in.NumberUpTo((1U << kernel::CgroupMeter::kFiles) - 1));
      return Whole<Event>(in, m);
    }
    case 1: {
      SlotFailed m;
      m.number = in.Small();
      m.error = in.Signed();
      m.step = in.Text();
      return Whole<Event>(in, std::move(m));
    }
    case 2:
      return Whole<Event>(in, TreeOpened{.error = in.Signed()});
    case 3:
      return Whole<Event>(in, SlotEnded{.slot = in.Small()});
    default:
      return Whole<Event>(in, SlotGone{.slot = in.Small()});
  }
}

std::string Encode(const InterpreterSlot& slot) {
  const auto& [launch_digest, report, standard_input, standard_output, standard_error, channel,
               ruleset, expected, tool_filter, killing_tool_filter] = slot;
  const auto& [outside, launcher, separate] = expected;
  Writer out;
  out.Text(launch_digest);
  for (const uint32_t number :
       {report, standard_input, standard_output, standard_error, channel, ruleset}) {
    out.Number(number);
  }
  out.Number(outside.uid);
  out.Number(outside.gid);
  for (const uint64_t each : launcher) {
    out.Number(each);
  }
  out.Number(separate);
  WriteFilter(out, tool_filter);
  WriteFilter(out, killing_tool_filter);
  return out.Take();
}

Result<InterpreterSlot> DecodeInterpreterSlot(std::string_view bytes) {
  Reader in(bytes);
  bool good = true;
  InterpreterSlot slot;
  slot.launch_digest = in.Text();
  for (uint32_t* const number : {&slot.report, &slot.standard_input, &slot.standard_output,
                                 &slot.standard_error, &slot.channel, &slot.ruleset}) {
    *number = static_cast<uint32_t>(in.NumberUpTo(INT32_MAX));
  }
  slot.expected.outside.uid = in.Small();
  slot.expected.outside.gid = in.Small();
  for (uint64_t& each : slot.expected.launcher) {
    each = in.Number();
  }
  slot.expected.separate = in.Small();
  slot.tool_filter = ReadFilter(in, good);
  slot.killing_tool_filter = ReadFilter(in, good);
  if (!good || !in.finished()) {
    return Malformed();
  }
  return slot;
}

std::string Encode(const InterpreterPart& part) {
  Writer out;
  out.Number(part.first_index);
  WritePlan(out, part.plan);
  return out.Take();
}

Result<InterpreterPart> DecodeInterpreterPart(std::string_view bytes) {
  Reader in(bytes);
  InterpreterPart part;
  part.first_index = in.NumberUpTo(kItemsMax);
  part.plan = ReadPlan(in);
  if (!in.finished() || !IsCoherent(part.plan)) {
    return Malformed();
  }
  return part;
}

std::string EncodePlan(const LaunchPlan& plan) {
  Writer out;
  WritePlan(out, plan);
  return out.Take();
}

Result<LaunchPlan> DecodePlan(std::string_view bytes) {
  Reader in(bytes);
  LaunchPlan plan = ReadPlan(in);
  if (!in.finished() || !IsCoherent(plan)) {
    return Malformed();
  }
  return plan;
}

}  // namespace nacre::sandbox::zygote
