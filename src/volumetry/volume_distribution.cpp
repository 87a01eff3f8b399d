#include "mcvol/volumetry/volume_distribution.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <boost/math/tools/toms748_solve.hpp>

namespace mcvol {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Latent x of a curve at which the standard normal factor is z.
double latent_at(const VolumeCurve& curve, double z) {
  if (curve.latent == VolumeCurve::Latent::kNormal) return z / curve.z_per_x;
  return normal_log_cdf(z) - normal_log_cdf(-z);
}

/// P(x <= t) of the latent; P(x > t) is that at -t.
double latent_cdf(const VolumeCurve& curve, double t) {
  if (curve.latent == VolumeCurve::Latent::kNormal) return normal_cdf(t * curve.z_per_x);
  return 1 / (1 + std::exp(-t));
}

/// log P(x <= t) of the latent; log P(x > t) is that at -t.
double latent_log_cdf(const VolumeCurve& curve, double t) {
  if (curve.latent == VolumeCurve::Latent::kNormal) return normal_log_cdf(t * curve.z_per_x);
  return t < 0 ? t - std::log1p(std::exp(t)) : -std::log1p(std::exp(-t));
}

/// log of the mean of exp(values).
double log_mean_exp(const std::vector<double>& values) {
  const double largest = *std::max_element(values.begin(), values.end());
  if (largest == -kUnbounded) return largest;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - largest);
  return largest + std::log(sum / static_cast<double>(values.size()));
}

/// E[(V - mean)^2] of one pass over the standard normal factor, by the trapezoidal rule (exact to
/// rounding for smooth V).
double curve_variance(const VolumeCurve& curve) {
  constexpr double kStep = 1.0 / 16;
  constexpr int kSteps = 8 * 16;
  double sum = 0;
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double z = step * kStep;
    const double deviation = curve.volume_ml.value(latent_at(curve, z)) - curve.mean_ml;
    sum += kStep * normal_pdf(z) * deviation * deviation;
  }
  return sum;
}

std::vector<double> atoms_of(std::span<const LogitHistogram> passes, double voxel_volume_ml,
                             Sampler sampler) {
  std::vector<double> atoms;
  for (const LogitHistogram& pass : passes) {
    const double voxels =
        sampler == Sampler::kSoft ? pass.probability_sum() : static_cast<double>(pass.above_half());
    atoms.push_back(voxels * voxel_volume_ml);
  }
  std::sort(atoms.begin(), atoms.end());
  return atoms;
}

/// Of `count` equally likely atoms, the smallest that is reached with this probability.
std::size_t atom_index(double probability, std::size_t count) {
  // Rounding of probability * count must not skip an atom.
  const double rank = probability * static_cast<double>(count);
  return static_cast<std::size_t>(std::max(std::ceil(rank * (1 - 1e-12)) - 1, 0.0));
}

std::vector<VolumeCurve> curves_of(std::span<const LogitHistogram> passes, double voxel_volume_ml,
                                   double rho) {
  if (rho > 0 && rho < 1) return copula_curves(passes, voxel_volume_ml, rho);
  std::vector<VolumeCurve> curves;
  curves.reserve(passes.size());
  for (const LogitHistogram& pass : passes) {
    curves.push_back(rho == 0 ? independent_voxels_curve(pass, voxel_volume_ml)
                              : level_set_curve(pass, voxel_volume_ml));
  }
  return curves;
}

double rho_of(const SamplerOptions& options) {
  if (options.sampler == Sampler::kBernoulli) return 0;
  return options.sampler == Sampler::kLevelSet ? 1 : options.rho;
}

}  // namespace

VolumeDistribution::VolumeDistribution(std::span<const LogitHistogram> passes,
                                       double voxel_volume_ml, SamplerOptions options)
    : half_voxel_ml_(voxel_volume_ml / 2) {
  if (passes.empty()) throw Error("volume distribution: expected at least one pass, found none");
  if (!(voxel_volume_ml > 0 && std::isfinite(voxel_volume_ml))) {
    throw Error("volume distribution: expected a voxel volume above 0 ml, found " +
                std::to_string(voxel_volume_ml));
  }
  const double rho = rho_of(options);
  if (!(rho >= 0 && rho <= 1)) {
    throw Error("volume distribution: expected rho in [0, 1], found " + std::to_string(rho));
  }
  if (options.sampler == Sampler::kSoft || options.sampler == Sampler::kThreshold) {
    atoms_ml_ = atoms_of(passes, voxel_volume_ml, options.sampler);
  } else {
    curves_ = curves_of(passes, voxel_volume_ml, rho);
  }
}

double VolumeDistribution::cdf(double volume_ml) const {
  if (!atoms_ml_.empty()) {
    const auto below = std::upper_bound(atoms_ml_.begin(), atoms_ml_.end(), volume_ml);
    return static_cast<double>(below - atoms_ml_.begin()) / static_cast<double>(atoms_ml_.size());
  }
  if (!(volume_ml >= 0)) return 0;
  double sum = 0;
  for (const VolumeCurve& curve : curves_) {
    sum += latent_cdf(curve, curve.volume_ml.inverse(std::max(volume_ml, half_voxel_ml_)));
  }
  return sum / static_cast<double>(curves_.size());
}

std::vector<double> VolumeDistribution::pass_cdfs(double volume_ml) const {
  if (!atoms_ml_.empty()) throw Error("volume distribution: one value per pass, in no order");
  std::vector<double> cdfs;
  cdfs.reserve(curves_.size());
  for (const VolumeCurve& curve : curves_) {
    const double x = curve.volume_ml.inverse(std::max(volume_ml, half_voxel_ml_));
    cdfs.push_back(volume_ml >= 0 ? latent_cdf(curve, x) : 0.0);
  }
  return cdfs;
}

double VolumeDistribution::survival(double volume_ml) const {
  double sum = 0;
  for (const VolumeCurve& curve : curves_) {
    sum += latent_cdf(curve, -curve.volume_ml.inverse(std::max(volume_ml, half_voxel_ml_)));
  }
  return sum / static_cast<double>(curves_.size());
}

VolumeDistribution::LogTails VolumeDistribution::log_tails(double volume_ml) const {
  if (!(volume_ml >= 0)) return {-kUnbounded, 0};
  std::vector<double> cdfs;
  std::vector<double> survivals;
  for (const VolumeCurve& curve : curves_) {
    const double x = curve.volume_ml.inverse(std::max(volume_ml, half_voxel_ml_));
    cdfs.push_back(latent_log_cdf(curve, x));
    survivals.push_back(latent_log_cdf(curve, -x));
  }
  return {log_mean_exp(cdfs), log_mean_exp(survivals)};
}

double VolumeDistribution::probit_cdf(double volume_ml) const {
  if (!atoms_ml_.empty()) return probit(cdf(volume_ml));
  const LogTails tails = log_tails(volume_ml);
  return probit_from_logs(tails.cdf, tails.survival);
}

double VolumeDistribution::quantile(double probability) const {
  if (!(probability > 0 && probability < 1)) {
    throw Error("quantile: expected a probability in (0, 1), found " + std::to_string(probability));
  }
  if (!atoms_ml_.empty()) return atoms_ml_[atom_index(probability, atoms_ml_.size())];
  return quantile_at_probit(probit(probability));
}

double VolumeDistribution::quantile_at_probit(double z) const {
  if (!atoms_ml_.empty()) return atoms_ml_[atom_index(normal_cdf(z), atoms_ml_.size())];
  if (excess(0, z) >= 0) return 0;
  // The quantile of a mixture lies between those of its components.
  double low = kUnbounded;
  double high = half_voxel_ml_;
  for (const VolumeCurve& curve : curves_) {
    const double volume_ml = curve.volume_ml.value(latent_at(curve, z));
    low = std::min(low, volume_ml);
    high = std::max(high, volume_ml);
  }
  low = std::max(low, half_voxel_ml_);
  constexpr double kTolerance = 1e-10;
  const auto close = [](double a, double b) { return b - a <= kTolerance * b; };
  double at_low = excess(low, z);
  double at_high = excess(high, z);
  if (at_low >= 0 || close(low, high)) return at_low >= 0 ? low : high;
  if (!(at_high > 0)) return high;
  // Steep on one side of a quantile and flat on the other, so no plain secant.
  std::uintmax_t iterations = 100;
  return boost::math::tools::toms748_solve([&](double volume_ml) { return excess(volume_ml, z); },
                                           low, high, at_low, at_high, close, iterations)
      .second;
}

double VolumeDistribution::excess(double volume_ml, double z) const {
  constexpr double kLogsBeyond = 30;
  if (std::abs(z) > kLogsBeyond) {
    // Infinities would not tell a root finder how far it is.
    return std::clamp(probit_cdf(volume_ml), -1e9, 1e9) - z;
  }
  if (z <= 0) return cdf(volume_ml) - normal_cdf(z);
  return normal_cdf(-z) - survival(volume_ml);
}

std::vector<double> VolumeDistribution::volumes_at(std::span<const double> z) const {
  std::vector<double> volumes;
  volumes.reserve(z.size() * (atoms_ml_.size() + curves_.size()));
  for (const double atom : atoms_ml_) volumes.insert(volumes.end(), z.size(), atom);
  for (const VolumeCurve& curve : curves_) {
    for (const double one : z) {
      const double volume_ml = curve.volume_ml.value(latent_at(curve, one));
      volumes.push_back(volume_ml < half_voxel_ml_ ? 0 : volume_ml);
    }
  }
  return volumes;
}

double VolumeDistribution::mean_ml() const {
  double sum = 0;
  for (const double atom : atoms_ml_) sum += atom;
  for (const VolumeCurve& curve : curves_) sum += curve.mean_ml;
  return sum / static_cast<double>(atoms_ml_.size() + curves_.size());
}

double VolumeDistribution::sd_ml() const {
  const double mean = mean_ml();
  double sum = 0;
  for (const double atom : atoms_ml_) sum += (atom - mean) * (atom - mean);
  for (const VolumeCurve& curve : curves_) {
    sum += curve_variance(curve) + (curve.mean_ml - mean) * (curve.mean_ml - mean);
  }
  return std::sqrt(sum / static_cast<double>(atoms_ml_.size() + curves_.size()));
}

}  // namespace mcvol
