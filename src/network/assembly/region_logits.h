#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <array>
#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace mcvol {

/// Logits of regions from the network's output.
class RegionLogits {
 public:
  RegionLogits(const Bundle::Output& output, const std::vector<Bundle::Region>& regions);

  /// Log of the region's probability less log of that of its complement, taken in fp32 or better
  /// whatever the network ran in. Logits: under softmax log-sum-exp over the region's channels less
  /// that over the others, under sigmoid the channel itself. Probabilities: under softmax the log
  /// of the sum over the region's channels less that over the others, under sigmoid log p - log(1 -
  /// p).
  /// @param output [rows, output channels, voxels]. @return fp32 [rows, regions, voxels] on
  /// its device.
  /// @throws ModelError for probabilities that are none.
  at::Tensor operator()(const at::Tensor& output) const;

 private:
  at::Tensor on_host(const at::Tensor& output) const;
  at::Tensor on_device(const at::Tensor& output) const;
  at::Tensor region(const at::Tensor& output, std::size_t number) const;
  void check_probabilities(const at::Tensor& output) const;

  bool sigmoid_;
  bool probabilities_;
  std::vector<at::Tensor> inside_, outside_;      ///< channel indices per region
  std::array<std::uint32_t, 16> channel_bits_{};  ///< of the regions that the kernel takes
  bool fits_kernel_ = false;
};

}  // namespace mcvol
