#include "mcvol/volumetry/conversion.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <Eigen/Core>

namespace mcvol {
namespace {

/// Above this the kernel is narrower than the nodes are apart, and level sets are smoothed instead.
constexpr double kMaxNodeRho = 0.99;

/// probit of the nodes' probabilities; odd about the middle.
const Eigen::ArrayXd& node_probits() {
  static const Eigen::ArrayXd probits = [] {
    const HistogramNodes& nodes = histogram_nodes();
    Eigen::ArrayXd made(kHistogramNodes);
    for (int n = 0; n < kHistogramNodes; ++n) {
      const bool lower = nodes.logits[n] <= 0;
      made[n] = lower ? probit(nodes.probabilities[n]) : -probit(nodes.complements[n]);
    }
    return made;
  }();
  return probits;
}

/// What depends on rho and the nodes alone, the same for every histogram.
struct CopulaBasis {
  double rho;
  double start;
  double spacing;
  Eigen::MatrixXd response;  ///< q of [knot, node]; knots are equally spaced in sqrt(rho) z
  Eigen::MatrixXd summary;   ///< rows: q (1 - q) and dq/dz at z = 0
};

std::shared_ptr<const CopulaBasis> make_basis(double rho) {
  auto basis = std::make_shared<CopulaBasis>();
  const double width = std::sqrt(1 - rho);
  // Beyond the last node's probit by six kernel widths everything is in or out.
  const double limit = node_probits()[kHistogramNodes - 1] + 6 * width;
  // A quarter of the width of the kernel that smooths m: cubic pieces are then off by 1e-6 of it.
  const int half = static_cast<int>(std::ceil(limit / (width / 4)));
  basis->rho = rho;
  basis->start = -limit;
  basis->spacing = limit / half;
  basis->response.resize(2 * half + 1, kHistogramNodes);
  for (int j = 0; j <= 2 * half; ++j) {
    const double shift = (j - half) * basis->spacing;
    basis->response.row(j) =
        ((node_probits() + shift) / width).unaryExpr(&normal_cdf).matrix().transpose();
  }
  const Eigen::ArrayXd arguments = node_probits() / width;
  const Eigen::ArrayXd centre = arguments.unaryExpr(&normal_cdf);
  basis->summary.resize(2, kHistogramNodes);
  basis->summary.row(0) = (centre * centre.reverse()).matrix().transpose();
  basis->summary.row(1) =
      (std::sqrt(rho) / width * arguments.unaryExpr(&normal_pdf)).matrix().transpose();
  return basis;
}

/// Bases are a few milliseconds to make and serve every scan, so the recent ones are kept.
std::shared_ptr<const CopulaBasis> basis_for(double rho) {
  constexpr std::size_t kMaxKept = 32;
  static std::mutex mutex;
  static std::map<double, std::shared_ptr<const CopulaBasis>> kept;
  const std::lock_guard lock(mutex);
  if (const auto found = kept.find(rho); found != kept.end()) return found->second;
  if (kept.size() >= kMaxKept) kept.clear();
  return kept[rho] = make_basis(rho);
}

Eigen::MatrixXd counts_of(std::span<const LogitHistogram> passes) {
  Eigen::MatrixXd counts(kHistogramNodes, passes.size());
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    for (int n = 0; n < kHistogramNodes; ++n) {
      counts(n, pass) =
          static_cast<double>(passes[pass].weights()[n]) / static_cast<double>(kVoxelWeight);
    }
  }
  return counts;
}

/// sqrt(1 + k^2), see copula_curves(); all in voxels.
double widening(double variance, double slope) {
  if (!(slope > 0)) return 1;
  return std::sqrt(1 + variance / (slope * slope) * variance / (variance + 1));
}

std::vector<VolumeCurve> curves_from_nodes(std::span<const LogitHistogram> passes, double voxel_ml,
                                           double rho) {
  const auto basis = basis_for(rho);
  const Eigen::MatrixXd counts = counts_of(passes);
  const Eigen::MatrixXd volumes = basis->response * counts * voxel_ml;
  const Eigen::MatrixXd summaries = basis->summary * counts;
  std::vector<VolumeCurve> curves;
  curves.reserve(passes.size());
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    const double total = static_cast<double>(passes[pass].voxel_count()) * voxel_ml;
    const double* first = volumes.col(pass).data();
    std::vector<double> values(first, first + volumes.rows());
    values.front() = 0;
    for (double& value : values) value = std::min(value, total);
    values.back() = total;
    const auto summary = summaries.col(pass);
    const double wider = widening(summary[0], summary[1]);
    curves.push_back({VolumeCurve::Latent::kNormal, 1 / (std::sqrt(rho) * wider),
                      MonotoneCurve(basis->start, basis->spacing, std::move(values)),
                      passes[pass].probability_sum() * voxel_ml});
  }
  return curves;
}

/// For rho close to 1: given z the threshold's probit is normal about -sqrt(rho) z with variance
/// 1 - rho, so m(z) is the level-set volume averaged over it (Gauss-Hermite, five points).
std::vector<VolumeCurve> curves_from_level_sets(std::span<const LogitHistogram> passes,
                                                double voxel_ml, double rho) {
  constexpr std::array<double, 5> kPoints{-2.8569700138728056, -1.3556261799742659, 0,
                                          1.3556261799742659, 2.8569700138728056};
  constexpr std::array<double, 5> kWeights{0.011257411327720689, 0.22207592200561264,
                                           0.53333333333333333, 0.22207592200561264,
                                           0.011257411327720689};
  constexpr double kLimit = 7;
  constexpr double kSpacing = 1.0 / 32;
  constexpr int kHalfSpan = static_cast<int>(kLimit / kSpacing);
  std::vector<VolumeCurve> curves;
  for (const LogitHistogram& pass : passes) {
    const VolumeCurve level_set = level_set_curve(pass, voxel_ml);
    std::vector<double> values(2 * kHalfSpan + 1, 0.0);
    for (int j = -kHalfSpan; j <= kHalfSpan; ++j) {
      for (std::size_t point = 0; point < kPoints.size(); ++point) {
        const double z = j * kSpacing + std::sqrt(1 - rho) * kPoints[point];
        const double logistic = normal_log_cdf(z) - normal_log_cdf(-z);
        values[j + kHalfSpan] += kWeights[point] * level_set.volume_ml.value(logistic);
      }
    }
    curves.push_back({VolumeCurve::Latent::kNormal, 1 / std::sqrt(rho),
                      MonotoneCurve(-kLimit, kSpacing, std::move(values)), level_set.mean_ml});
  }
  return curves;
}

}  // namespace

std::vector<VolumeCurve> copula_curves(std::span<const LogitHistogram> passes,
                                       double voxel_volume_ml, double rho) {
  return rho <= kMaxNodeRho ? curves_from_nodes(passes, voxel_volume_ml, rho)
                            : curves_from_level_sets(passes, voxel_volume_ml, rho);
}

}  // namespace mcvol
