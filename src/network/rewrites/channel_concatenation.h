#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces concatenations along channels by one that keeps channels last where all of them are in
/// each sample. PyTorch's looks at whole batches: skip connections from before the first draw, one
/// sample in memory that stands for all, made its result planar, several times as slowly, and the
/// convolution after it laid it out anew.
void use_channel_concatenation(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
