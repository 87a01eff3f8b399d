#pragma once

#include "mcvol/analysis/evaluate.h"
#include "mcvol/analysis/volume_table.h"
#include "mcvol/calibration/interval_scores.h"
#include "mcvol/io/records/run_file.h"

#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// One region of one scan of known volume under one method.
struct EvaluatedScan {
  std::string case_id;
  double reference_ml = 0;
  bool flagged = false;
  ScoredInterval scored;
};

/// A method on the scans of one region.
struct EvaluatedMethod {
  IntervalMethod method = IntervalMethod::kLevelSets;
  std::vector<EvaluatedScan> scans;
  CoverageSummary summary;
  /// Interval score of V^(1/3) of the calibration's method over this one's; none of itself.
  std::optional<PairedRatio> ratio;
};

struct EvaluatedRegion {
  std::string region;
  std::vector<EvaluatedMethod> methods;  ///< the calibration's first
  std::vector<QualityRow> quality;       ///< of the Dice first, where it is known
  std::vector<RiskCoverageCurve> risk_coverage;
  std::vector<EvaluatedSegmentation> segmentations;
  std::optional<DiceCoverage> dice_coverage;  ///< none where no Dice is expected
};

/// What evaluation.html is made of.
struct EvaluationContent {
  RunFile run;
  CalibrationPointer calibration;  ///< may be null: then level_sets is the only method
  NominalCoverage level;
  std::vector<EvaluatedRegion> regions;
  std::vector<std::string> notes;  ///< of the evaluation, a line each
  std::string program;
};

/// One self-contained page: per region how often the intervals hold at every level (reliability
/// diagram), where the reference lies in what was predicted (PIT), predicted against reference
/// volume with bars (Eaton-Rosen et al. 2018, Fig. 3), width against volume, and all methods side
/// by side.
std::string evaluation_page_html(const EvaluationContent& report);

}  // namespace mcvol
