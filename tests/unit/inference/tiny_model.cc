#include "tests/unit/inference/tiny_model.h"

#include <ggml.h>
#include <gguf.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/result.h"

namespace nacre::inference::testing {
namespace {

constexpr int kLayers = 2;
constexpr uint32_t kHeads = 4;
constexpr int kControls = 5;

struct ContextDeleter {
  void operator()(ggml_context* context) const { ggml_free(context); }
  void operator()(gguf_context* context) const { gguf_free(context); }
};

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else {
    *out += static_cast<char>(0xC0 | (code >> 6));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// GPT-2's printable stand-ins for the 256 bytes.
std::vector<std::string> ByteTokens() {
  std::vector<std::string> tokens;
  uint32_t other = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    std::string token;
    AppendUtf8(printable ? byte : other++, &token);
    tokens.push_back(token);
  }
  return tokens;
}

class Weights {
 public:
  Weights(ggml_context* context, gguf_context* file, uint64_t seed)
      : context_(context), file_(file), engine_(seed) {}

  ggml_tensor* Add(const std::string& name, int64_t columns, int64_t rows, float constant) {
    ggml_tensor* tensor = rows == 0 ? ggml_new_tensor_1d(context_, GGML_TYPE_F32, columns)
                                    : ggml_new_tensor_2d(context_, GGML_TYPE_F32, columns, rows);
    ggml_set_name(tensor, name.c_str());
    float* data = static_cast<float*>(tensor->data);
    for (int64_t i = 0; i < ggml_nelements(tensor); ++i) {
      const double uniform = static_cast<double>(engine_() >> 11) * 0x1.0p-53 - 0.5;
      data[i] = constant != 0 ? constant : static_cast<float>(uniform * 0.2);
    }
    gguf_add_tensor(file_, tensor);
    return tensor;
  }

 private:
  ggml_context* context_;
  gguf_context* file_;
  std::mt19937_64 engine_;
};

}  // namespace

const char* TinyTemplate() {
  return R"({%- for message in messages -%}
{%- if message.role != 'system' -%}
{{- '<|im_start|>' + message.role + '\n' -}}
{%- if message.tool_calls -%}
{%- for call in message.tool_calls -%}
{{- '<tool_call>{"name":"' + call.function.name + '","arguments":' -}}
{{- call.function.arguments | tojson(separators=(',', ':')) -}}
{{- '}</tool_call>' -}}
{%- endfor -%}
{%- else -%}
{{- message.content -}}
{%- endif -%}
{{- '<|im_end|>\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%})";
}

void WriteTinyModel(const std::string& path, const TinyModel& model) {
  std::vector<std::string> tokens = {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>",
                                     "</tool_call>"};
  std::vector<int32_t> types(kControls, 3);
  if (model.weak_call_tokens) {
    types[kCallOpen] = types[kCallClose] = 4;
  }
  for (const std::string& token : ByteTokens()) {
    tokens.push_back(token);
    types.push_back(1);
  }
  std::vector<const char*> texts;
  for (const std::string& token : tokens) {
    texts.push_back(token.c_str());
  }
  const int64_t vocabulary = static_cast<int64_t>(tokens.size());

  const int64_t width = model.width;
  const int64_t hidden = 2 * width;
  const size_t weight_count = static_cast<size_t>(width * (2 * vocabulary + kLayers * 10 * width));
  const std::unique_ptr<ggml_context, ContextDeleter> context(
      ggml_init({.mem_size = weight_count * sizeof(float) + (1U << 20),
                 .mem_buffer = nullptr,
                 .no_alloc = false}));
  const std::unique_ptr<gguf_context, ContextDeleter> file(gguf_init_empty());
  gguf_set_val_str(file.get(), "general.architecture", "llama");
  gguf_set_val_str(file.get(), "general.name", "tiny");
  gguf_set_val_u32(file.get(), "llama.context_length", model.context_tokens);
  gguf_set_val_u32(file.get(), "llama.embedding_length", model.width);
  gguf_set_val_u32(file.get(), "llama.block_count", kLayers);
  gguf_set_val_u32(file.get(), "llama.feed_forward_length", 2 * model.width);
  gguf_set_val_u32(file.get(), "llama.attention.head_count", kHeads);
  gguf_set_val_f32(file.get(), "llama.attention.layer_norm_rms_epsilon", 1e-5F);
  gguf_set_val_u32(file.get(), "llama.rope.dimension_count", model.width / kHeads);
  gguf_set_val_str(file.get(), "tokenizer.ggml.model", "gpt2");
  gguf_set_val_str(file.get(), "tokenizer.ggml.pre", "gpt-2");
  gguf_set_arr_str(file.get(), "tokenizer.ggml.tokens", texts.data(), texts.size());
  gguf_set_arr_data(file.get(), "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(),
                    types.size());
  const char* no_merges[] = {
      "t h"};  // a list must be there; its result is no token, so it merges nothing
  gguf_set_arr_str(file.get(), "tokenizer.ggml.merges", no_merges, 1);
  gguf_set_val_u32(file.get(), "tokenizer.ggml.bos_token_id", 0);
  gguf_set_val_u32(file.get(), "tokenizer.ggml.eos_token_id", kImEnd);
  gguf_set_val_u32(file.get(), "tokenizer.ggml.padding_token_id", 0);
  gguf_set_val_bool(file.get(), "tokenizer.ggml.add_bos_token", true);
  gguf_set_val_str(file.get(), "tokenizer.chat_template",
                   model.chat_template.empty() ? TinyTemplate() : model.chat_template.c_str());

  Weights weights(context.get(), file.get(), model.seed);
  ggml_tensor* embedding = weights.Add("token_embd.weight", width, vocabulary, 0);
  ggml_tensor* output = weights.Add("output.weight", width, vocabulary, 0);
  weights.Add("output_norm.weight", width, 0, 1);
  for (int layer = 0; layer < kLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    weights.Add(block + "attn_norm.weight", width, 0, 1);
    weights.Add(block + "ffn_norm.weight", width, 0, 1);
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      weights.Add(block + name + ".weight", width, width, 0);
    }
    weights.Add(block + "ffn_gate.weight", width, hidden, 0);
    weights.Add(block + "ffn_up.weight", width, hidden, 0);
    weights.Add(block + "ffn_down.weight", hidden, width, 0);
  }
  if (model.eager_to_call) {
    // A constant share in every embedding that only this token's output looks at.
    for (int64_t row = 0; row < vocabulary; ++row) {
      static_cast<float*>(embedding->data)[row * width] = 4;
    }
    static_cast<float*>(output->data)[kCallOpen * width] = 8;
  }
  NACRE_CHECK(gguf_write_to_file(file.get(), path.c_str(), false));
}

}  // namespace nacre::inference::testing
