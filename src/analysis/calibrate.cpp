#include "mcvol/analysis/calibrate.h"

#include "mcvol/analysis/parallel.h"
#include "mcvol/calibration/sample_quantile.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

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

std::map<std::string, std::string> read_groups(const std::filesystem::path& path) {
  const CsvTable table = read_csv(path);
  const std::string expected = "case_id and group";
  const std::size_t case_id = table.require_column("case_id", path.string(), expected);
  const std::size_t group = table.require_column("group", path.string(), expected);
  std::map<std::string, std::string> groups;
  for (const CsvRecord& record : table.records) {
    if (record.fields[group].empty()) {
      throw UsageError(line_of_file(path.string(), record.line) + ": " + record.fields[case_id] +
                       " has no group; leave its row out, or name one");
    }
    if (!groups.emplace(record.fields[case_id], record.fields[group]).second) {
      throw UsageError(line_of_file(path.string(), record.line) + ": " + record.fields[case_id] +
                       " is given twice; keep one of them");
    }
  }
  return groups;
}

/// One region of all calibration cases.
struct RegionData {
  std::vector<const ReferencedRegion*> scans;
  std::vector<CalibrationScan> scores;
};

CalibrationScan scores_of(const ReferencedRegion& region) {
  CalibrationScan scan;
  scan.predicted_ml = predicted_volume_ml(region.prediction);
  for (const FitKind kind : kFitKinds) {
    if (kind == FitKind::kNoDropout && region.prediction.without_dropout.empty()) continue;
    scan.scores.emplace_back(kind, candidate_scores(region.prediction, kind, region.volume_ml));
  }
  return scan;
}

RegionData data_of(const std::string& region, const std::vector<ReferencedCase>& cases,
                   int threads) {
  RegionData data;
  for (const ReferencedCase& one : cases) {
    for (const ReferencedRegion& of_case : one.regions) {
      if (of_case.prediction.region == region) data.scans.push_back(&of_case);
    }
  }
  data.scores.resize(data.scans.size());
  for_each_parallel(data.scans.size(), threads,
                    [&](std::size_t n) { data.scores[n] = scores_of(*data.scans[n]); });
  return data;
}

void set_usual_width(RegionCalibration& region, const RegionData& data, IntervalMethod method,
                     int threads) {
  region.width_level = width_level_for(region, method);
  std::vector<double> widths(data.scans.size());
  for_each_parallel(data.scans.size(), threads, [&](std::size_t n) {
    const VolumeEstimate estimate =
        estimate_volume(data.scans[n]->prediction, region, method, {&region.width_level, 1});
    widths[n] = root_width(estimate.intervals.front());
  });
  std::sort(widths.begin(), widths.end());
  region.most_usual_width = sample_quantile(widths, kUsualWidths);
}

/// The number of the fold of each scan, by its draw, so that the order of cases plays no part.
std::vector<std::size_t> folds_of(const RegionData& data) {
  std::vector<std::pair<double, std::size_t>> draws;
  for (std::size_t n = 0; n < data.scans.size(); ++n) {
    draws.emplace_back(atom_uniform(data.scans[n]->prediction.case_id, "fold"), n);
  }
  std::sort(draws.begin(), draws.end());
  std::vector<std::size_t> folds(draws.size());
  for (std::size_t n = 0; n < draws.size(); ++n) folds[draws[n].second] = n % kFolds;
  return folds;
}

/// Scores of each scan at a level by a calibration on the scans of other folds. Empty where these
/// do not reach the level.
std::vector<ScoredInterval> cross_validated(const RegionCalibration& region, const RegionData& data,
                                            const CalibrateOptions& options,
                                            const NominalCoverage& level) {
  const std::vector<std::size_t> folds = folds_of(data);
  std::vector<double> edges;
  for (std::size_t s = 1; s < region.strata.size(); ++s) edges.push_back(region.strata[s].from_ml);
  std::vector<ScoredInterval> scored(data.scans.size());
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    std::vector<CalibrationScan> training;
    std::vector<std::size_t> held_out;
    for (std::size_t n = 0; n < folds.size(); ++n) {
      if (folds[n] == fold) {
        held_out.push_back(n);
      } else {
        training.push_back(data.scores[n]);
      }
    }
    if (training.empty()) return {};
    const RegionCalibration fitted = fit_region(region.region, edges, training, 1);
    for (const RegionCalibration::Stratum& stratum : fitted.strata) {
      if (!cut_of(options.method, stratum.n(), level)) return {};
    }
    for_each_parallel(held_out.size(), options.threads, [&](std::size_t n) {
      const ReferencedRegion& scan = *data.scans[held_out[n]];
      scored[held_out[n]] =
          score_intervals(scan.prediction, scan.volume_ml, &fitted, options.method, {&level, 1})
              .front();
    });
  }
  return scored;
}

/// Of some of the scans; of none where they were not scored.
CoverageSummary summary_of_scans(const std::vector<ScoredInterval>& scored,
                                 const std::vector<std::size_t>& scans) {
  std::vector<ScoredInterval> picked;
  for (const std::size_t scan : scans) {
    if (!scored.empty()) picked.push_back(scored[scan]);
  }
  return summary_of(picked);
}

std::vector<ScoredInterval> raw_scores(const RegionData& data, int threads,
                                       const NominalCoverage& level) {
  std::vector<ScoredInterval> raw(data.scans.size());
  for_each_parallel(data.scans.size(), threads, [&](std::size_t n) {
    raw[n] = score_intervals(data.scans[n]->prediction, data.scans[n]->volume_ml, nullptr,
                             IntervalMethod::kLevelSets, {&level, 1})
                 .front();
  });
  return raw;
}

void set_promise(StratumReport& report, IntervalMethod method) {
  report.expected_coverage = promised_coverage(method, report.n, report.level).value_or(0);
  if (method == IntervalMethod::kQuantile) return;
  report.rank = tail_rank(report.n, report.level);
  if (report.rank == 0) return;
  report.coverage_range = coverage_range(report.n, report.rank, 0.9);
}

void report_region(const RegionCalibration& region, const RegionData& data,
                   const CalibrateOptions& options, std::vector<StratumReport>& reports) {
  for (const NominalCoverage& level : options.levels) {
    const auto raw = raw_scores(data, options.threads, level);
    const auto validated = cross_validated(region, data, options, level);
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      std::vector<std::size_t> scans;
      for (std::size_t n = 0; n < data.scores.size(); ++n) {
        if (&region.stratum_of(data.scores[n].predicted_ml) == &stratum) scans.push_back(n);
      }
      StratumReport report;
      report.region = region.region;
      report.from_ml = stratum.from_ml;
      report.level = level;
      report.n = stratum.n();
      set_promise(report, options.method);
      report.raw = summary_of_scans(raw, scans);
      report.cross_validated = summary_of_scans(validated, scans);
      reports.push_back(std::move(report));
    }
  }
}

/// Keeps one case of each group.
void thin_out(ReferencedResults& results, const std::filesystem::path& groups,
              std::vector<std::string>& notes) {
  std::vector<std::string> ids;
  for (const ReferencedCase& one : results.cases) ids.push_back(one.case_id);
  const std::map<std::string, std::string> group_of = read_groups(groups);
  const auto ungrouped = std::count_if(
      ids.begin(), ids.end(), [&](const std::string& id) { return !group_of.contains(id); });
  if (ungrouped == static_cast<std::ptrdiff_t>(ids.size())) {
    throw UsageError(groups.string() + ": names none of the " + std::to_string(ids.size()) +
                     " cases, such as " + ids.front());
  }
  if (ungrouped > 0) {
    notes.push_back(std::to_string(ungrouped) +
                    " case(s) without a group count as patients of their own");
  }
  const std::vector<std::string> kept_ids = one_case_per_group(ids, group_of);
  const std::set<std::string> kept(kept_ids.begin(), kept_ids.end());
  const auto left_out = std::erase_if(
      results.cases, [&](const ReferencedCase& one) { return !kept.contains(one.case_id); });
  if (left_out > 0) {
    notes.push_back(std::to_string(left_out) + " case(s) left out for another one of their group");
  }
}

/// Before hours of reading: a folder that can be written to, and is no result folder, whose
/// calibration.json is that of its table.
void require_place_for(const std::filesystem::path& output) {
  const std::filesystem::path folder = std::filesystem::absolute(output).parent_path();
  if (output.filename() == "calibration.json" && std::filesystem::exists(folder / "run.json")) {
    throw UsageError(output.string() +
                     ": a result folder keeps the calibration of its table under this name; "
                     "choose another --output");
  }
  require_writable(output);
}

}  // namespace

std::vector<std::string> one_case_per_group(const std::vector<std::string>& case_ids,
                                            const std::map<std::string, std::string>& group_of) {
  std::map<std::string, std::pair<double, std::string>> chosen;
  std::vector<std::string> kept;
  for (const std::string& id : case_ids) {
    const auto group = group_of.find(id);
    if (group == group_of.end()) {
      kept.push_back(id);
      continue;
    }
    const std::pair candidate(atom_uniform(id, "group"), id);
    const auto [entry, is_new] = chosen.emplace(group->second, candidate);
    if (!is_new) entry->second = std::min(entry->second, candidate);
  }
  for (const auto& [group, one] : chosen) kept.push_back(one.second);
  std::sort(kept.begin(), kept.end());
  return kept;
}

CalibrateReport calibrate(const CalibrateOptions& options) {
  require_place_for(options.output);
  ReferencedResults results =
      read_referenced_results(options.results, options.references, options.threads);
  CalibrateReport report;
  report.left_out = results.left_out;
  CalibrationFile& calibration = report.calibration;
  for (const ReferencedCase& one : results.cases) calibration.scans.insert(one.scan_sha256);
  const std::string repeated = leave_out_repeated_scans(results);
  if (!repeated.empty()) report.notes.push_back(repeated);
  if (!options.groups.empty()) thin_out(results, options.groups, report.notes);
  report.scans = results.cases.size();
  calibration.method = options.method;
  calibration.simulated = options.simulated;
  calibration.version = options.version;
  calibration.identity = results.run.identity;
  calibration.model_sha256 = results.run.model_sha256;
  for (const std::string& name : results.regions) {
    const RegionData data = data_of(name, results.cases, options.threads);
    RegionCalibration region = fit_region(name, options.strata_ml, data.scores);
    set_usual_width(region, data, options.method, options.threads);
    report_region(region, data, options, report.strata);
    calibration.regions.push_back(std::move(region));
  }
  calibration.sha256 = write_calibration_file(calibration, options.output);
  return report;
}

std::vector<PlanRow> plan_references(const std::vector<NominalCoverage>& levels) {
  std::vector<PlanRow> rows;
  for (const NominalCoverage& level : levels) {
    std::set<std::int64_t> numbers{least_references(level)};
    for (const std::int64_t n : {19, 39, 50, 99, 199, 299, 499, 999}) {
      if (tail_rank(n, level) > 0) numbers.insert(n);
    }
    for (const std::int64_t n : numbers) {
      const std::int64_t rank = tail_rank(n, level);
      rows.push_back({level, n, rank, expected_coverage(n, rank), coverage_range(n, rank, 0.9)});
    }
  }
  return rows;
}

}  // namespace mcvol
