#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Whether a graph treats each voxel of its [batch, channel, d0, d1, d2] inputs by itself: only
/// element-wise operators, 1x1x1 convolutions, batch norm with fixed statistics, and operators
/// along the channel dimension. Such a graph gives the same on gathered voxels [batch, channel, n,
/// 1, 1]. What is not known to be pointwise is taken not to be.
bool is_pointwise(const torch::jit::Graph& graph);

/// A convolution of 1x1x1, stride 1, without padding, whose weight is a constant.
bool is_unit_convolution(const torch::jit::Node* node);

}  // namespace mcvol
