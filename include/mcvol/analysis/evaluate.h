#pragma once

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/analysis/referenced_results.h"
#include "mcvol/calibration/failure_detection.h"
#include "mcvol/calibration/interval_scores.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

struct EvaluateOptions {
  std::filesystem::path results;
  ReferenceSource references;
  CalibrationChoice calibration;        ///< by default the one that the result folder keeps
  std::vector<NominalCoverage> levels;  ///< empty: those of the run
  int threads = 1;
};

/// A region of a scan under a method at a level.
struct EvaluatedInterval {
  std::string case_id, region;
  IntervalMethod method = kDefaultMethod;
  std::string level;
  double volume_ml = 0;     ///< the reference
  double predicted_ml = 0;  ///< predicted_volume_ml()
  bool flagged = false;     ///< outside_calibration_range or uncertain, by the calibration's method
  ScoredInterval scored;
};

/// A row of coverage.csv.
struct CoverageRow {
  std::string region, method, level;
  /// all; tertile_1 to tertile_3 by predicted volume; flagged and unflagged.
  std::string stratum;
  CoverageSummary summary;
};

/// A row of comparison.csv: means of the calibration's method over those of another on the same
/// scans.
struct ComparisonRow {
  std::string region, level, method, compared_with;
  /// interval_score_root, interval_score_ml, mean_width_root, mean_width_ml, crps_root, crps_ml.
  std::string measure;
  PairedRatio ratio;
};

/// Segmentations of a lower Dice with their reference count as bad, and volumes that are off by
/// more than this share of the reference.
inline constexpr double kLowDice = 0.7, kLargeError = 0.25;
inline constexpr const char* kLowDiceOutcome = "dice_below_0.7";
inline constexpr const char* kLargeErrorOutcome = "error_above_25_percent";

/// A number that may tell whether a segmentation is bad.
struct QualitySignal {
  const char* name;  ///< in tables
  bool grows;        ///< with how likely it is bad; else it falls
};
/// The last of them is what the others are compared with: small tumours are harder.
inline constexpr std::array kQualitySignals{
    QualitySignal{"expected_dice", false},    QualitySignal{"dice_lower", false},
    QualitySignal{"generalised_dice", false}, QualitySignal{"entropy_inside", true},
    QualitySignal{"interval_width", true},    QualitySignal{"level_set_width", true},
    QualitySignal{"predicted_volume", false}};

/// A row of segmentations.csv: a region of a scan, how wrong it is, and what each signal says.
struct EvaluatedSegmentation {
  std::string case_id, region;
  std::optional<double> dice;  ///< none where the reference is a volume
  /// Of the volume, over the reference; 0 where both are absent, infinite where the reference is.
  double relative_error = 0;
  /// As kQualitySignals, at usual_level(); none where the calibration or the record does not know.
  /// Widths are over the volume, infinite of none.
  std::array<std::optional<double>, kQualitySignals.size()> signals;

  const std::optional<double>& expected_dice() const { return signals[0]; }
  const std::optional<double>& dice_lower() const { return signals[1]; }
};

/// How many segmentations are as good as dice_lower says.
struct DiceCoverage {
  std::string region, level;
  std::int64_t n = 0, held = 0;
  Range range;  ///< of the share, 95 % (Clopper, Pearson 1934)
};

/// A row of segmentation_quality.csv: how well a number tells bad segmentations or volumes.
struct QualityRow {
  std::string region;
  std::string outcome;  ///< kLowDiceOutcome or kLargeErrorOutcome
  std::string signal;
  std::int64_t n = 0, bad = 0;
  /// With predicted_volume as the other; none where all or none are bad.
  std::optional<Auroc> auroc;
  double risk_coverage_area = 0;  ///< of 1 - Dice, or of the relative error, at most 1
  double excess_area = 0;         ///< over that of an oracle, who knows the risks
};

/// The mean risk of what is kept by a signal.
struct RiskCoverageCurve {
  std::string region, outcome, signal;  ///< of the row; or "oracle"
  std::vector<RiskAtCoverage> points;
};

struct Evaluation {
  RunFile run;
  CalibrationPointer calibration;  ///< what was evaluated; may be null
  std::vector<NominalCoverage> levels;
  std::string method;                        ///< the calibration's; level_sets without one
  std::vector<EvaluatedInterval> intervals;  ///< by region, method, level, case
  std::vector<CoverageRow> coverage;
  std::vector<ComparisonRow> comparison;
  std::vector<EvaluatedSegmentation> segmentations;  ///< by region, case
  std::vector<DiceCoverage> dice_coverage;           ///< of regions whose Dice is expected
  std::vector<QualityRow> quality;
  std::vector<RiskCoverageCurve> risk_coverage;
  std::vector<std::string> notes;            ///< besides those of the references
  std::vector<std::string> reference_notes;  ///< of the references, what was left out among them
  std::vector<std::string> left_out;         ///< of the references
};

/// Coverage and scores of a calibration's intervals on other scans than it was made on, beside
/// every other method: a user should know where Monte Carlo dropout does not beat what costs less.
/// Scans of the calibration are left out.
/// @throws UsageError, CalibrationError; UsageError where no other scan is left.
Evaluation evaluate(const EvaluateOptions& options);

/// The tables as text.
std::string coverage_csv(const Evaluation& evaluation);
std::string comparison_csv(const Evaluation& evaluation);
std::string segmentation_quality_csv(const Evaluation& evaluation);
std::string segmentations_csv(const Evaluation& evaluation);
std::string intervals_csv(const Evaluation& evaluation);

}  // namespace mcvol
