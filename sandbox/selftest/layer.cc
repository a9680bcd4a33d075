#include "sandbox/selftest/layer.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "sandbox/kernel/mount.h"
#include "sandbox/report.h"

namespace nacre::sandbox {
namespace {

struct Named {
  Layer layer;
  const char* name;
  const char* why_not_alone;
};

constexpr std::array kLayers = {
    Named{Layer::kSeccomp, "seccomp", ""},
    Named{Layer::kMount, "mount", ""},
    Named{Layer::kLandlock, "landlock", ""},
    Named{Layer::kUserNamespace, "user-namespace",
          "all other namespaces are made with its privileges"},
    Named{
        Layer::kPidNamespace, "pid-namespace",
        "the end of its first process is what ends a call: without it nothing could be cleaned up"},
    Named{Layer::kNetworkNamespace, "network-namespace", ""},
    Named{Layer::kIpcNamespace, "ipc-namespace", ""},
    Named{Layer::kUtsNamespace, "uts-namespace", ""},
    Named{Layer::kCgroupNamespace, "cgroup-namespace", ""},
    Named{Layer::kTimeNamespace, "time-namespace", ""},
    Named{Layer::kCgroup, "cgroup", ""},
    Named{Layer::kRlimit, "rlimit", ""},
    Named{Layer::kCapabilities, "capabilities", ""},
    Named{Layer::kNoNewPrivileges, "no-new-privs",
          "the kernel loads no filter and no Landlock rules without it"},
    Named{Layer::kDescriptors, "descriptors",
          "each descriptor is closed by number and closes itself at exec"},
    Named{Layer::kEnvironment, "environment", ""},
    Named{Layer::kSession, "session", ""},
    Named{Layer::kDumpable, "dumpable", "it is one line of the change of identity"},
    Named{Layer::kMonitor, "monitor", "a call that nothing ends would not end"},
    Named{Layer::kKernel, "kernel", "it is the kernel's own"},
    Named{Layer::kTier, "tier", "it is another kernel"},
};

const Named& Find(Layer layer) {
  return *std::find_if(kLayers.begin(), kLayers.end(),
                       [layer](const Named& each) { return each.layer == layer; });
}

void Drop(LaunchPlan& plan, std::initializer_list<StepKind> kinds) {
  const auto dropped = [kinds](const Step& step) {
    return std::find(kinds.begin(), kinds.end(), step.kind) != kinds.end();
  };
  const auto prepared_end = plan.steps.begin() + static_cast<std::ptrdiff_t>(plan.prepared_steps);
  plan.prepared_steps -=
      static_cast<size_t>(std::count_if(plan.steps.begin(), prepared_end, dropped));
  std::erase_if(plan.steps, dropped);
}

// What a plan without a layer cannot give evidence of.
void ExpectNo(LaunchPlan& plan, Evidence evidence) {
  for (Step& step : plan.steps) {
    if (step.kind == StepKind::kEvidence) {
      step.number &= ~EvidenceBit(evidence);
    }
  }
}

// The host's own folders, its /dev, /tmp and all of /proc; everything that is mounted may be written
// to and executed.
void WidenView(LaunchPlan& plan) {
  Drop(plan, {StepKind::kReadOnlyRoot, StepKind::kReadOnlyPath, StepKind::kHiddenPath,
              StepKind::kPin, StepKind::kTmpfs, StepKind::kShowTmp});
  constexpr uint64_t kStrict = kernel::kReadOnly | kernel::kNoExec;
  for (Step& step : plan.steps) {
    if (step.kind == StepKind::kMountSource || step.kind == StepKind::kOpenSource ||
        step.kind == StepKind::kBindSystem || step.kind == StepKind::kProc) {
      step.number &= ~kStrict;
    }
    if (step.kind == StepKind::kProc) {
      step.value = static_cast<uint64_t>(kernel::ProcView::kEverything);
    }
  }
  for (Source& source : plan.sources) {
    source.attributes &= ~kStrict;
  }
  std::vector<Step> more;
  for (const std::string path : {"dev", "etc", "home", "root", "run", "sys", "tmp", "var"}) {
    Step directory;
    directory.kind = StepKind::kDirectory;
    directory.name = "directory /" + path;
    directory.path = path;
    directory.number = 0755;
    directory.optional = true;  // it may be there
    more.push_back(directory);
    Step bind;
    bind.kind = StepKind::kBindSystem;
    bind.name = "host /" + path;
    bind.path = path;
    bind.text = "/" + path;
    bind.optional = true;  // the host may not have it
    more.push_back(bind);
  }
  const auto pivot = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [](const Step& step) { return step.kind == StepKind::kPivot; });
  plan.steps.insert(pivot, more.begin(), more.end());
  plan.prepared_steps += more.size();
}

}  // namespace

const std::vector<Layer>& AllLayers() {
  static const std::vector<Layer> all = [] {
    std::vector<Layer> layers;
    for (const Named& each : kLayers) {
      layers.push_back(each.layer);
    }
    return layers;
  }();
  return all;
}

const char* LayerName(Layer layer) {
  return layer == Layer::kNone ? "none" : Find(layer).name;
}

std::optional<Layer> ParseLayer(std::string_view name) {
  for (const Named& each : kLayers) {
    if (name == each.name) {
      return each.layer;
    }
  }
  return std::nullopt;
}

Layer InTier(Layer layer) {
  switch (layer) {
    case Layer::kNone:
    case Layer::kSeccomp:
    case Layer::kDescriptors:
    case Layer::kEnvironment:
    case Layer::kMonitor:
      return layer;
    default:
      return Layer::kTier;
  }
}

std::string WhyNotAlone(Layer layer) {
  return Find(layer).why_not_alone;
}

LaunchPlan Without(LaunchPlan plan, Layer layer) {
  switch (layer) {
    case Layer::kSeccomp:
      Drop(plan, {StepKind::kSeccomp});
      ExpectNo(plan, Evidence::kSeccomp);
      break;
    case Layer::kMount:
      WidenView(plan);
      break;
    case Layer::kLandlock:
      Drop(plan, {StepKind::kPrepareLandlock, StepKind::kLandlockRules, StepKind::kLandlock});
      plan.landlock_abi = 0;  // for PID 1
      ExpectNo(plan, Evidence::kLandlock);
      break;
    case Layer::kNetworkNamespace:
      plan.shared_namespaces = CLONE_NEWNET;
      break;
    case Layer::kIpcNamespace:
      plan.shared_namespaces = CLONE_NEWIPC;
      break;
    case Layer::kUtsNamespace:
      plan.shared_namespaces = CLONE_NEWUTS;
      Drop(plan, {StepKind::kHostname});
      break;
    case Layer::kCgroupNamespace:
      plan.shared_namespaces = CLONE_NEWCGROUP;
      break;
    case Layer::kTimeNamespace:
      Drop(plan, {StepKind::kTimeNamespace});
      break;
    case Layer::kCgroup:
      plan.cgroup_version = kernel::CgroupVersion::kNone;
      break;
    case Layer::kRlimit:
      Drop(plan, {StepKind::kResourceLimit});
      break;
    case Layer::kCapabilities:
      Drop(plan, {StepKind::kLimitCapabilities, StepKind::kCapabilities});
      ExpectNo(plan, Evidence::kCapabilities);
      break;
    case Layer::kEnvironment:
      for (char** each = environ; *each != nullptr; ++each) {
        plan.environment.emplace_back(*each);
      }
      break;
    case Layer::kSession:
      Drop(plan, {StepKind::kSession});
      break;
    default:
      break;
  }
  return plan;
}

}  // namespace nacre::sandbox
