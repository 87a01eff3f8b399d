#include "mcvol/analysis/evaluate.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "quality_evaluation.h"

namespace mcvol {

namespace {

/// One region of one case and what every method makes of it.
struct EvaluatedRegion {
  std::string case_id;
  double volume_ml = 0;  ///< the reference
  double predicted_ml = 0;
  bool flagged = false;
  std::vector<std::vector<ScoredInterval>> scored;  ///< [method][level]
  EvaluatedSegmentation segmentation;
};

bool reaches(const CalibrationFile& calibration, IntervalMethod method,
             const std::vector<NominalCoverage>& levels) {
  if (method == IntervalMethod::kLevelSets) return true;
  for (const RegionCalibration& region : calibration.regions) {
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      for (const NominalCoverage& level : levels) {
        if (!cut_of(method, stratum.n(), level)) return false;
      }
    }
  }
  return true;
}

bool fits(const CalibrationFile& calibration, IntervalMethod method) {
  for (const RegionCalibration& region : calibration.regions) {
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      if (!stratum.has(method)) return false;
    }
  }
  return true;
}

/// Methods that every region and stratum has what it takes for, the calibration's own first.
std::vector<IntervalMethod> methods_of(const AppliedCalibration* calibration,
                                       const std::vector<ReferencedCase>& cases,
                                       const std::vector<NominalCoverage>& levels,
                                       std::vector<std::string>& notes) {
  if (calibration == nullptr) return {IntervalMethod::kLevelSets};
  const auto recorded = [&](IntervalMethod method) {
    return std::all_of(cases.begin(), cases.end(), [&](const ReferencedCase& one) {
      if (is_regression(method)) return one.has_regression_features();
      return method != IntervalMethod::kNoDropout || one.has_pass_without_dropout();
    });
  };
  const auto why_not = [&](IntervalMethod method) -> std::string {
    if (!fits(calibration->file, method)) {
      return "the calibration was made by an earlier version, or on its records";
    }
    if (!recorded(method)) {
      return "some of the records were made by an earlier version, which did not keep what it "
             "takes";
    }
    return reaches(calibration->file, method, levels) ? "" : "too few references for a level";
  };
  std::vector<IntervalMethod> methods{calibration->file.method};
  std::map<std::string, std::vector<std::string>> left_out;  // by reason
  for (const IntervalMethod method : kIntervalMethods) {
    if (method == calibration->file.method) continue;
    const std::string reason = why_not(method);
    if (reason.empty()) methods.push_back(method);
    if (!reason.empty()) left_out[reason].push_back(to_string(method));
  }
  for (const auto& [reason, names] : left_out) {
    notes.push_back("not compared with " + joined(names) + ": " + reason);
  }
  return methods;
}

/// Leaves out the cases that the calibration was made on.
void leave_out_calibration_cases(const AppliedCalibration& calibration, ReferencedResults& results,
                                 const std::filesystem::path& folder,
                                 std::vector<std::string>& notes) {
  const auto left_out = std::erase_if(results.cases, [&](const ReferencedCase& one) {
    return calibration.file.scans.contains(one.scan_sha256);
  });
  if (results.cases.empty()) {
    throw UsageError(folder.string() + ": all " + std::to_string(left_out) +
                     " cases with a reference were used for the calibration, where coverage is "
                     "what it is by construction; evaluate on other cases");
  }
  if (left_out > 0) {
    notes.push_back(std::to_string(left_out) +
                    " case(s) left out since the calibration was made on them");
  }
}

EvaluatedRegion evaluate_region(const RegionPrediction& prediction,
                                const ReferencedRegion& reference,
                                const AppliedCalibration* calibration,
                                const std::vector<IntervalMethod>& methods,
                                const std::vector<NominalCoverage>& levels) {
  EvaluatedRegion evaluated;
  evaluated.case_id = prediction.case_id;
  evaluated.volume_ml = reference.volume_ml;
  evaluated.predicted_ml = reference.raw_ml;
  const NominalCoverage& level = usual_level(levels);
  const RegionCalibration* region = nullptr;
  std::optional<VolumeEstimate> estimate;
  if (calibration != nullptr) {
    region = &calibration->file.region(reference.region);
    estimate = estimate_volume(prediction, *region, calibration->file.method, {&level, 1});
    evaluated.flagged = estimate->outside_range || estimate->uncertain;
  }
  evaluated.segmentation =
      segmentation_of(prediction, reference, region, estimate ? &*estimate : nullptr, level);
  for (const IntervalMethod method : methods) {
    evaluated.scored.push_back(
        score_intervals(prediction, reference.volume_ml, region, method, levels));
  }
  return evaluated;
}

/// Numbers of the cases of each stratum of coverage.csv.
std::vector<std::pair<std::string, std::vector<std::size_t>>> strata_of(
    const std::vector<EvaluatedRegion>& scans, bool calibrated) {
  std::vector<std::size_t> all(scans.size());
  for (std::size_t n = 0; n < all.size(); ++n) all[n] = n;
  std::vector<std::size_t> by_size = all;
  std::stable_sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) {
    return scans[a].predicted_ml < scans[b].predicted_ml;
  });
  std::vector<std::pair<std::string, std::vector<std::size_t>>> strata{{"all", all}};
  for (std::size_t third = 0; third < 3; ++third) {
    const auto first = static_cast<std::ptrdiff_t>(third * all.size() / 3);
    const auto last = static_cast<std::ptrdiff_t>((third + 1) * all.size() / 3);
    strata.push_back({"tertile_" + std::to_string(third + 1),
                      {by_size.begin() + first, by_size.begin() + last}});
  }
  if (!calibrated) return strata;
  for (const bool flagged : {true, false}) {
    std::vector<std::size_t> picked;
    for (const std::size_t n : all) {
      if (scans[n].flagged == flagged) picked.push_back(n);
    }
    strata.push_back({flagged ? "flagged" : "unflagged", std::move(picked)});
  }
  return strata;
}

struct Measure {
  const char* name;
  double ScoredInterval::*value;
};
constexpr std::array kMeasures{Measure{"interval_score_root", &ScoredInterval::interval_score_root},
                               Measure{"interval_score_ml", &ScoredInterval::interval_score_ml},
                               Measure{"mean_width_root", &ScoredInterval::width_root},
                               Measure{"mean_width_ml", &ScoredInterval::width_ml},
                               Measure{"crps_root", &ScoredInterval::crps_root},
                               Measure{"crps_ml", &ScoredInterval::crps_ml}};

/// Fills the evaluation's tables with one region.
class RegionTables {
 public:
  RegionTables(const std::string& region, const std::vector<EvaluatedRegion>& scans,
               const std::vector<IntervalMethod>& methods,
               const std::vector<NominalCoverage>& levels, bool calibrated)
      : region_(region),
        scans_(scans),
        methods_(methods),
        levels_(levels),
        strata_(strata_of(scans, calibrated)) {}

  void add_to(Evaluation& evaluation) const {
    for (std::size_t method = 0; method < methods_.size(); ++method) {
      for (std::size_t level = 0; level < levels_.size(); ++level) {
        add_intervals(method, level, evaluation);
        add_coverage(method, level, evaluation);
        if (method > 0) add_comparison(method, level, evaluation);
      }
    }
  }

 private:
  void add_intervals(std::size_t method, std::size_t level, Evaluation& evaluation) const {
    for (const EvaluatedRegion& scan : scans_) {
      evaluation.intervals.push_back({scan.case_id, region_, methods_[method], levels_[level].text,
                                      scan.volume_ml, scan.predicted_ml, scan.flagged,
                                      scan.scored[method][level]});
    }
  }

  void add_coverage(std::size_t method, std::size_t level, Evaluation& evaluation) const {
    for (const auto& [stratum, numbers] : strata_) {
      std::vector<ScoredInterval> picked;
      for (const std::size_t n : numbers) picked.push_back(scans_[n].scored[method][level]);
      evaluation.coverage.push_back(
          {region_, to_string(methods_[method]), levels_[level].text, stratum, summary_of(picked)});
    }
  }

  void add_comparison(std::size_t method, std::size_t level, Evaluation& evaluation) const {
    for (const Measure& measure : kMeasures) {
      const auto values_of = [&](std::size_t of_method) {
        std::vector<double> values;
        for (const EvaluatedRegion& scan : scans_) {
          values.push_back(scan.scored[of_method][level].*measure.value);
        }
        return values;
      };
      evaluation.comparison.push_back({region_, levels_[level].text, to_string(methods_.front()),
                                       to_string(methods_[method]), measure.name,
                                       paired_ratio(values_of(0), values_of(method))});
    }
  }

  const std::string& region_;
  const std::vector<EvaluatedRegion>& scans_;
  const std::vector<IntervalMethod>& methods_;
  const std::vector<NominalCoverage>& levels_;
  std::vector<std::pair<std::string, std::vector<std::size_t>>> strata_;
};

}  // namespace

Evaluation evaluate(const EvaluateOptions& options) {
  ReferenceSource references = options.references;
  references.dice = true;
  ReferencedResults results = read_referenced_results(options.results, references, options.threads);
  const std::vector<NominalCoverage> levels = levels_or_those_of(options.levels, results.run);
  const CalibrationPointer calibration =
      chosen_calibration(options.calibration, options.results, results.run.identity, levels);
  Evaluation evaluation;
  if (calibration) {
    leave_out_calibration_cases(*calibration, results, options.results, evaluation.notes);
    const std::string earlier = leave_out_earlier_records(results, calibration->file.method);
    if (!earlier.empty()) evaluation.notes.push_back(earlier);
    if (results.cases.empty()) throw UsageError(options.results.string() + ": " + earlier);
  }
  const std::string repeated = leave_out_repeated_scans(results);
  if (!repeated.empty()) evaluation.notes.push_back(repeated);
  const std::string undiced = cases_without_dice(results);
  if (!undiced.empty()) evaluation.notes.push_back(undiced);
  const auto earlier_records =
      std::count_if(results.cases.begin(), results.cases.end(),
                    [](const ReferencedCase& one) { return !one.has_regression_features(); });
  if (earlier_records > 0) {
    evaluation.notes.push_back(
        std::to_string(earlier_records) +
        " case(s) were measured by an earlier version: segmentations are not "
        "judged by their agreement, nor by what Dice is expected");
  }
  evaluation.run = results.run;
  evaluation.calibration = calibration;
  evaluation.levels = levels;
  evaluation.reference_notes = results.notes;
  evaluation.left_out = results.left_out;
  evaluation.reference_notes.insert(evaluation.reference_notes.end(), results.left_out.begin(),
                                    results.left_out.end());
  if (!calibration && options.calibration.kind == CalibrationChoice::Kind::kDefault) {
    evaluation.notes.push_back(
        "no calibration in the result folder: only the raw level sets are evaluated; give one with "
        "--calibration");
  } else if (calibration && calibration->other_seed) {
    evaluation.notes.push_back("the calibration was made with another --seed");
  }
  const auto methods = methods_of(calibration.get(), results.cases, levels, evaluation.notes);
  evaluation.method = to_string(methods.front());
  std::vector<std::vector<EvaluatedRegion>> evaluated(results.cases.size());
  read_predictions(results, options.threads,
                   [&](std::size_t number, const std::vector<RegionPrediction>& predictions) {
                     for (std::size_t n = 0; n < predictions.size(); ++n) {
                       evaluated[number].push_back(
                           evaluate_region(predictions[n], results.cases[number].regions[n],
                                           calibration.get(), methods, levels));
                     }
                   });
  for (const std::string& region : results.regions) {
    std::vector<EvaluatedRegion> scans;
    for (std::size_t number = 0; number < evaluated.size(); ++number) {
      for (std::size_t n = 0; n < evaluated[number].size(); ++n) {
        if (results.cases[number].regions[n].region != region) continue;
        scans.push_back(std::move(evaluated[number][n]));
      }
    }
    if (scans.empty()) continue;
    RegionTables(region, scans, methods, levels, calibration != nullptr).add_to(evaluation);
    std::vector<EvaluatedSegmentation> segmentations;
    for (EvaluatedRegion& scan : scans) segmentations.push_back(std::move(scan.segmentation));
    add_quality(region, std::move(segmentations), usual_level(levels), evaluation);
  }
  return evaluation;
}

}  // namespace mcvol
