#include "mcvol/pipeline/pass_spread.h"

#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/predict_options.h"

#include <algorithm>
#include <cmath>

namespace mcvol {
namespace {

/// From steps of 1 / kProbabilityUnit to steps of 2^-24.
constexpr int kCoarser = 24;
constexpr std::int64_t kHalfCoarser = std::int64_t{1} << (kCoarser - 1);
constexpr double kCoarseUnit = 0x1p24;

static_assert(kProbabilityUnit == kCoarseUnit * (std::int64_t{1} << kCoarser));
static_assert(PredictOptions::kMostPasses * kCoarseUnit * kCoarseUnit < 0x1p63);
}  // namespace

PassSpread::PassSpread(std::size_t regions, std::size_t voxels)
    : voxels_(voxels), sums_(regions * voxels), squares_(regions * voxels) {}

void PassSpread::add(std::size_t region, std::span<const std::int64_t> voxels,
                     std::span<const std::int64_t> probabilities) {
  const std::size_t first = region * voxels_;
  for (std::size_t n = 0; n < voxels.size(); ++n) {
    const std::size_t at = first + static_cast<std::size_t>(voxels[n]);
    const std::int64_t coarse = (probabilities[n] + kHalfCoarser) >> kCoarser;
    sums_[at] += coarse;
    squares_[at] += coarse * coarse;
  }
}

// The difference is of numbers that a double holds to a quarter of a step of 2^-24 in their root.
double PassSpread::sd(std::size_t region, std::size_t voxel, int passes) const {
  const std::size_t at = region * voxels_ + voxel;
  const auto sum = static_cast<double>(sums_[at]), squares = static_cast<double>(squares_[at]);
  const double variance = (squares - sum * (sum / passes)) / (passes - 1);
  return std::sqrt(std::max(0.0, variance)) / kCoarseUnit;
}

}  // namespace mcvol
