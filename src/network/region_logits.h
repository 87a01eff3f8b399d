#pragma once

#include "mcvol/network/bundle.h"

#include <vector>

#include <ATen/ATen.h>

namespace mcvol {

/// Logits of regions from the network's output.
class RegionLogits {
 public:
  RegionLogits(const Bundle::Output& output, const std::vector<Bundle::Region>& regions);

  /// @param output [rows, output channels, voxels]. @return fp32 [rows, regions, voxels]: under
  /// softmax log-sum-exp over the region's channels less that over the others, under sigmoid the
  /// channel itself; taken in fp32 whatever the network ran in.
  at::Tensor operator()(const at::Tensor& output) const;

 private:
  bool sigmoid_;
  std::vector<at::Tensor> inside_, outside_;  ///< channel indices per region
};

}  // namespace mcvol
