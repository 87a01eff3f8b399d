#pragma once

#include "mcvol/calibration/conformal.h"
#include "mcvol/calibration/conformity_score.h"
#include "mcvol/calibration/region_prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mcvol::testing {

inline constexpr double kSyntheticVoxelMl = 0.008;

/// A ball whose logit falls linearly with the radius: 0 at `half`, by one every `softness`, both in
/// voxels.
inline LogitHistogram ball_histogram(double half, double softness) {
  const auto voxels_above = [&](double logit) {
    const double radius = half - logit * softness;
    return radius > 0 ? 4.18879 * radius * radius * radius : 0;
  };
  std::array<std::int64_t, kHistogramNodes> weights{};
  constexpr std::int64_t kVoxels = 200'000;
  std::int64_t rest = kVoxels * kVoxelWeight;
  for (int n = kHistogramNodes - 1; n > 0; --n) {
    const double logit = histogram_nodes().logits[n];
    // The end node has everything beyond it, too.
    const double above = n == kHistogramNodes - 1 ? 0 : voxels_above(logit + 0.0625);
    const double share = voxels_above(logit - 0.0625) - above;
    weights[n] = std::min(rest, static_cast<std::int64_t>(share * kVoxelWeight));
    rest -= weights[n];
  }
  weights[0] = rest;
  const auto above_half = static_cast<std::int64_t>(voxels_above(0));
  return LogitHistogram::from_weights(weights, std::min(above_half, kVoxels));
}

/// One scan: what the passes say, and the volume there is.
struct SyntheticScan {
  std::string case_id;
  std::vector<LogitHistogram> passes;
  double truth_ml = 0;
};

struct SyntheticTruth {
  double bias = 1;            ///< of the radius
  bool heavy_tailed = false;  ///< error with Student's t, 2 degrees of freedom, instead of normal
  double absent = 0;          ///< share of scans without a tumour
};

/// Scans that differ in size, in how soft their edges are, and in how far off the passes are.
inline std::vector<SyntheticScan> synthetic_scans(int count, std::uint64_t seed,
                                                  const SyntheticTruth& truth = {}) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::student_t_distribution<double> student(2);
  std::uniform_real_distribution<double> uniform;
  std::vector<SyntheticScan> scans;
  for (int n = 0; n < count; ++n) {
    SyntheticScan scan;
    scan.case_id = "scan_" + std::to_string(n);
    const double half = 2.5 * std::pow(6.0, uniform(engine));  // 0.5 to 110 ml
    const double softness = 0.1 + 0.5 * uniform(engine);
    for (int pass = 0; pass < 3; ++pass) {
      const double seen = half * (1 + 0.02 * normal(engine)) + softness * normal(engine) / 2;
      scan.passes.push_back(ball_histogram(std::max(seen, 0.0), softness));
    }
    const double error = truth.heavy_tailed ? student(engine) : normal(engine);
    const double radius = truth.bias * half + 2 * softness * error;
    const bool absent = uniform(engine) < truth.absent;
    if (!absent && radius > 0) {
      scan.truth_ml = 4.18879 * radius * radius * radius * kSyntheticVoxelMl;
    }
    scans.push_back(std::move(scan));
  }
  return scans;
}

/// Of balls within each other: voxels by the number of passes that have them.
inline std::vector<std::int64_t> nested_agreement(const std::vector<LogitHistogram>& passes) {
  std::vector<std::int64_t> sizes{passes.front().voxel_count()};
  for (const LogitHistogram& pass : passes) sizes.push_back(pass.above_half());
  std::sort(sizes.rbegin(), sizes.rend());
  std::vector<std::int64_t> agreement;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    agreement.push_back(sizes[n] - (n + 1 < sizes.size() ? sizes[n + 1] : 0));
  }
  return agreement;
}

/// Its first pass stands for that without dropout, and for the mean.
inline RegionPrediction prediction_of(const SyntheticScan& scan) {
  return {scan.case_id,
          "whole",
          scan.passes,
          {scan.passes.front()},
          kSyntheticVoxelMl,
          scan.passes.front(),
          static_cast<double>(scan.passes.front().above_half()) * kSyntheticVoxelMl,
          nested_agreement(scan.passes)};
}

inline std::vector<ConformityScore> scores_of(const SyntheticScan& scan, ScoreKind kind,
                                              const std::vector<double>& rhos) {
  std::vector<ConformityScore> scores;
  for (const double rho : rhos) {
    scores.emplace_back(kind,
                        VolumeDistribution(scan.passes, kSyntheticVoxelMl, {Sampler::kCopula, rho}),
                        kSyntheticVoxelMl);
  }
  return scores;
}

/// With the scan's own volume in question.
inline CandidateScores candidates_of(const std::vector<ConformityScore>& scores,
                                     const SyntheticScan& scan) {
  const double uniform = atom_uniform(scan.case_id, "whole_tumour");
  CandidateScores candidates;
  for (const ConformityScore& score : scores) {
    candidates.losses.push_back(score.crps(scan.truth_ml));
    candidates.scores.push_back(score.at(scan.truth_ml, uniform));
  }
  return candidates;
}

}  // namespace mcvol::testing
