// The parts of nacre-mini's training that Debian's PyTorch is slow at, as plain loops.
//
// Debian builds PyTorch for AVX2 and runs each small operation over memory once; here each is one
// pass, compiled for the machine that trains. Matrices stay with PyTorch (oneDNN, bfloat16).
// Called by kernels.py through ctypes; all arrays are contiguous; b16 is bfloat16 as raw bits.
#include <math.h>
#include <stdint.h>

typedef uint16_t b16;

static inline float load(b16 bits) {
  union {
    uint32_t u;
    float f;
  } x = {.u = (uint32_t)bits << 16};
  return x.f;
}

// To nearest, ties to even; there are no NaNs here.
static inline b16 store(float value) {
  union {
    float f;
    uint32_t u;
  } x = {.f = value};
  return (b16)((x.u + 0x7fffu + ((x.u >> 16) & 1u)) >> 16);
}

// y = x / rms(x) * gain, and 1 / rms of each row for the way back.
void rms_forward(int rows, int width, float eps, const float* x, const float* gain, b16* y,
                 float* inverse) {
  for (int r = 0; r < rows; ++r, x += width, y += width) {
    float sum = 0;
    for (int i = 0; i < width; ++i) {
      sum += x[i] * x[i];
    }
    const float scale = 1.0f / sqrtf(sum / width + eps);
    inverse[r] = scale;
    for (int i = 0; i < width; ++i) {
      y[i] = store(x[i] * scale * gain[i]);
    }
  }
}

// dgain is added to.
void rms_backward(int rows, int width, const float* x, const float* gain, const float* inverse,
                  const b16* dy, float* dx, float* dgain) {
  for (int r = 0; r < rows; ++r, x += width, dx += width, dy += width) {
    const float scale = inverse[r];
    float dot = 0;
    for (int i = 0; i < width; ++i) {
      const float d = load(dy[i]);
      dgain[i] += d * x[i] * scale;
      dot += d * gain[i] * x[i];
    }
    const float back = dot * scale * scale * scale / width;
    for (int i = 0; i < width; ++i) {
      dx[i] = load(dy[i]) * gain[i] * scale - x[i] * back;
    }
  }
}

// y = silu(gate) * up, where a row holds gate, then up.
void swiglu_forward(int rows, int width, const b16* gate_up, b16* y) {
  for (int r = 0; r < rows; ++r, gate_up += 2 * width, y += width) {
    for (int i = 0; i < width; ++i) {
      const float g = load(gate_up[i]);
      y[i] = store(g / (1.0f + expf(-g)) * load(gate_up[width + i]));
    }
  }
}

void swiglu_backward(int rows, int width, const b16* gate_up, const b16* dy, b16* d) {
  for (int r = 0; r < rows; ++r, gate_up += 2 * width, d += 2 * width, dy += width) {
    for (int i = 0; i < width; ++i) {
      const float g = load(gate_up[i]);
      const float s = 1.0f / (1.0f + expf(-g));
      const float dyi = load(dy[i]);
      d[i] = store(dyi * load(gate_up[width + i]) * s * (1.0f + g * (1.0f - s)));
      d[width + i] = store(dyi * g * s);
    }
  }
}

// Rows of `length` causal attention scores become weights, in place; what a position may not see
// becomes 0. `count` matrices.
void softmax_forward(int count, int length, float scale, b16* scores) {
  for (int m = 0; m < count; ++m) {
    for (int r = 0; r < length; ++r, scores += length) {
      float highest = -INFINITY;
      for (int i = 0; i <= r; ++i) {
        highest = fmaxf(highest, load(scores[i]));
      }
      float sum = 0;
      float row[4096];
      for (int i = 0; i <= r; ++i) {
        row[i] = expf((load(scores[i]) - highest) * scale);
        sum += row[i];
      }
      const float inverse = 1.0f / sum;
      for (int i = 0; i <= r; ++i) {
        scores[i] = store(row[i] * inverse);
      }
      for (int i = r + 1; i < length; ++i) {
        scores[i] = 0;
      }
    }
  }
}

// From the gradient of the weights to that of the scores, in place.
void softmax_backward(int count, int length, float scale, const b16* weights, b16* d) {
  for (int m = 0; m < count; ++m) {
    for (int r = 0; r < length; ++r, weights += length, d += length) {
      float dot = 0;
      for (int i = 0; i <= r; ++i) {
        dot += load(weights[i]) * load(d[i]);
      }
      for (int i = 0; i <= r; ++i) {
        d[i] = store(load(weights[i]) * (load(d[i]) - dot) * scale);
      }
      for (int i = r + 1; i < length; ++i) {
        d[i] = 0;
      }
    }
  }
}

// [batch, length, 3, heads, size] to three [batch, heads, length, size], the first two turned by
// their position's angle (two-halves form). `cosine` and `sine` are [length, size / 2].
void rotate_forward(int batch, int length, int heads, int size, const b16* qkv, const float* cosine,
                    const float* sine, b16* q, b16* k, b16* v) {
  const int half = size / 2;
  b16* const parts[3] = {q, k, v};
  for (int b = 0; b < batch; ++b) {
    for (int t = 0; t < length; ++t) {
      const float* c = cosine + t * half;
      const float* s = sine + t * half;
      for (int part = 0; part < 3; ++part) {
        for (int h = 0; h < heads; ++h, qkv += size) {
          b16* to = parts[part] + (((int64_t)b * heads + h) * length + t) * size;
          for (int i = 0; i < half; ++i) {
            const float x = load(qkv[i]);
            const float y = load(qkv[half + i]);
            to[i] = part == 2 ? qkv[i] : store(x * c[i] - y * s[i]);
            to[half + i] = part == 2 ? qkv[half + i] : store(x * s[i] + y * c[i]);
          }
        }
      }
    }
  }
}

void rotate_backward(int batch, int length, int heads, int size, const b16* dq, const b16* dk,
                     const b16* dv, const float* cosine, const float* sine, b16* d) {
  const int half = size / 2;
  const b16* const parts[3] = {dq, dk, dv};
  for (int b = 0; b < batch; ++b) {
    for (int t = 0; t < length; ++t) {
      const float* c = cosine + t * half;
      const float* s = sine + t * half;
      for (int part = 0; part < 3; ++part) {
        for (int h = 0; h < heads; ++h, d += size) {
          const b16* from = parts[part] + (((int64_t)b * heads + h) * length + t) * size;
          for (int i = 0; i < half; ++i) {
            const float x = load(from[i]);
            const float y = load(from[half + i]);
            d[i] = part == 2 ? from[i] : store(x * c[i] + y * s[i]);
            d[half + i] = part == 2 ? from[half + i] : store(y * c[i] - x * s[i]);
          }
        }
      }
    }
  }
}
