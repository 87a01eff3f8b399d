#pragma once

#include "mcvol/calibration/conformal.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// How intervals are made. All but kLevelSets are fitted to scans of known volume.
enum class IntervalMethod {
  kConformal,  ///< ranks of the truth in the Monte Carlo distribution
  kScaled,     ///< studentised errors of V^(1/3): error over its spread across passes and z
  kQuantile,   ///< empirical quantiles of the same ranks (Eaton-Rosen et al. 2018)
  kSizeOnly,   ///< errors of V^(1/3), blind to what the passes say of them; a comparison
  kNoDropout,  ///< as kConformal, of one pass without dropout; a comparison
  kLevelSets,  ///< the raw columns of volumes.csv; a comparison
};
inline constexpr std::array kIntervalMethods{
    IntervalMethod::kConformal, IntervalMethod::kScaled,    IntervalMethod::kQuantile,
    IntervalMethod::kSizeOnly,  IntervalMethod::kNoDropout, IntervalMethod::kLevelSets};
/// The best interval score among the valid ones on simulated scans (experiments/interval_method).
inline constexpr IntervalMethod kDefaultMethod = IntervalMethod::kScaled;
std::string to_string(IntervalMethod method);
/// @throws UsageError for another word.
IntervalMethod interval_method_from(const std::string& word);

/// What the scores of a fit are made of. kQuantile cuts the fit of kConformal elsewhere.
enum class FitKind { kMonteCarlo, kStudentised, kSizeOnly, kNoDropout };
inline constexpr std::array kFitKinds{FitKind::kMonteCarlo, FitKind::kStudentised,
                                      FitKind::kSizeOnly, FitKind::kNoDropout};
std::string to_string(FitKind kind);
ScoreKind score_kind_of(FitKind kind);
/// None for kLevelSets, which needs no fit.
std::optional<FitKind> fit_kind_of(IntervalMethod method);

/// What the passes say of one region of one scan.
struct RegionPrediction {
  std::string case_id;  ///< with the region, ranks an absent tumour among the absent
  std::string region;
  std::vector<LogitHistogram> passes;
  std::vector<LogitHistogram> without_dropout;  ///< one per network; empty in older records
  double voxel_volume_ml = 0;
};

/// The volume that strata, ranges and tertiles go by: the median of the level sets, which no
/// calibration moves (raw_volume_ml). Never the true volume: strata of it are no strata of anything
/// one knows.
double predicted_volume_ml(const RegionPrediction& prediction);

/// Correlations of the copula to choose from.
std::span<const double> rho_grid();

/// The scores of a scan under the candidates of a fit.
std::vector<ConformityScore> conformity_scores(const RegionPrediction& prediction, FitKind kind,
                                               std::span<const double> rhos);

/// Losses and scores over the whole rho_grid() of a scan whose volume is known.
CandidateScores candidate_scores(const RegionPrediction& prediction, FitKind kind,
                                 double volume_ml);

/// The fits of one region, stratum by stratum.
struct RegionCalibration {
  static constexpr std::int64_t kLeastPerStratum = 50;

  /// Fits of one stratum: of scans whose predicted volume is from `from_ml` up to the next
  /// stratum's.
  struct Stratum {
    double from_ml = 0;
    std::vector<std::pair<FitKind, ConformalFit>> fits;  ///< kNoDropout may be missing

    /// Null where there is none.
    const ConformalFit* fit(FitKind kind) const;
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

  const Stratum& stratum_of(double predicted_ml) const;
};

/// The fit that a method cuts for a scan of this predicted volume. @throws CalibrationError for one
/// that the calibration lacks.
const ConformalFit& fit_for(const RegionCalibration& calibration, IntervalMethod method,
                            double predicted_ml);

/// What a calibration takes from one region of one scan of known volume.
struct CalibrationScan {
  double predicted_ml = 0;
  std::vector<std::pair<FitKind, CandidateScores>> scores;
};

/// Everything but most_usual_width. @param edges_ml between strata, ascending; none: one stratum.
/// kNoDropout is left out where a scan lacks it.
/// @throws CalibrationError for no scans; for a stratum of fewer than `least` scans where there are
///   several.
RegionCalibration fit_region(const std::string& region, std::span<const double> edges_ml,
                             std::span<const CalibrationScan> scans,
                             std::int64_t least = RegionCalibration::kLeastPerStratum);

/// Calibrated numbers of one region of one scan.
struct VolumeEstimate {
  double median_ml = 0;
  std::vector<PredictionInterval> intervals;  ///< one per level
  bool outside_range = false;  ///< predicted volume beyond those of the calibration scans
  bool uncertain = false;      ///< wider than of 95 % of the calibration scans
  bool not_nested = false;     ///< an interval sticks out of one at a higher level
};

/// Where the bounds of a method lie among n scores; none where n are too few for the level.
std::optional<ScoreCut> cut_of(IntervalMethod method, std::int64_t n, const NominalCoverage& level);

/// What a method covers on average over calibrations of n references: 1 - 2k / (n + 1), of
/// kQuantile level (n - 1) / (n + 1). None where n are too few.
std::optional<double> promised_coverage(IntervalMethod method, std::int64_t n,
                                        const NominalCoverage& level);

/// One region of one scan under the calibrated distribution of a method. Its scores are made once,
/// whatever is asked of them: they take most of the time.
class CalibratedVolume {
 public:
  /// @param calibration has to outlive it. @throws CalibrationError for a fit that it lacks.
  CalibratedVolume(const RegionPrediction& prediction, const RegionCalibration& calibration,
                   IntervalMethod method);

  /// @param levels ascending. @throws CalibrationError where a stratum has too few references for a
  ///   level, saying how many it takes.
  VolumeEstimate estimate(std::span<const NominalCoverage> levels) const;
  /// As calibrated_pit().
  double pit(double volume_ml) const;
  ConformalFit::Crps crps(double volume_ml) const;
  /// In the stratum of the scan.
  std::int64_t references() const { return calibration_.stratum_of(predicted_ml_).n(); }

 private:
  const RegionCalibration& calibration_;
  IntervalMethod method_;
  double predicted_ml_;
  double uniform_;  ///< atom_uniform() of case and region
  const ConformalFit& fit_;
  std::vector<ConformityScore> scan_;  ///< one per candidate of the fit
};

/// CalibratedVolume::estimate() alone.
VolumeEstimate estimate_volume(const RegionPrediction& prediction,
                               const RegionCalibration& calibration, IntervalMethod method,
                               std::span<const NominalCoverage> levels);

/// Probability integral transform of a known volume under the calibrated distribution of a method:
/// (rank - 1/2) / (n + 1), its rank among the n calibration scans and itself. Uniform where the
/// calibration holds. Takes the scores of the best candidate only.
double calibrated_pit(const RegionPrediction& prediction, const RegionCalibration& calibration,
                      IntervalMethod method, double volume_ml);

}  // namespace mcvol
