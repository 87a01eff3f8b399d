#pragma once

#include <memory>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces sums, means, variances and standard deviations over constant dimensions, the first not
/// among them, and pooling to one voxel, by sums in fp64 of one order: the same bits in any batch
/// and for any threads.
void use_row_sums(const std::shared_ptr<torch::jit::Graph>& graph);

/// Sums over dimensions, each in an order that only its own length decides on.
at::Tensor row_sums(const at::Tensor& x, at::IntArrayRef dims, bool keepdim);

}  // namespace mcvol
