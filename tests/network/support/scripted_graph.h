#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

// Graphs of single operators, for tests of what mcvol puts in their place.

namespace mcvol::testing {

/// The graph of `lambda parameters: expression` in TorchScript, constants folded; the operators of
/// mcvol that are registered by then are functions of a module `mcvol`.
/// @param parameters of tensors, "x, w".
/// @param fixed values of the last parameters, which become constants.
std::shared_ptr<torch::jit::Graph> scripted_graph(const std::string& parameters,
                                                  const std::string& expression,
                                                  const std::vector<at::Tensor>& fixed = {});

/// "[1, 2, 3]", for an expression.
std::string list(const std::array<std::int64_t, 3>& triple);

/// The graph's only result.
at::Tensor run_graph(const std::shared_ptr<torch::jit::Graph>& graph, const at::Tensor& x,
                     int threads = 1);

/// Normally distributed values of the test's own, times `scale`.
at::Tensor normal_values(const std::vector<std::int64_t>& sizes, unsigned seed, float scale = 1.0F);

/// Expects each row of a batch to have the bits it has alone on one thread, in batches of several
/// sizes on 1, 2, 3 and 5 threads.
/// @param rows the whole batch, [rows, …].
void expect_same_bits_in_any_batch(const std::shared_ptr<torch::jit::Graph>& graph,
                                   const at::Tensor& rows, const std::string& what);

/// Largest difference over the largest value expected; infinite where one is no number and the
/// other is, or the infinities differ.
double relative_difference(const at::Tensor& found, const at::Tensor& expected);

}  // namespace mcvol::testing
