#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Whether an operator gives sizes, or a number each for tensors of one value: a trace keeps sizes
/// in such tensors (`prim::NumToTensor`) and computes with them. No vector nor thread has a part in
/// these.
bool gives_numbers(const torch::jit::Node* node);

}  // namespace mcvol
