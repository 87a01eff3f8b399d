#include "network/support/tiny_network.h"

#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>
#include <torch/csrc/jit/api/module.h>

namespace mcvol::testing {
namespace {

// A generator of our own: at::manual_seed would tie the weights to LibTorch's.
at::Tensor weights(unsigned& state, const std::vector<std::int64_t>& shape, float scale) {
  at::Tensor values = at::empty(shape, at::kFloat);
  float* value = values.data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    state = state * 1664525u + 1013904223u;
    value[i] = scale * (static_cast<float>(state >> 8) / 8388608.0F - 1.0F);
  }
  return values;
}

nlohmann::json channel(const std::string& name, const std::vector<std::string>& suffixes) {
  return {{"name", name},
          {"suffixes", suffixes},
          {"intensity", {{"method", "zscore"}, {"mask", "nonzero"}}}};
}

}  // namespace

TinyNetwork pointwise_network() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.dropout(x, 0.4, False)
    x = torch.prelu(torch.conv3d(x, self.w2, self.b2), self.slope[:6])
    x = torch.dropout(x, 0.2, False)
    return torch.conv3d(x, self.w3, self.b3)
)"};
}

TinyNetwork spatial_network() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.feature_dropout(x, 0.4, False)
    x = torch.cat([x[:, :2], x[:, 2:]], 1)
    x = torch.conv3d(x[:, :2] + x[:, 2:4], self.w1, self.b1, [1, 1, 1], [1, 1, 1])
    x = torch.conv3d(torch.relu(x), self.w2, self.b2)
    return torch.conv3d(x, self.w3, self.b3)
)"};
}

TinyNetwork skinny_network() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.dropout(x, 0.4, False)
    return torch.conv3d(x, self.w2[:3], self.b3)
)"};
}

TinyNetwork unpadded_network() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1))
    x = torch.feature_dropout(x, 0.4, False)
    x = torch.conv3d(x[:, :2] + x[:, 2:4], self.w1, self.b1)
    x = torch.conv3d(torch.relu(x), self.w2, self.b2)
    return torch.conv3d(x, self.w3, self.b3)
)"};
}

TinyNetwork branching_network() {
  return {R"(
def forward(self, x):
    x = torch.elu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.feature_dropout(x, 0.3, False)
    y = torch.gelu(torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1]))
    y = torch.conv_transpose3d(y, self.up, self.b1, [2, 2, 2], [1, 1, 1])
    x = x + torch.sigmoid(torch.group_norm(y, 4, self.slope, self.b1))
    x = torch.linear(x.permute([0, 2, 3, 4, 1]), self.matrix, self.b1)
    x = torch.conv3d(x.permute([0, 4, 1, 2, 3]), self.w2, self.b2)
    x = torch.softmax(torch.dropout(x, 0.2, False), 1)
    return torch.conv3d(x, self.w3, self.b3)
)"};
}

TinyNetwork other_branching_network() {
  return {R"(
def forward(self, x):
    x = torch.celu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]), 0.7)
    x = torch.feature_dropout(x, 0.3, False)
    y = torch.gelu(torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1]), approximate="tanh")
    y = torch.conv_transpose3d(y, self.up, self.b1, [2, 2, 2], [1, 1, 1])
    x = torch.silu(torch.selu(y) + torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5,
                                                       False))
    x = torch.linear(x.permute([0, 2, 3, 4, 1]), self.matrix)
    x = torch.conv3d(torch.mish(x.permute([0, 4, 1, 2, 3])), self.w2, self.b2)
    x = torch.softplus(torch.dropout(x, 0.2, False))
    return torch.log_softmax(torch.conv3d(x, self.w3, self.b3), 1)
)"};
}

TinyNetwork attentive_network() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.feature_dropout(x, 0.3, False)
    y = torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])
    tokens = y.flatten(2).transpose(1, 2)
    queries = torch.matmul(tokens, self.matrix)
    weights = torch.softmax(torch.matmul(queries, tokens.transpose(1, 2)) * 0.3, -1)
    tokens = tokens + torch.einsum("bqk,bkc->bqc", [weights, queries])
    heads = tokens.unflatten(2, [2, 4]).transpose(1, 2)
    heads = torch.scaled_dot_product_attention(heads, heads, heads)
    tokens = torch.baddbmm(heads.transpose(1, 2).flatten(2), weights, tokens, beta=0.5, alpha=0.7)
    y = tokens.transpose(1, 2).reshape([y.size(0), 8, y.size(2), y.size(3), y.size(4)])
    means = torch.adaptive_avg_pool3d(y, [1, 1, 1]) + y.mean([2, 3, 4], True)
    y = y * means / (1.0 + torch.std(y, [2, 3, 4], True, True))
    x = x + torch.upsample_nearest3d(y, [x.size(2), x.size(3), x.size(4)])
    x = torch.conv3d(x, self.w2, self.b2)
    x = torch.dropout(x - torch.sum(x, [1], True), 0.2, False)
    return torch.conv3d(x, self.w3, self.b3)
)"};
}

TinyNetwork threshold_network() {
  return {R"(
def forward(self, x):
    core = 20.0 * (x[:, 0:1] - 0.8)
    whole = 20.0 * (x[:, 1:2] - 0.8)
    x = torch.cat([whole, whole, whole, whole, core, core, core, core], 1) / 8.0
    x = torch.dropout(torch.cat([x, x], 1), 0.1, False)
    whole = torch.sum(x[:, 0:4] + x[:, 8:12], [1], True)
    core = whole + torch.sum(x[:, 4:8] + x[:, 12:16], [1], True)
    return torch.cat([0.0 * whole, whole, core], 1)
)"};
}

void save_network(const TinyNetwork& network, const std::filesystem::path& file) {
  torch::jit::Module module("TinyNetwork");
  unsigned state = network.seed;
  module.register_parameter("w1", weights(state, {8, 2, 3, 3, 3}, 0.5F), false);
  module.register_parameter("b1", weights(state, {8}, 0.5F), false);
  module.register_parameter("w2", weights(state, {6, 8, 1, 1, 1}, 1.0F), false);
  module.register_parameter("b2", weights(state, {6}, 0.5F), false);
  module.register_parameter("w3", weights(state, {3, 6, 1, 1, 1}, 2.0F), false);
  module.register_parameter("b3", weights(state, {3}, 0.5F), false);
  module.register_buffer("slope", weights(state, {8}, 0.2F));
  module.register_buffer("mean", weights(state, {8}, 0.2F));
  module.register_buffer("variance", weights(state, {8}, 0.2F).abs() + 0.5);
  module.register_parameter("up", weights(state, {8, 8, 3, 3, 3}, 0.3F), false);
  module.register_parameter("matrix", weights(state, {8, 8}, 0.5F), false);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(network.forward);
  std::filesystem::create_directories(file.parent_path());
  module.save(file.string());
}

void write_tiny_bundle(const std::filesystem::path& folder, const TinyNetwork& network) {
  save_network(network, folder / "network.pt");
  const nlohmann::json model = {
      {"format", 1},
      {"name", "tiny"},
      {"networks", {{{"file", "network.pt"}, {"sha256", sha256_of_file(folder / "network.pt")}}}},
      {"channels", {channel("t1", {"t1", "0000"}), channel("flair", {"flair", "0001"})}},
      {"requires", {"skull_stripped"}},
      {"grid",
       {{"orientation", "LPS"},
        {"axes", "xyz"},
        {"spacing_mm", nullptr},
        {"interpolation", "linear"}}},
      {"measure", "mask"},
      {"window",
       {{"input", {16, 16, 16}},
        {"output", {16, 16, 16}},
        {"overlap", 0},
        {"blend", "none"},
        {"padding", "zero"},
        {"anchor", "mask_corner"},
        {"flexible", false}}},
      {"output",
       {{"channels", 3}, {"values", "logits"}, {"activation", "softmax"}, {"labels", {0, 1, 2}}}},
      {"regions",
       {{{"name", "whole_tumour"}, {"outputs", {1, 2}}},
        {{"name", "tumour_core"}, {"outputs", {2}}}}},
      {"dropout", {{"scope", "channel"}}},
      {"licence", "Apache-2.0"},
      {"provenance", "random weights"},
      {"warning", "For tests only."}};
  write_file_atomically(folder / "model.json", model.dump(2) + "\n");
}

}  // namespace mcvol::testing
