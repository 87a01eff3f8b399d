#pragma once

#include "mcvol/volumetry/conversion.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <span>
#include <vector>

namespace mcvol {

/// How voxel probabilities become a distribution of volumes (docs/method.md).
enum class Sampler {
  kSoft,       ///< one value per pass: the summed probability
  kThreshold,  ///< one value per pass: voxels with p > 0.5
  kBernoulli,  ///< voxels drawn independently (copula with rho = 0)
  kLevelSet,   ///< one threshold, uniform on (0, 1), shared by all voxels (copula with rho = 1)
  kCopula,     ///< one-factor Gaussian copula with correlation rho
};

struct SamplerOptions {
  Sampler sampler = Sampler::kLevelSet;
  double rho = 1.0;  ///< kCopula only, [0, 1]
};

/// Distribution of a region's volume: an equal-weight mixture over passes of the conversion of each
/// pass's histogram (mcvol/volumetry/conversion.h).
///
/// Given the shared factor z ~ N(0, 1), voxel v belongs to the region with probability
/// q_v(z) = Phi((probit(p_v) + sqrt(rho) z) / sqrt(1 - rho)); V | z has mean m(z) = w sum q_v and
/// variance w^2 sum q_v (1 - q_v), w = ml per voxel. The distribution function is the mean over
/// passes of Phi(z_t(v)), z_t the root of m_t(z) = v. V counts whole voxels: for the random
/// samplers what lies below half a voxel is a volume of 0.
class VolumeDistribution {
 public:
  /// @param passes at least one histogram. @param voxel_volume_ml > 0.
  /// @throws Error on an argument out of range.
  VolumeDistribution(std::span<const LogitHistogram> passes, double voxel_volume_ml,
                     SamplerOptions options);

  /// P(V <= volume_ml), in [0, 1].
  double cdf(double volume_ml) const;
  /// P(V <= volume_ml) of each pass, in order: cdf() is their mean. @throws Error for kSoft and
  /// kThreshold, which know no order.
  std::vector<double> pass_cdfs(double volume_ml) const;
  int pass_count() const { return static_cast<int>(curves_.size() + atoms_ml_.size()); }
  /// probit(P(V <= volume_ml)) from log-CDF and log-survival, so that far tails do not tie;
  /// ±infinity outside the support.
  double probit_cdf(double volume_ml) const;
  /// Smallest v with P(V <= v) >= probability, in ml; probability in (0, 1).
  double quantile(double probability) const;
  /// Smallest v with probit_cdf(v) >= z, in ml: quantile() where the probability itself would round
  /// to 0 or 1. At +infinity the end of the support.
  double quantile_at_probit(double z) const;
  /// The volume of each pass where the shared factor is z, in ml: [pass, z]. A summed probability
  /// or a thresholded volume is the same for every z.
  std::vector<double> volumes_at(std::span<const double> z) const;
  /// Mean: of the summed probability, or of the thresholded volume for kThreshold.
  double mean_ml() const;
  /// Standard deviation within and between passes (divided by their number, not one less).
  double sd_ml() const;

 private:
  /// log P(V <= v) and log P(V > v).
  struct LogTails {
    double cdf;
    double survival;
  };
  LogTails log_tails(double volume_ml) const;
  /// P(V > volume_ml) of the random samplers, volume_ml >= 0.
  double survival(double volume_ml) const;
  /// Has the sign of probit_cdf(volume_ml) - z and increases; for the random samplers and
  /// volume_ml >= 0.
  double excess(double volume_ml, double z) const;

  double half_voxel_ml_;
  std::vector<VolumeCurve> curves_;  ///< one per pass, for the random samplers
  std::vector<double> atoms_ml_;     ///< one per pass, ascending, for kSoft and kThreshold
};

}  // namespace mcvol
