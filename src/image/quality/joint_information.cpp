#include "joint_information.h"

#include <algorithm>
#include <cmath>

namespace mcvol {
namespace {

using Counts = std::array<std::int64_t, kMutualInformationBins>;

/// Equal bins between two intensities.
class Bins {
 public:
  explicit Bins(const JointInformation::Quantiles& quantiles)
      : low_(quantiles.front()),
        per_intensity_(kMutualInformationBins / (quantiles.back() - quantiles.front())) {}

  /// Whether they have a width that can be divided by.
  bool usable() const { return per_intensity_ > 0 && std::isfinite(per_intensity_); }
  int of(float intensity) const {
    const double place = (static_cast<double>(intensity) - low_) * per_intensity_;
    return static_cast<int>(std::clamp(place, 0.0, kMutualInformationBins - 1.0));
  }

 private:
  double low_, per_intensity_;
};

/// sum n_ab / n log(n_ab n / (n_a n_b)) of counts [a, b].
std::optional<double> information_in(const std::vector<std::int64_t>& joint) {
  Counts of_a{}, of_b{};
  std::int64_t all = 0;
  for (std::size_t a = 0; a < of_a.size(); ++a) {
    for (std::size_t b = 0; b < of_b.size(); ++b) {
      const std::int64_t count = joint[a * of_b.size() + b];
      of_a[a] += count;
      of_b[b] += count;
      all += count;
    }
  }
  if (all == 0) return std::nullopt;
  const auto n = static_cast<double>(all);
  double information = 0;
  for (std::size_t a = 0; a < of_a.size(); ++a) {
    for (std::size_t b = 0; b < of_b.size(); ++b) {
      const auto count = static_cast<double>(joint[a * of_b.size() + b]);
      if (count == 0) continue;
      const double expected = static_cast<double>(of_a[a]) * static_cast<double>(of_b[b]) / n;
      information += count / n * std::log(count / expected);
    }
  }
  return std::max(information, 0.0);  // rounding may leave less
}

}  // namespace

JointInformation::JointInformation(const Image<float>& first, const Quantiles& quantiles,
                                   const BrainSample& sample)
    : sample_(sample) {
  const Bins bins(quantiles);
  if (!bins.usable()) return;
  for (const Index3& voxel : sample.voxels()) {
    bins_.push_back(static_cast<std::uint8_t>(bins.of(first.values[sample.offset(voxel)])));
  }
}

std::optional<double> JointInformation::with(const Image<float>& other, const Quantiles& quantiles,
                                             const Index3& shift) const {
  const Bins bins(quantiles);
  if (bins_.empty() || !bins.usable()) return std::nullopt;
  constexpr auto kBins = static_cast<std::size_t>(kMutualInformationBins);
  std::vector<std::int64_t> joint(kBins * kBins);
  for (std::size_t n = 0; n < bins_.size(); ++n) {
    const Index3& voxel = sample_.voxels()[n];
    const Index3 to{voxel[0] + shift[0], voxel[1] + shift[1], voxel[2] + shift[2]};
    if (!sample_.contains(to)) continue;
    const auto bin = static_cast<std::size_t>(bins.of(other.values[sample_.offset(to)]));
    ++joint[bins_[n] * kBins + bin];
  }
  return information_in(joint);
}

std::int64_t voxels_for_mm(double mm, double spacing_mm) {
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(mm / spacing_mm - 1e-3)), 1);
}

}  // namespace mcvol
