#pragma once

#include <cstdint>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Moves the constants of a graph to a device and makes those in fp32 of a precision. Statistics
/// and parameters of batch norms stay in fp32, which their kernels take with any input: a variance
/// of half precision is off by a thousandth and may not be one.
/// @throws ModelError where a weight is too large for the precision.
void move_constants(torch::jit::Graph& graph, c10::Device device, c10::ScalarType precision);

/// What they take there at most, in bytes.
std::int64_t constant_bytes(torch::jit::Graph& graph, c10::ScalarType precision);

}  // namespace mcvol
