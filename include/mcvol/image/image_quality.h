#pragma once

#include "mcvol/image/prepared_scan.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace mcvol {

/// Of the intensities of a channel: their quantiles at these probabilities.
inline constexpr std::array<double, 7> kQualityQuantiles{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
/// A channel is shifted against the first by as many voxels as are at least these many mm.
inline constexpr std::array<double, 2> kQualityShiftsMm{2, 4};
/// Tails that say which of two channels has the bright spots: of this share of the voxels each.
inline constexpr double kQualityTail = 0.0005;
/// Brain voxels that are looked at, at most.
inline constexpr std::int64_t kMostQualityVoxels = std::int64_t{1} << 16;
/// Of a joint histogram, on each of its sides.
inline constexpr int kMutualInformationBins = 32;

/// A number for each axis of the grid, or none where there is nothing to make it of.
using AxisNumbers = std::array<std::optional<double>, 3>;

/// How much a channel tells of the first one, in nats, inside the brain.
struct MutualInformation {
  std::optional<double> unshifted;
  /// [shift][axis][backward, forward]: of the first channel at v and this one at v - n and v + n,
  /// n = ImageQuality::shifts_voxels[shift][axis] along the axis.
  std::array<std::array<std::array<std::optional<double>, 2>, 3>, kQualityShiftsMm.size()> shifted;

  bool operator==(const MutualInformation&) const = default;
};

/// Of a channel, inside the brain. What is divided by the SD is none where that is 0.
struct ChannelQuality {
  std::array<double, kQualityQuantiles.size()> quantiles{};  ///< of the normalised intensities
  std::optional<double> noise;   ///< its SD over the channel's SD (estimated_noise())
  AxisNumbers sharpness;         ///< mean absolute difference of neighbours over the channel's SD
  AxisNumbers axis_correlation;  ///< Pearson's, of intensity and index
  /// Pearson's, with each of the channels before it.
  std::vector<std::optional<double>> correlations;
  /// With each of the channels before it (tail_asymmetry()).
  std::vector<std::optional<double>> difference_asymmetry;
  std::optional<MutualInformation> mutual_information;  ///< with the first; none of the first

  bool operator==(const ChannelQuality&) const = default;
};

/// How the brain lies in the grid: numbers that tell exchanged and reversed axes.
struct BrainShape {
  std::array<double, 3> spread_mm{};  ///< SD of its voxels' coordinates along each axis
  /// Pearson's, of the same coordinates along x and y, x and z, y and z; changes its sign where one
  /// of the two is reversed.
  AxisNumbers coordinate_correlation;
  /// [a][b]: mean of z_a z_b^2, z the standardised coordinates; of an axis with itself its
  /// skewness. Changes its sign where a is reversed.
  std::array<AxisNumbers, 3> coskewness;
  /// Share of its voxels whose mirror image about the brain's centre is brain too.
  std::array<double, 3> mirror_overlap{};
  /// Pearson's, of a voxel and its mirror image: of the mean over channels, standardised.
  AxisNumbers mirror_correlation;

  bool operator==(const BrainShape&) const = default;
};

/// Image quality metrics of what a network is given: numbers by which a scan can be told from those
/// of a calibration, judged elsewhere. docs/method.md has their definitions.
struct ImageQuality {
  double brain_ml = 0;
  BrainShape brain;
  std::array<std::array<std::int64_t, 3>, kQualityShiftsMm.size()> shifts_voxels{};
  std::vector<ChannelQuality> channels;

  bool operator==(const ImageQuality&) const = default;
};

/// Looks at no more than kMostQualityVoxels voxels of the brain, always the same of the same scan,
/// on the thread that calls. None where there is no brain.
std::optional<ImageQuality> image_quality(const PreparedScan& scan);

}  // namespace mcvol
