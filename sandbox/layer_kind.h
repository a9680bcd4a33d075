// LayerKind: how the changes of a call are kept apart from its transactional workspace. See
// workspace/call_layer.h.
#pragma once

namespace nacre::sandbox {

enum class LayerKind { kOverlay = 0, kCopy };

inline const char* LayerKindName(LayerKind kind) {  // stable
  return kind == LayerKind::kOverlay ? "overlay" : "copy";
}

}  // namespace nacre::sandbox
