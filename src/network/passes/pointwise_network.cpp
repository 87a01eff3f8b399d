#include "pointwise_network.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "network/device/tensor_values.h"
#include "network/dropout/device_dropout.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/pointwise.h"
#include "network/jit/graph_nodes.h"
#include "network/kernels/cpu/channel_kernels.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

std::vector<float> copied_floats(const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  const float* begin = values.const_data_ptr<float>();
  return {begin, begin + values.numel()};
}

bool is_one(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isScalar() && constant->toScalar().toDouble() == 1.0;
}

/// Channels of a layer that a mask keeps, ascending.
std::vector<std::int32_t> kept_channels(const std::vector<float>& factors) {
  std::vector<std::int32_t> kept;
  for (std::size_t channel = 0; channel < factors.size(); ++channel) {
    if (factors[channel] != 0.0F) kept.push_back(static_cast<std::int32_t>(channel));
  }
  return kept;
}

/// Multiplies a strip's rows with the mask of their elements.
void drop_elements(std::vector<Strip>& rows, const MaskStream& stream, double rate,
                   std::span<const std::int64_t> positions, std::int64_t tile_voxels) {
  const std::uint64_t threshold = keep_threshold(rate);
  const float kept = inverted_dropout(rate).scale;
  std::array<std::uint32_t, kStripVoxels> words{};
  for (std::size_t channel = 0; channel < rows.size(); ++channel) {
    stream.gather(channel * static_cast<std::uint64_t>(tile_voxels), positions,
                  std::span(words).first(positions.size()));
    Strip& row = rows[channel];
    for (std::size_t n = 0; n < words.size(); ++n) row[n] *= words[n] >= threshold ? kept : 0.0F;
  }
}

}  // namespace

/// Each node must take up where the last one ended.
class PointwiseNetwork::Reader {
 public:
  Reader(const torch::jit::Graph& suffix, std::span<const std::int64_t> channels)
      : suffix_(suffix), channels_(channels) {}

  std::optional<PointwiseNetwork> read() {
    if (channels_.empty()) return {};
    end_ = suffix_.inputs()[0];
    for (const Node* node : suffix_.nodes()) {
      if (node->kind() == c10::prim::Constant) continue;
      if (node->outputs().size() != 1 || node->inputs().empty() || !take(*node)) return {};
      end_ = node->output();
    }
    if (suffix_.outputs()[0] != end_ || dropout_ || network_.layers_.empty()) return {};
    return std::move(network_);
  }

 private:
  bool take(const Node& node) {
    if (node.kind() == c10::aten::add) return take_addition(node);
    if (node.input(0) != end_ || end_->uses().size() != 1) return false;
    if (node.kind() == c10::Symbol::fromQualString(kDropoutOperator)) return take_dropout(node);
    if (is_unit_convolution(&node)) return take_convolution(node);
    // What follows a layer may stand after its dropout as well: both only scale, by no less than 0.
    if (network_.layers_.empty() || !network_.layers_.back().slope.empty()) return false;
    if (node.kind() == c10::aten::batch_norm) return take_norm(node);
    return take_activation(node);
  }

  bool take_dropout(const Node& node) {
    const auto form = torch::jit::toIValue(node.input(5));
    const auto rate = torch::jit::toIValue(node.input(3));
    const auto id = torch::jit::toIValue(node.input(4));
    const auto sharing = torch::jit::toIValue(node.input(6));
    if (dropout_ || !form || !rate || !id || !sharing) return false;
    if (form->toInt() != static_cast<std::int64_t>(DropoutForm::kInverted)) return false;
    dropout_ = Dropout{rate->toDouble(), static_cast<int>(id->toInt()),
                       static_cast<MaskSharing>(sharing->toInt())};
    return true;
  }

  bool take_convolution(const Node& node) {
    const auto weight = constant_tensor(node.input(1));
    const auto bias = constant_tensor(node.input(2));
    const auto groups = torch::jit::toIValue(node.input(node.inputs().size() > 7 ? 8 : 6));
    if (!bias && !is_constant_none(node.input(2))) return false;
    if (!groups || groups->toInt() != 1 || weight->scalar_type() != at::kFloat) return false;
    const std::int64_t given =
        network_.layers_.empty() ? channels_.front() : network_.layers_.back().outputs;
    if (weight->size(1) != given || !fits_channels(bias, weight->size(0))) return false;
    Convolution layer;
    layer.dropout = std::exchange(dropout_, std::nullopt);
    layer.outputs = weight->size(0);
    layer.inputs = weight->size(1);
    layer.weights = copied_floats(*weight);
    layer.bias =
        bias ? copied_floats(*bias) : std::vector<float>(static_cast<std::size_t>(layer.outputs));
    network_.layers_.push_back(std::move(layer));
    return true;
  }

  /// Of what another result of the prefix is, right after the products.
  bool take_addition(const Node& node) {
    const Value* other = node.input(node.input(0) == end_ ? 1 : 0);
    const bool fits = (node.input(0) == end_ || node.input(1) == end_) && other != end_ &&
                      end_->uses().size() == 1 && node.inputs().size() == 3 &&
                      is_one(node.input(2)) && !network_.layers_.empty() && !dropout_;
    if (!fits) return false;
    const auto inputs = suffix_.inputs().slice(0, suffix_.inputs().size() - 2);
    const auto found = std::find(inputs.begin(), inputs.end(), other);
    Convolution& layer = network_.layers_.back();
    if (found == inputs.end() || layer.addend || !layer.slope.empty()) return false;
    layer.addend = static_cast<std::size_t>(found - inputs.begin());
    // A sum of one channel and several is of several.
    return channels_[*layer.addend] == layer.outputs;
  }

  /// Inputs: input, weight, bias, mean, variance, training, momentum, epsilon. Goes into the
  /// weights.
  bool take_norm(const Node& node) {
    Convolution& layer = network_.layers_.back();
    const auto training = torch::jit::toIValue(node.input(5));
    const auto mean = constant_tensor(node.input(3)), variance = constant_tensor(node.input(4));
    const auto weight = constant_tensor(node.input(1)), bias = constant_tensor(node.input(2));
    const auto epsilon = torch::jit::toIValue(node.input(7));
    if (!training || training->toBool() || !mean || !variance || !epsilon) return false;
    if (layer.addend || dropout_) return false;
    if ((!weight && !is_constant_none(node.input(1))) ||
        (!bias && !is_constant_none(node.input(2))))
      return false;
    for (const auto& of_channels : {mean, variance, weight, bias}) {
      if (!fits_channels(of_channels, layer.outputs)) return false;
    }
    at::Tensor scale = at::rsqrt(variance->to(at::kDouble) + epsilon->toDouble());
    if (weight) scale = scale * weight->to(at::kDouble);
    at::Tensor shift = (at::tensor(layer.bias, at::kDouble) - mean->to(at::kDouble)) * scale;
    if (bias) shift = shift + bias->to(at::kDouble);
    const at::Tensor weights = at::tensor(layer.weights, at::kDouble).view({layer.outputs, -1});
    layer.weights = copied_floats(weights * scale.unsqueeze(1));
    layer.bias = copied_floats(shift);
    return true;
  }

  bool take_activation(const Node& node) {
    Convolution& layer = network_.layers_.back();
    if (node.kind() == c10::aten::relu) {
      layer.slope = {0.0F};
    } else if (node.kind() == c10::aten::leaky_relu) {
      const auto slope = torch::jit::toIValue(node.input(1));
      if (!slope) return false;
      layer.slope = {slope->toScalar().toFloat()};
    } else if (node.kind() == c10::aten::prelu) {
      const auto slope = constant_tensor(node.input(1));
      if (!slope || !slope_fits(slope, layer.outputs)) return false;
      layer.slope = copied_floats(*slope);
    }
    return !layer.slope.empty();
  }

  const torch::jit::Graph& suffix_;
  std::span<const std::int64_t> channels_;
  const Value* end_ = nullptr;
  std::optional<Dropout> dropout_;  ///< whose convolution is yet to come
  PointwiseNetwork network_;
};

std::optional<PointwiseNetwork> PointwiseNetwork::from(const torch::jit::Graph& suffix,
                                                       std::span<const std::int64_t> channels) {
  return Reader(suffix, channels).read();
}

bool PointwiseNetwork::drops_channels(const Convolution& layer) {
  return layer.dropout && layer.dropout->sharing != MaskSharing::kElement;
}

PointwiseNetwork::MaskedPass PointwiseNetwork::masked(const MaskDraw& draw) const {
  const auto kept_inputs = [&](const Convolution& layer) {
    std::vector<float> factors(static_cast<std::size_t>(layer.inputs), 1.0F);
    if (drops_channels(layer)) {
      const Dropout& dropout = *layer.dropout;
      factors = channel_factors(draw, dropout.id, dropout.rate, dropout.sharing, layer.inputs);
    }
    return kept_channels(factors);
  };
  MaskedPass pass{draw, {}};
  std::vector<std::int32_t> inputs = kept_inputs(layers_.front());
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const Convolution& layer = layers_[n];
    std::vector<std::int32_t> outputs(static_cast<std::size_t>(layer.outputs));
    std::iota(outputs.begin(), outputs.end(), 0);
    if (n + 1 < layers_.size()) outputs = kept_inputs(layers_[n + 1]);
    const bool drops = drops_channels(layer) && !draw.dropout_off;
    const float factor = drops ? inverted_dropout(layer.dropout->rate).scale : 1.0F;
    pass.layers.emplace_back(layer.weights, inputs, outputs, layer.inputs, factor, layer.bias,
                             layer.slope);
    inputs = std::move(outputs);
  }
  return pass;
}

PointwiseNetwork::Voxels PointwiseNetwork::gathered(const std::vector<at::Tensor>& cut,
                                                    std::span<const std::int64_t> positions) {
  Voxels voxels{std::vector<std::vector<Strip>>(cut.size()), positions};
  for (std::size_t n = 0; n < cut.size(); ++n) {
    const bool planar = cut[n].is_contiguous();
    const at::Tensor values = planar ? cut[n] : cut[n].contiguous(at::MemoryFormat::ChannelsLast3d);
    const std::int64_t channels = values.size(1);
    const std::int64_t voxel_stride = planar ? 1 : channels;
    const std::int64_t channel_stride = planar ? values.numel() / channels : 1;
    if (values.scalar_type() == at::kBFloat16) {
      gather_strips(static_cast<const Bfloat16*>(values.const_data_ptr()), positions, voxel_stride,
                    channel_stride, channels, voxels.inputs[n]);
    } else {
      gather_strips(values.const_data_ptr<float>(), positions, voxel_stride, channel_stride,
                    channels, voxels.inputs[n]);
    }
  }
  return voxels;
}

/// @param result the last layer's.
void PointwiseNetwork::run_strip(const Voxels& voxels, std::int64_t strip, const MaskedPass& pass,
                                 std::int64_t tile_voxels, std::vector<Strip>& result) const {
  thread_local std::vector<Strip> values;
  const auto rows_of = [&](std::size_t input, std::int64_t channels) {
    return voxels.inputs[input].data() + strip * channels;
  };
  const std::int64_t begin = strip * kStripVoxels;
  const std::int64_t count =
      std::min(kStripVoxels, static_cast<std::int64_t>(voxels.positions.size()) - begin);
  const std::span<const std::int64_t> positions =
      voxels.positions.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
  for (std::size_t n = 0; n < layers_.size(); ++n) {
    const Convolution& layer = layers_[n];
    const bool drops_elements = layer.dropout && !drops_channels(layer) && !pass.draw.dropout_off;
    const Strip* input = n == 0 ? rows_of(0, layer.inputs) : result.data();
    if (n == 0 && drops_elements) {
      values.assign(input, input + layer.inputs);
    } else if (n > 0) {
      values.swap(result);
    }
    if (drops_elements) {
      const MaskStream stream(pass.draw, layer.dropout->id, layer.dropout->sharing);
      drop_elements(values, stream, layer.dropout->rate, positions, tile_voxels);
    }
    const bool from_prefix = n == 0 && !drops_elements;
    const Strip* addend = layer.addend ? rows_of(*layer.addend, layer.outputs) : nullptr;
    result.resize(static_cast<std::size_t>(pass.layers[n].outputs()));
    pass.layers[n].run(from_prefix ? input : values.data(), n == 0, addend, result.data());
  }
}

void PointwiseNetwork::run(const Voxels& voxels, std::span<const MaskedPass> passes,
                           std::int64_t tile_voxels, std::span<float> logits) const {
  const auto count = static_cast<std::int64_t>(voxels.positions.size());
  std::vector<Strip> result;
  for (std::int64_t strip = 0; strip * kStripVoxels < count; ++strip) {
    const std::int64_t begin = strip * kStripVoxels;
    const std::int64_t length = std::min(kStripVoxels, count - begin);
    float* target = logits.data() + begin;
    for (const MaskedPass& pass : passes) {
      run_strip(voxels, strip, pass, tile_voxels, result);
      for (const Strip& row : result) {
        std::copy_n(row.begin(), length, target);
        target += count;
      }
    }
  }
}

}  // namespace mcvol
