#pragma once

#include "mcvol/image/grid_spec.h"
#include "mcvol/image/image.h"

#include <cstdint>

namespace mcvol {

/// Permutes and flips the indices so that they increase to `orientation` (nibabel's letters, each
/// of the three axes once); no value changes and every voxel keeps its physical place. An oblique
/// scan stays oblique.
Image<float> reoriented(Image<float> image, const std::string& orientation);
Image<std::uint8_t> reoriented(Image<std::uint8_t> image, const std::string& orientation);

/// The grid with another spacing: the same direction and the same outer edge at the first voxel,
/// and as many voxels as it takes to cover the extent. An axis whose spacing is within 0.1 % of
/// what is asked keeps its own.
/// @throws InputError where that would make more than 2^32 voxels.
Grid resampled_grid(const Grid& grid, const std::array<double, 3>& spacing_mm);

/// Brings an image to `target`, a resampled_grid of its own. Before down-sampling by linear or
/// B-spline interpolation, a Gaussian of sigma^2 = (target^2 - source^2) / (8 ln 2) mm^2 an axis
/// is applied, which takes a voxel's point spread (Gaussian, its spacing wide at half height) to
/// that of the target (Cardoso et al., "Scale factor point spread function matching: beyond
/// aliasing in image resampling", MICCAI 2015). Nearest-neighbour is not smoothed. Voxels beyond
/// the last source voxel's outer edge are 0. Runs on one thread; the same bytes everywhere.
Image<float> resampled(const Image<float>& image, const Grid& target,
                       GridSpec::Interpolation interpolation);
/// Nearest neighbour, for masks; its volume is that of the mask to sampling error.
Image<std::uint8_t> resampled(const Image<std::uint8_t>& mask, const Grid& target);

}  // namespace mcvol
