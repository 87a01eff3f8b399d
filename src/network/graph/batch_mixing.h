#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// What is said of an operator of which it is not known whether it does: one along a dimension that
/// is computed, or counted from the end of a tensor whose rank is not known.
enum class Doubtful { kMixes, kDoesNot };

/// The operators of a suffix that let the passes of a batch have a part in each other, as far as
/// its structure tells, each name once: norms by statistics of the batch, and what reduces, sorts,
/// shifts or picks along the dimension that the passes lie in, or along all. Followed is where
/// permutations put that dimension; a reshaped tensor is taken to have it first.
/// @param ranks of the tensors that the prefix gives, the graph's first inputs.
std::vector<std::string> mixing_operators(torch::jit::Graph& graph,
                                          const std::vector<std::int64_t>& ranks,
                                          Doubtful doubtful);

}  // namespace mcvol
