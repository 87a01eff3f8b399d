#pragma once

#include "mcvol/calibration/conformal.h"
#include "mcvol/calibration/dice_fit.h"
#include "mcvol/calibration/region_prediction.h"
#include "mcvol/calibration/regression_fit.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// Correlations of the copula to choose from.
std::span<const double> rho_grid();

/// The scores of a scan under the candidates of a fit.
std::vector<ConformityScore> conformity_scores(const RegionPrediction& prediction, ScoreKind kind,
                                               std::span<const double> rhos);

/// Losses and scores over the whole rho_grid() of a scan whose volume is known.
CandidateScores candidate_scores(const RegionPrediction& prediction, ScoreKind kind,
                                 double volume_ml);

/// The fits of one region, stratum by stratum.
struct RegionCalibration {
  static constexpr std::int64_t kLeastPerStratum = 50;

  /// Fits of one stratum: of scans whose predicted volume is from `from_ml` up to the next
  /// stratum's.
  struct Stratum {
    double from_ml = 0;
    std::vector<std::pair<ScoreKind, ConformalFit>> fits;  ///< kNoDropout may be missing
    /// None in calibrations of format 1, and where a scan's record lacks what it takes.
    std::optional<RegressionFit> regression;

    /// Null where there is none.
    const ConformalFit* fit(ScoreKind kind) const;
    /// Whether it has what a method takes; of kLevelSets always.
    bool has(IntervalMethod method) const;
    std::int64_t n() const { return fits.front().second.n(); }
  };

  std::string region;
  std::vector<Stratum> strata;    ///< ascending, the first from 0; at least one
  double least_predicted_ml = 0;  ///< of the calibration scans
  double most_predicted_ml = 0;
  /// 95th percentile over the calibration scans of upper^(1/3) - lower^(1/3) at `width_level`:
  /// wider intervals are flagged `uncertain`.
  double most_usual_width = 0;
  NominalCoverage width_level;
  /// None where references say nothing of the segmentations (volumes alone), and in format 1.
  std::optional<DiceFit> dice;
  double usual_least_dice = 0;  ///< usual_least_dice() of 5 % of them

  const Stratum& stratum_of(double predicted_ml) const;
};

/// What a calibration takes from one region of one scan of known volume.
struct CalibrationScan {
  double predicted_ml = 0;
  std::vector<std::pair<ScoreKind, CandidateScores>> scores;
  std::optional<RegressionFit::Scan> regression;  ///< none of records of format 1
};

/// All of it. @param volume_ml of the reference.
CalibrationScan calibration_scan(const RegionPrediction& prediction, double volume_ml);

/// Everything but most_usual_width. @param edges_ml between strata, ascending; none: one stratum.
/// kNoDropout and the regression are left out where a scan lacks what they take.
/// @throws CalibrationError for no scans; for a stratum of fewer than `least` scans where there are
///   several.
RegionCalibration fit_region(const std::string& region, std::span<const double> edges_ml,
                             std::span<const CalibrationScan> scans,
                             std::int64_t least = RegionCalibration::kLeastPerStratum);

/// Where the bounds of a method lie among n scans; none where n are too few for the level.
std::optional<ScoreCut> cut_of(IntervalMethod method, std::int64_t n, const NominalCoverage& level);

/// What a method covers on average over calibrations of n references: 1 - 2k / (n + 1), of
/// kQuantile level (n - 1) / (n + 1). None where n are too few.
std::optional<double> promised_coverage(IntervalMethod method, std::int64_t n,
                                        const NominalCoverage& level);

}  // namespace mcvol
