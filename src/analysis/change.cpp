#include "mcvol/analysis/change.h"

#include "mcvol/analysis/parallel.h"
#include "mcvol/analysis/run_identity.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <mutex>
#include <set>

namespace mcvol {

namespace {

using Correlations = std::map<std::string, double>;  ///< by region

/// The levels that the calibration has to reach.
std::vector<NominalCoverage> needed_levels(const std::vector<NominalCoverage>& levels,
                                           const ChangeDependence& dependence) {
  if (dependence.kind == ChangeDependence::Kind::kCorrelation) return levels;
  std::vector<NominalCoverage> each;
  for (const NominalCoverage& level : levels) each.push_back(bonferroni_level(level));
  return each;
}

double correlation_of(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0) : 0;
}

/// 95 % by Fisher's z transformation; "[-0.10, 0.52]".
std::string fisher_interval(double correlation, std::size_t pairs) {
  const double held = std::clamp(correlation, -0.9999, 0.9999);
  const double half = 1.96 / std::sqrt(static_cast<double>(pairs) - 3);
  return "[" + decimal_text(std::tanh(std::atanh(held) - half), 2) + ", " +
         decimal_text(std::tanh(std::atanh(held) + half), 2) + "]";
}

/// Of the normal scores of both cases' reference volumes, region by region.
Correlations estimated_correlations(const ChangeOptions& options,
                                    const std::vector<ScanPair>& pairs,
                                    const CalibrationFile& calibration, ChangeTable& table) {
  ReferencedResults known =
      read_referenced_results(options.results, *options.references, options.threads);
  table.left_out = known.left_out;
  const std::string earlier = leave_out_earlier_records(known, calibration.method);
  if (!earlier.empty()) table.left_out.push_back(earlier);
  std::map<std::pair<std::string, std::string>, double> scores;  // by case_id and region
  std::mutex guard;
  read_predictions(known, options.threads,
                   [&](std::size_t number, const std::vector<RegionPrediction>& predictions) {
                     for (std::size_t n = 0; n < predictions.size(); ++n) {
                       const RegionPrediction& of = predictions[n];
                       const double score = probit(
                           CalibratedVolume(of, calibration.region(of.region), calibration.method)
                               .distribution()
                               .pit(known.cases[number].regions[n].volume_ml));
                       const std::scoped_lock lock(guard);
                       scores[{of.case_id, of.region}] = score;
                     }
                   });
  Correlations correlations;
  for (const std::string& region : known.regions) {
    std::vector<double> before, after;
    for (const ScanPair& pair : pairs) {
      const auto first = scores.find({pair.baseline, region});
      const auto second = scores.find({pair.followup, region});
      if (first == scores.end() || second == scores.end()) continue;
      before.push_back(first->second);
      after.push_back(second->second);
    }
    if (before.size() < kLeastReferencePairs) {
      throw UsageError(
          options.references->path.string() + ": " + region + ": " + std::to_string(before.size()) +
          " pair(s) with both references, expected at least " +
          std::to_string(kLeastReferencePairs) + "; give --correlation R or bonferroni");
    }
    correlations[region] = correlation_of(before, after);
    table.estimates.push_back(region + ": correlation " + decimal_text(correlations[region], 2) +
                              " " + fisher_interval(correlations[region], before.size()) + " of " +
                              std::to_string(before.size()) + " reference pairs");
  }
  return correlations;
}

/// Compares the pairs of one result folder.
class PairComparison {
 public:
  PairComparison(const ChangeOptions& options, const std::vector<NominalCoverage>& levels,
                 const AppliedCalibration& calibration, const Correlations& correlations)
      : options_(options),
        levels_(levels),
        each_(needed_levels(levels, options.dependence)),
        calibration_(calibration),
        correlations_(correlations),
        recorded_(recorded_case_ids(options.results)) {}

  std::vector<ChangeRow> rows_of_pair(const ScanPair& pair) const {
    try {
      const CaseRecord before = record_of(pair.baseline);
      const CaseRecord after = record_of(pair.followup);
      const auto first = flags_of(before);
      const auto second = flags_of(after);
      std::vector<ChangeRow> rows;
      for (const RegionRecord& region : before.regions) {
        const auto same =
            std::find_if(after.regions.begin(), after.regions.end(),
                         [&](const auto& one) { return one.region == region.region; });
        if (same == after.regions.end()) {
          throw InputError(pair.followup + ": no region " + region.region);
        }
        ChangeRow row;
        row.pair = pair;
        row.region = region.region;
        std::set_union(first.at(region.region).begin(), first.at(region.region).end(),
                       second.at(region.region).begin(), second.at(region.region).end(),
                       std::back_inserter(row.flags));
        add_rows(std::move(row), prediction_of(before, region), prediction_of(after, *same), rows);
      }
      return rows;
    } catch (const InputError& error) {
      ChangeRow row;
      row.pair = pair;
      row.status = "failed";
      row.error = error.what();
      return {row};
    }
  }

 private:
  /// Of a case that was measured under the settings of this run.
  CaseRecord record_of(const std::string& case_id) const {
    if (!std::binary_search(recorded_.begin(), recorded_.end(), case_id)) {
      throw InputError(case_id +
                       ": not among the cases of the results; correct the pair, or "
                       "measure the case");
    }
    CaseRecord record;
    try {
      record = read_case_record(options_.results, case_id);
    } catch (const InputError&) {  // names a folder, which has no place in a table
      throw InputError(case_id + ": its record cannot be read (mcvol inspect says why)");
    }
    if (record.status == CaseRecord::Status::kFailed) {
      throw InputError(case_id + ": not measured: " + record.error);
    }
    if (record.run_identity != calibration_.run_identity) {
      throw InputError(case_id + ": measured with other settings than the run; measure it again");
    }
    if (is_regression(calibration_.file.method) && !has_regression_features(record)) {
      throw InputError(case_id +
                       ": measured by an earlier version without what the calibration takes; "
                       "measure it again");
    }
    return record;
  }

  VolumeChange change_between(const RegionPrediction& before, const RegionPrediction& after) const {
    const RegionCalibration& region = calibration_.file.region(before.region);
    const IntervalMethod method = calibration_.file.method;
    if (options_.dependence.kind == ChangeDependence::Kind::kBonferroni) {
      return bonferroni_change(estimate_volume(before, region, method, each_),
                               estimate_volume(after, region, method, each_));
    }
    const auto points_of = [&](const RegionPrediction& scan) {
      return CalibratedVolume(scan, region, method).distribution().points_ml();
    };
    return correlated_change(points_of(before), points_of(after), correlation_for(before.region),
                             options_.growth_threshold, levels_);
  }

  double correlation_for(const std::string& region) const {
    const auto estimated = correlations_.find(region);
    return estimated == correlations_.end() ? options_.dependence.correlation : estimated->second;
  }

  /// By region.
  std::map<std::string, std::vector<std::string>> flags_of(const CaseRecord& record) const {
    std::map<std::string, std::vector<std::string>> flags;
    for (const VolumeRow& row : rows_of(record, levels_, &calibration_)) {
      flags[row.region] = row.flags;
    }
    return flags;
  }

  /// A row per level.
  void add_rows(ChangeRow row, const RegionPrediction& before, const RegionPrediction& after,
                std::vector<ChangeRow>& rows) const {
    const VolumeChange change = change_between(before, after);
    row.status = "ok";
    row.change_ml = change.change_ml;
    if (options_.dependence.kind == ChangeDependence::Kind::kCorrelation) {
      row.p_growth = change.p_growth;
      row.p_shrinkage = change.p_shrinkage;
      row.p_tie = change.p_tie;
      row.correlation = correlation_for(row.region);
      row.growth_threshold = options_.growth_threshold;
    }
    for (std::size_t n = 0; n < levels_.size(); ++n) {
      row.level = levels_[n].text;
      row.lower_ml = change.intervals[n].lower_ml;
      row.upper_ml = change.intervals[n].upper_ml;
      rows.push_back(row);
    }
  }

  const ChangeOptions& options_;
  const std::vector<NominalCoverage>& levels_;
  std::vector<NominalCoverage> each_;  ///< of a case's own interval
  const AppliedCalibration& calibration_;
  const Correlations& correlations_;
  std::vector<std::string> recorded_;  ///< case_ids, sorted
};

}  // namespace

ChangeTable measure_change(const ChangeOptions& options) {
  const RunFile run = require_run_file(options.results);
  const std::vector<ScanPair> pairs = read_pairs(options.pairs);
  const std::vector<NominalCoverage> levels = levels_or_those_of(options.levels, run);
  const CalibrationPointer calibration =
      chosen_calibration(options.calibration, options.results, run.identity,
                         needed_levels(levels, options.dependence));
  if (!calibration) {
    throw UsageError(options.results.string() +
                     ": no calibration, and raw distributions promise nothing that a change could "
                     "be made of; give one with --calibration (mcvol calibrate makes it)");
  }
  ChangeTable table;
  table.pairs = static_cast<int>(pairs.size());
  if (calibration->other_seed) {
    table.notes.push_back("the calibration was made with another --seed");
  }
  Correlations correlations;
  if (options.references) {
    correlations = estimated_correlations(options, pairs, calibration->file, table);
  }
  const PairComparison comparison(options, levels, *calibration, correlations);
  std::vector<std::vector<ChangeRow>> rows(pairs.size());
  for_each_parallel(pairs.size(), options.threads,
                    [&](std::size_t n) { rows[n] = comparison.rows_of_pair(pairs[n]); });
  for (std::vector<ChangeRow>& of_pair : rows) {
    table.failed += of_pair.front().status == "failed" ? 1 : 0;
    std::move(of_pair.begin(), of_pair.end(), std::back_inserter(table.rows));
  }
  return table;
}

}  // namespace mcvol
