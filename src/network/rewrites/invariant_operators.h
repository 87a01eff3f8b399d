#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

// On a CPU many of ATen's operators round differently with another number of threads or another
// batch: vector code and the scalar code of a loop's tail differ in the last bit, and where the
// tail lies depends on both. Results must not.

namespace mcvol {

/// Names, without "aten::", of the operators that give a value the same bits wherever in a tensor
/// it lies, once use_invariant_operators() has been over the graph. GELU was one of them until
/// every one was swept: tests/network/rewrites/operator_sweep_test.cpp has a case for each.
const std::set<std::string>& invariant_operators();

/// Replaces operators of a CPU graph by combinations that give every element the same bits for any
/// batch and number of threads: activations and softmax by what they are made of, 3-D convolutions
/// by oneDNN's, linear layers, products and attention by fixed blocks, means by sums of one order.
void use_invariant_operators(const std::shared_ptr<torch::jit::Graph>& graph);

/// The control flow that tensors come out of: what runs may depend on the whole batch.
std::vector<std::string> branching_operators(const std::shared_ptr<torch::jit::Graph>& graph);

/// Makes every operator that is not known to be invariant run on one thread.
/// @return their names; empty: a pass has the same bits in any batch.
std::vector<std::string> run_variant_operators_serially(
    const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
