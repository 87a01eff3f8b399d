#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

// Convolutions of random geometry, for tests of those that are mcvol's own.

namespace mcvol::testing {

struct ConvolutionCase {
  using Triple = std::array<std::int64_t, 3>;

  Triple input, kernel, padding;
  std::int64_t dilation, in, out;
  bool bias;

  std::string text() const;
  /// Of a batch.
  at::Tensor random_input(std::int64_t rows) const;
  /// Weight and bias, whether it is used or not.
  std::vector<at::Tensor> parameters() const;
  /// With mcvol's convolutions in it.
  std::shared_ptr<torch::jit::Graph> graph() const;
  /// PyTorch's, in double precision.
  at::Tensor exact(const at::Tensor& x) const;
};

/// least <= n <= most.
std::int64_t random_whole(std::mt19937& generator, std::int64_t least, std::int64_t most);

}  // namespace mcvol::testing
