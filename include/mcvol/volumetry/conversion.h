#pragma once

#include "mcvol/volumetry/logit_histogram.h"
#include "mcvol/volumetry/monotone_curve.h"

#include <array>
#include <span>
#include <vector>

namespace mcvol {

/// Volume of one pass as a function of a latent variable x whose distribution is known.
struct VolumeCurve {
  enum class Latent {
    kNormal,    ///< z = x * z_per_x is standard normal
    kLogistic,  ///< x is standard logistic: P(x <= t) = 1 / (1 + exp(-t))
  };

  Latent latent;
  double z_per_x;  ///< kNormal only
  MonotoneCurve volume_ml;
  double mean_ml;  ///< E[V], the summed probability
};

/// Number of voxels with p > p_n for every node n, in voxels.
///
/// Since voxels are split linearly in p, the weights above node k are exactly the mean of N(p > t)
/// over t in [p_k, p_(k+1)]. The values at the nodes follow from these means by the fourth-order
/// formula of the piecewise parabolic method (Colella, Woodward, J. Comput. Phys. 54, 1984), taken
/// over the logit, limited to the neighbouring means; at p = 0.5 the exact count is used.
std::array<double, kHistogramNodes> level_set_counts(const LogitHistogram& histogram);

/// Voxels drawn together: V = w N(p > t), one threshold t uniform on (0, 1) for all voxels
/// (rho = 1). The latent is -logit(t). Voxels in an end node lie log-uniformly 4 beyond it.
VolumeCurve level_set_curve(const LogitHistogram& histogram, double voxel_volume_ml);

/// Voxels drawn independently (rho = 0): V / w is a sum of Bernoulli variables, taken as normal
/// with mean sum p and variance sum p (1 - p). A whole count k stands for (k - 1/2, k + 1/2): the
/// distribution function at k + 1/2 voxels is P(V <= k voxels), the usual continuity correction.
VolumeCurve independent_voxels_curve(const LogitHistogram& histogram, double voxel_volume_ml);

/// One-factor Gaussian copula with 0 < rho < 1: V = m(z), one curve per pass (one matrix product
/// for all). What voxels scatter given z is folded in by widening z:
/// z * sqrt(1 + k^2), k = s(0) / m'(0), damped where s(0) is below one voxel. It matters for small
/// volumes only, and for rho near 0, where it gives the variance of independent voxels.
/// Above rho = 0.99, where the nodes are further apart than q is wide, m is the level-set volume
/// averaged over the threshold given z.
std::vector<VolumeCurve> copula_curves(std::span<const LogitHistogram> passes,
                                       double voxel_volume_ml, double rho);

}  // namespace mcvol
