#include "calibration_scans.h"

#include "mcvol/calibration/sample_quantile.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace mcvol {

namespace {

constexpr std::size_t kFolds = 10;
constexpr double kUsualWidths = 0.95;

/// What `uncertain` goes by: 0.9, or the highest of these that the references reach.
NominalCoverage width_level_for(const RegionCalibration& region, IntervalMethod method) {
  for (const char* text : {"0.9", "0.8", "0.5"}) {
    const NominalCoverage level = NominalCoverage::parse(text);
    if (std::all_of(region.strata.begin(), region.strata.end(), [&](const auto& stratum) {
          return cut_of(method, stratum.n(), level).has_value();
        })) {
      return level;
    }
  }
  throw CalibrationError(region.region + ": " + std::to_string(region.strata.front().n()) +
                         " references do not even reach level 0.5; expected at least " +
                         std::to_string(least_references(NominalCoverage::parse("0.5"))));
}

/// The number of the fold of each scan, by its draw, so that the order of cases plays no part.
std::vector<std::size_t> folds_of(const std::vector<std::string>& case_ids) {
  std::vector<std::pair<double, std::size_t>> draws;
  for (std::size_t n = 0; n < case_ids.size(); ++n) {
    draws.emplace_back(atom_uniform(case_ids[n], "fold"), n);
  }
  std::sort(draws.begin(), draws.end());
  std::vector<std::size_t> folds(draws.size());
  for (std::size_t n = 0; n < draws.size(); ++n) folds[draws[n].second] = n % kFolds;
  return folds;
}

/// Of the scans whose Dice is known, where they are enough.
void fit_dice(const ScansOfRegion& scans, const std::vector<std::string>& case_ids,
              RegionCalibration& fitted) {
  constexpr double kLowShare = 0.05;
  std::vector<DiceFit::Scan> known;
  std::vector<std::string> known_ids;
  for (std::size_t n = 0; n < case_ids.size(); ++n) {
    if (!scans.dice[n]) continue;
    known.push_back(*scans.dice[n]);
    known_ids.push_back(case_ids[n]);
  }
  if (std::ssize(known) < DiceFit::kLeastScans) return;
  fitted.dice.emplace(std::move(known));
  fitted.usual_least_dice = usual_least_dice(*fitted.dice, folds_of(known_ids), kLowShare);
}

/// Calibrations of one region, each on the scans of all folds but one.
class FoldFits {
 public:
  FoldFits(const std::vector<std::string>& case_ids, const std::vector<CalibrationScan>& scores,
           const RegionCalibration& whole, const CalibrateOptions& options)
      : folds_(folds_of(case_ids)), fits_(kFolds) {
    for (std::size_t n = 0; n < options.levels.size(); ++n) {
      if (!reach(options.levels[n], scores, whole, options)) continue;
      levels_.push_back(options.levels[n]);
      numbers_.push_back(n);
    }
  }

  /// Scores a scan by the calibration on others, at the levels that all of them reach.
  void score(std::size_t scan, const RegionPrediction& prediction, double volume_ml,
             IntervalMethod method, std::vector<std::vector<ScoredInterval>>& validated) const {
    if (levels_.empty()) return;
    const auto scored =
        score_intervals(prediction, volume_ml, &*fits_[folds_[scan]], method, levels_);
    for (std::size_t n = 0; n < levels_.size(); ++n) validated[numbers_[n]][scan] = scored[n];
  }

  /// Numbers of those levels.
  const std::vector<std::size_t>& numbers() const { return numbers_; }

 private:
  bool reach(const NominalCoverage& level, const std::vector<CalibrationScan>& scores,
             const RegionCalibration& whole, const CalibrateOptions& options) {
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      if (!fits_[fold] && !fit(fold, scores, whole)) return false;
      for (const RegionCalibration::Stratum& stratum : fits_[fold]->strata) {
        if (!cut_of(options.method.value(), stratum.n(), level)) return false;
      }
    }
    return true;
  }

  /// False where all scans are of this fold.
  bool fit(std::size_t fold, const std::vector<CalibrationScan>& scores,
           const RegionCalibration& whole) {
    std::vector<CalibrationScan> training;
    for (std::size_t n = 0; n < folds_.size(); ++n) {
      if (folds_[n] != fold) training.push_back(scores[n]);
    }
    if (training.empty()) return false;
    std::vector<double> edges;
    for (std::size_t s = 1; s < whole.strata.size(); ++s) edges.push_back(whole.strata[s].from_ml);
    fits_[fold] = fit_region(whole.region, edges, training, 1);
    return true;
  }

  std::vector<std::size_t> folds_;  ///< of each scan
  std::vector<std::optional<RegionCalibration>> fits_;
  std::vector<NominalCoverage> levels_;
  std::vector<std::size_t> numbers_;
};

/// From references to fits and back to the scans, all regions of a scan at once: its record is read
/// for them.
class ScansCalibration {
 public:
  ScansCalibration(const ReferencedResults& results, const CalibrateOptions& options)
      : results_(results),
        options_(options),
        scans_(results.regions.size()),
        case_ids_(results.regions.size()),
        places_(results.cases.size()) {
    for (std::size_t n = 0; n < results.cases.size(); ++n) {
      for (const ReferencedRegion& region : results.cases[n].regions) {
        const auto found = std::find(results.regions.begin(), results.regions.end(), region.region);
        const auto number = static_cast<std::size_t>(found - results.regions.begin());
        // Of no region of the model: it has no place.
        const std::size_t scan = number < case_ids_.size() ? case_ids_[number].size() : 0;
        places_[n].push_back({number, scan});
        if (number < case_ids_.size()) case_ids_[number].push_back(results.cases[n].case_id);
      }
    }
  }

  std::vector<ScansOfRegion> run(std::vector<RegionCalibration>& fitted) {
    score_scans();
    std::vector<FoldFits> folds;
    for (std::size_t r = 0; r < scans_.size(); ++r) {
      fitted.push_back(fit_region(results_.regions[r], options_.strata_ml, scans_[r].scores));
      fitted.back().width_level = width_level_for(fitted.back(), options_.method.value());
      fit_dice(scans_[r], case_ids_[r], fitted.back());
      folds.emplace_back(case_ids_[r], scans_[r].scores, fitted.back(), options_);
    }
    score_fits(fitted, folds);
    return std::move(scans_);
  }

 private:
  struct Place {
    std::size_t region, scan;
  };

  /// Calls `work` with each prediction and its place; on several threads.
  template <typename Work>
  void for_each_region(const Work& work) const {
    read_predictions(results_, options_.threads,
                     [&](std::size_t number, const std::vector<RegionPrediction>& predictions) {
                       for (std::size_t n = 0; n < predictions.size(); ++n) {
                         const Place& place = places_[number][n];
                         if (place.region == scans_.size()) continue;
                         work(predictions[n], results_.cases[number].regions[n], place);
                       }
                     });
  }

  void score_scans() {
    for (std::size_t r = 0; r < scans_.size(); ++r) {
      const std::vector<ScoredInterval> of_scans(case_ids_[r].size());
      scans_[r].scores.resize(case_ids_[r].size());
      scans_[r].dice.resize(case_ids_[r].size());
      scans_[r].raw.assign(options_.levels.size(), of_scans);
    }
    for_each_region([&](const RegionPrediction& prediction, const ReferencedRegion& reference,
                        const Place& at) {
      ScansOfRegion& scans = scans_[at.region];
      scans.scores[at.scan] = calibration_scan(prediction, reference.volume_ml);
      if (reference.dice && has_segmentation_features(prediction)) {
        const RegressionFeatures& sizes = scans.scores[at.scan].regression.value().features;
        scans.dice[at.scan] = {segmentation_features(prediction, sizes), *reference.dice};
      }
      const auto raw = score_intervals(prediction, reference.volume_ml, nullptr,
                                       IntervalMethod::kLevelSets, options_.levels);
      for (std::size_t n = 0; n < raw.size(); ++n) scans.raw[n][at.scan] = raw[n];
    });
  }

  /// Widths that are usual among the scans, and the cross-validation.
  void score_fits(std::vector<RegionCalibration>& fitted, const std::vector<FoldFits>& folds) {
    std::vector<std::vector<double>> widths(scans_.size());
    for (std::size_t r = 0; r < scans_.size(); ++r) {
      widths[r].resize(case_ids_[r].size());
      scans_[r].validated.resize(options_.levels.size());
      for (const std::size_t level : folds[r].numbers()) {
        scans_[r].validated[level].resize(case_ids_[r].size());
      }
    }
    for_each_region([&](const RegionPrediction& prediction, const ReferencedRegion& reference,
                        const Place& at) {
      const RegionCalibration& region = fitted[at.region];
      const VolumeEstimate estimate =
          estimate_volume(prediction, region, *options_.method, {&region.width_level, 1});
      widths[at.region][at.scan] = root_width(estimate.intervals.front());
      folds[at.region].score(at.scan, prediction, reference.volume_ml, *options_.method,
                             scans_[at.region].validated);
    });
    for (std::size_t r = 0; r < scans_.size(); ++r) {
      std::sort(widths[r].begin(), widths[r].end());
      fitted[r].most_usual_width = sample_quantile(widths[r], kUsualWidths);
    }
  }

  const ReferencedResults& results_;
  const CalibrateOptions& options_;
  std::vector<ScansOfRegion> scans_;                ///< by region of the model
  std::vector<std::vector<std::string>> case_ids_;  ///< of the scans of each
  std::vector<std::vector<Place>> places_;          ///< of each case's referenced regions
};

}  // namespace

std::vector<ScansOfRegion> calibrate_scans(const ReferencedResults& results,
                                           const CalibrateOptions& options,
                                           std::vector<RegionCalibration>& fitted) {
  return ScansCalibration(results, options).run(fitted);
}

}  // namespace mcvol
