#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Whether a graph treats each voxel of its [batch, channel, d0, d1, d2] inputs by itself: only
/// element-wise operators, 1x1x1 convolutions, batch norm with fixed statistics, and operators
/// along the channel dimension. Such a graph gives the same on gathered voxels [batch, channel, n,
/// 1, 1]. What is not known to be pointwise is taken not to be.
bool is_pointwise(const torch::jit::Graph& graph);

/// Replaces the 1x1x1 convolutions of a pointwise graph by matrix products: on blocks of gathered
/// voxels these run at several times the speed of a convolution.
void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
