#include "mcvol/calibration/weighted_sample.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace mcvol {

namespace {

constexpr int kPointsPerPass = 97;

struct NormalPoints {
  std::array<double, kPointsPerPass> z, weights;
};

const NormalPoints& normal_points() {
  static const NormalPoints points = [] {
    constexpr double kLimit = 6;
    NormalPoints made{};
    double sum = 0;
    for (int j = 0; j < kPointsPerPass; ++j) {
      made.z[j] = kLimit * (2.0 * j / (kPointsPerPass - 1) - 1);
      made.weights[j] = normal_pdf(made.z[j]);
      sum += made.weights[j];
    }
    for (double& weight : made.weights) weight /= sum;
    return made;
  }();
  return points;
}

std::vector<double> roots_of(const VolumeDistribution& distribution, double least_ml) {
  std::vector<double> roots = distribution.volumes_at(normal_points().z);
  for (double& root : roots) root = root_of(root, least_ml);
  return roots;
}

std::vector<double> repeated_weights(std::size_t points) {
  const std::size_t passes = points / kPointsPerPass;
  std::vector<double> weights;
  weights.reserve(points);
  for (std::size_t pass = 0; pass < passes; ++pass) {
    for (const double weight : normal_points().weights) {
      weights.push_back(weight / static_cast<double>(passes));
    }
  }
  return weights;
}

using WeightedPoint = std::pair<double, double>;

/// Sorts points that are ascending runs one after the other, as passes are, by merging the runs.
void merge_runs(std::vector<WeightedPoint>& points) {
  std::vector<std::size_t> bounds{0};
  for (std::size_t n = 1; n < points.size(); ++n) {
    if (points[n].first < points[n - 1].first) bounds.push_back(n);
  }
  bounds.push_back(points.size());
  std::vector<WeightedPoint> merged(points.size());
  while (bounds.size() > 2) {
    std::vector<std::size_t> next{0};
    for (std::size_t b = 0; b + 1 < bounds.size(); b += 2) {
      const auto at = [&](std::size_t bound) {
        return points.begin() + static_cast<std::ptrdiff_t>(bound);
      };
      const std::size_t middle = bounds[b + 1];
      const std::size_t last = b + 2 < bounds.size() ? bounds[b + 2] : middle;
      std::merge(at(bounds[b]), at(middle), at(middle), at(last),
                 merged.begin() + static_cast<std::ptrdiff_t>(bounds[b]),
                 [](const auto& x, const auto& y) { return x.first < y.first; });
      next.push_back(last);
    }
    points.swap(merged);
    bounds = std::move(next);
  }
}

}  // namespace

double least_volume_ml(double voxel_volume_ml) { return std::max(voxel_volume_ml, 0.05); }

double root_of(double volume_ml, double least_ml) {
  return volume_ml > least_ml ? std::cbrt(volume_ml) : 0;
}

WeightedSample::WeightedSample(std::vector<double> points, const std::vector<double>& weights) {
  if (points.empty() || points.size() != weights.size()) {
    throw Error("weighted sample: expected as many weights as points, and some");
  }
  std::vector<WeightedPoint> sorted(points.size());
  for (std::size_t n = 0; n < points.size(); ++n) sorted[n] = {points[n], weights[n]};
  merge_runs(sorted);
  points_ = std::move(points);
  weights_.resize(sorted.size());
  moments_.resize(sorted.size());
  double weight = 0;
  double moment = 0;
  for (std::size_t n = 0; n < sorted.size(); ++n) {
    const auto [point, share] = sorted[n];
    points_[n] = point;
    weight += share;
    moment += share * point;
    weights_[n] = weight;
    moments_[n] = moment;
    half_spread_ += share * point * (2 * weight - share - 1);
  }
}

double WeightedSample::sd() const {
  double sum = 0;
  double before = 0;
  for (std::size_t n = 0; n < points_.size(); ++n) {
    sum += (weights_[n] - before) * (points_[n] - mean()) * (points_[n] - mean());
    before = weights_[n];
  }
  return std::sqrt(sum);
}

double WeightedSample::quantile(double probability) const {
  // The last weight is 1 to rounding only.
  const auto found = std::lower_bound(weights_.begin(), weights_.end() - 1, probability);
  return points_[static_cast<std::size_t>(found - weights_.begin())];
}

double WeightedSample::crps(double value) const {
  const auto above = std::upper_bound(points_.begin(), points_.end(), value) - points_.begin();
  double weight = 0;
  double moment = 0;
  if (above > 0) {
    weight = weights_[static_cast<std::size_t>(above) - 1];
    moment = moments_[static_cast<std::size_t>(above) - 1];
  }
  const double distance = value * (2 * weight - weights_.back()) + moments_.back() - 2 * moment;
  return distance - half_spread_;
}

WeightedSample root_sample(const VolumeDistribution& distribution, double least_ml) {
  std::vector<double> roots = roots_of(distribution, least_ml);
  const std::vector<double> weights = repeated_weights(roots.size());
  return {std::move(roots), weights};
}

WeightedSample volume_sample(const VolumeDistribution& distribution, double least_ml) {
  std::vector<double> volumes = distribution.volumes_at(normal_points().z);
  for (double& volume_ml : volumes) volume_ml = volume_ml > least_ml ? volume_ml : 0;
  const std::vector<double> weights = repeated_weights(volumes.size());
  return {std::move(volumes), weights};
}

}  // namespace mcvol
