#pragma once

#include "mcvol/calibration/conformity_score.h"
#include "mcvol/calibration/nominal_coverage.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mcvol {

/// Bounds of a region's volume.
struct PredictionInterval {
  double lower_ml = 0;
  double upper_ml = 0;
};

/// Where the bounds lie among n ascending scores: positions from 1 to n, a fraction between two.
struct ScoreCut {
  double lower = 1;
  double upper = 1;
};

/// The k-th and the (n + 1 - k)-th, k of tail_rank(): distributional conformal prediction
/// (Chernozhukov, Wüthrich, Zhu, PNAS 118, 2021), with equal tails since the distributions are
/// lopsided, so that each bound holds by itself as well. None where k is 0.
std::optional<ScoreCut> conformal_cut(std::int64_t n, const NominalCoverage& level);

/// Empirical quantiles (1 ± level) / 2, linear between scores: recalibration as in Eaton-Rosen et
/// al. 2018. Covers level (n - 1) / (n + 1) on average.
ScoreCut quantile_cut(std::int64_t n, const NominalCoverage& level);

/// One calibration scan under every candidate distribution (every rho of a grid).
struct CandidateScores {
  std::vector<double> losses;  ///< CRPS of V^(1/3), each at most kMostLoss
  std::vector<double> scores;
};

/// The scores that calibration scans had, from which intervals of other scans are cut.
///
/// Which of several distributions is used is decided by the smaller sum of losses over the
/// calibration scans *and* the scan at hand with the volume in question (full conformal prediction:
/// Vovk et al. 2005), so that deciding costs nothing of the coverage. One scan counts at most
/// kMostLoss: one that was missed altogether does not decide alone, and a candidate further than
/// that from the best can never be chosen, so that only the others are kept.
class ConformalFit {
 public:
  static constexpr double kMostLoss = 1.0;  ///< ml^(1/3)

  /// A distribution that may be chosen.
  struct Candidate {
    double rho = 1;
    double loss_sum = 0;         ///< over the n calibration scans
    std::vector<double> scores;  ///< n, ascending
  };

  /// @param scans each with as many scores as there are rhos; at least one scan.
  static ConformalFit fit(ScoreKind kind, std::span<const double> rhos,
                          std::span<const CandidateScores> scans);
  /// Of a file. @throws Error unless there is a candidate and all have as many scores, ascending.
  ConformalFit(ScoreKind kind, std::vector<Candidate> candidates);

  ScoreKind kind() const { return kind_; }
  std::int64_t n() const { return static_cast<std::int64_t>(candidates_.front().scores.size()); }
  const std::vector<Candidate>& candidates() const { return candidates_; }
  /// The candidate with the least sum of losses over the calibration scans alone.
  std::size_t best() const { return best_; }
  /// The score of a candidate at a position from 1 to n, linear in between.
  double score_at(std::size_t candidate, double position) const;

  /// Whether a volume is in the prediction set of a scan whose losses and scores with that volume
  /// are these, one per candidate. Exactly valid.
  bool keeps(std::span<const double> losses, std::span<const double> scores, ScoreCut cut) const;
  /// The hull of the prediction set. @param scan a score per candidate.
  PredictionInterval interval(std::span<const ConformityScore> scan, ScoreCut cut) const;
  /// Median of the calibrated distribution, in ml. @param scan under the best candidate.
  double median_ml(const ConformityScore& scan) const;

 private:
  std::size_t chosen(std::span<const double> losses) const;

  ScoreKind kind_;
  std::vector<Candidate> candidates_;
  std::size_t best_ = 0;
};

}  // namespace mcvol
