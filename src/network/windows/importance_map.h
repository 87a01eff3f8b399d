#pragma once

#include "mcvol/network/bundle/bundle.h"

#include <vector>

namespace mcvol {

/// Weights with which a window's outputs are blended, (0, 1], [d0, d1, d2] with d2 fastest: 1, or a
/// Gaussian around the window's middle with a standard deviation of 0.125 of each side, no weight
/// below 1e-3. As MONAI's compute_importance_map, after Isensee et al., "nnU-Net" (Nature Methods
/// 18, 2021). kGaussianNnunet is nnU-Net's own compute_gaussian: around voxel size / 2, rounded
/// down, and cut off four standard deviations from it, as numbers of half precision; what these
/// make 0 has the least other weight.
/// @param output size of the window's output, voxels.
std::vector<float> importance_map(const std::array<std::int64_t, 3>& output,
                                  Bundle::Window::Blend blend);

}  // namespace mcvol
