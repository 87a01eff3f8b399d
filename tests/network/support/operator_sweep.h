#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

// Whether an operator gives a value the same bits wherever in a tensor it lies: in the vectors of a
// loop or in its remainder, aligned or not, next to its neighbours in memory or far from them, in
// any batch and on any thread. A few tensors would not tell: each has but a handful of values in
// its remainder, of which even PyTorch's GELU gives most the bits that its vectors give.

namespace mcvol::testing {

struct SweepResult {
  std::int64_t compared = 0;  ///< values
  std::int64_t differing = 0;
  std::string first;  ///< where the first of those that differ was found

  SweepResult& operator+=(const SweepResult& other);
};

/// Ordinary and extreme values in any order: normally distributed ones, all exponents, zeros,
/// subnormal numbers, infinities, NaN.
/// @param type a floating-point type.
at::Tensor values_of_all_kinds(std::int64_t count, unsigned seed, at::ScalarType type);

/// Sweeps an operator that makes a value of the values at the same place in its operands.
/// @param graph takes the operands.
SweepResult sweep_elements(const std::shared_ptr<torch::jit::Graph>& graph, at::ScalarType type);

/// Whether rows are swept that are one and the same in memory as well, as those are that come from
/// before the first draw.
enum class RepeatedRows { kNo, kYes };

/// Sweeps an operator that makes a row of a batch of that row alone: in any layout, a row by itself
/// on one thread against the row in batches on several.
/// @param graph takes the batch.
/// @param rows [rows, …]
SweepResult sweep_rows(const std::shared_ptr<torch::jit::Graph>& graph, const at::Tensor& rows,
                       RepeatedRows repeated = RepeatedRows::kYes);

}  // namespace mcvol::testing
