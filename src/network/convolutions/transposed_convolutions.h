#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces 3-D transposed convolutions (fp32, constant weights, dilation 1) by one convolution per
/// phase of the stride, interleaved: the same products, without the zeros a transposed convolution
/// would multiply by. On a CPU (oneDNN) it gives the same bits for any batch and number of threads,
/// which neither ATen's nor oneDNN's own do; on a GPU, where cuDNN's deterministic one in fp32 took
/// as long as all other layers of a U-Net together, it is fast.
void use_phase_convolutions(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
