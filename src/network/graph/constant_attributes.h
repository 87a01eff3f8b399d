#pragma once

#include <memory>

#include <torch/csrc/jit/api/module.h>

namespace mcvol {

/// Writes the numbers, truths and texts among a module's attributes into its inlined forward, where
/// nothing sets them, and drops the branches they rule out: freezing gives up on a module that sets
/// an attribute even where it never comes to that (`if self.save_attn: self.attention = …`).
void write_in_constant_attributes(const torch::jit::Module& module,
                                  std::shared_ptr<torch::jit::Graph> graph);

}  // namespace mcvol
