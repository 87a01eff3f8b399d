#include "mcvol/analysis/calibrate.h"

#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <set>

#include "calibration_scans.h"

namespace mcvol {

namespace {

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

/// Of the scans of a stratum; of none where they were not scored.
CoverageSummary summary_of_stratum(const RegionCalibration& region,
                                   const RegionCalibration::Stratum& stratum,
                                   const ScansOfRegion& scans,
                                   const std::vector<ScoredInterval>& scored) {
  std::vector<ScoredInterval> picked;
  for (std::size_t n = 0; n < scored.size(); ++n) {
    if (&region.stratum_of(scans.scores[n].predicted_ml) == &stratum) picked.push_back(scored[n]);
  }
  return summary_of(picked);
}

void set_promise(StratumReport& report, IntervalMethod method) {
  report.expected_coverage = promised_coverage(method, report.n, report.level).value_or(0);
  if (method == IntervalMethod::kQuantile) return;
  report.rank = tail_rank(report.n, report.level);
  if (report.rank == 0) return;
  report.coverage_range = coverage_range(report.n, report.rank, 0.9);
}

void report_region(const RegionCalibration& region, const ScansOfRegion& scans,
                   const CalibrateOptions& options, std::vector<StratumReport>& reports) {
  for (std::size_t n = 0; n < options.levels.size(); ++n) {
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      StratumReport report;
      report.region = region.region;
      report.from_ml = stratum.from_ml;
      report.level = options.levels[n];
      report.n = stratum.n();
      set_promise(report, options.method.value());
      report.raw = summary_of_stratum(region, stratum, scans, scans.raw[n]);
      report.cross_validated = summary_of_stratum(region, stratum, scans, scans.validated[n]);
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

/// The method asked for, or the best one that all records have what it takes for.
/// @throws CalibrationError where they have not what the one asked for takes.
IntervalMethod method_for(const ReferencedResults& results, std::optional<IntervalMethod> asked,
                          std::vector<std::string>& notes) {
  const IntervalMethod method = asked.value_or(kDefaultMethod);
  if (!is_regression(method)) return method;
  const auto lacks = [](const ReferencedCase& one) { return !one.has_regression_features(); };
  const auto first = std::find_if(results.cases.begin(), results.cases.end(), lacks);
  if (first == results.cases.end()) return method;
  const auto count = std::count_if(first, results.cases.end(), lacks);
  const std::string what = std::to_string(count) + " record(s), such as that of " + first->case_id +
                           ", have no pass without dropout or no agreement of passes";
  if (asked) {
    throw CalibrationError(results.folder.string() + ": " + what + ", which " + to_string(method) +
                           " takes; measure them again, or use --method " +
                           to_string(kEarlierMethod));
  }
  notes.push_back(what + " (made by an earlier version): calibrated by " +
                  to_string(kEarlierMethod) + "; measure them again for " + to_string(method));
  return kEarlierMethod;
}

/// Of all scans, or of none: what a scan is compared with is all of them. By the size of the brain,
/// so that a row of them cannot be matched with a case.
std::vector<ImageQuality> image_quality_of(const ReferencedResults& results,
                                           std::vector<std::string>& notes) {
  std::vector<ImageQuality> scans;
  for (const ReferencedCase& one : results.cases) {
    if (!one.image_quality) {
      notes.push_back("the record of " + one.case_id +
                      " has no image quality metrics (made by an earlier version): the calibration "
                      "does not know what its scans look like, and cannot tell others from them; "
                      "measure them again");
      return {};
    }
    scans.push_back(*one.image_quality);
  }
  std::sort(scans.begin(), scans.end(),
            [](const ImageQuality& a, const ImageQuality& b) { return a.brain_ml < b.brain_ml; });
  return scans;
}

std::vector<DiceReport> dice_reports_of(const RegionCalibration& region,
                                        const std::vector<NominalCoverage>& levels) {
  std::vector<DiceReport> reports;
  if (!region.dice) return reports;
  const std::int64_t n = region.dice->n();
  for (const NominalCoverage& level : levels) {
    reports.push_back({region.region, level, n, one_sided_rank(n, level), region.usual_least_dice});
  }
  return reports;
}

/// Why no Dice is expected of segmentations, and what to do; empty where it is.
std::string why_no_dice(const ReferencedResults& results, const CalibrationFile& calibration) {
  const bool all = std::all_of(calibration.regions.begin(), calibration.regions.end(),
                               [](const RegionCalibration& region) { return region.dice; });
  if (all) return "";
  const std::string none = "the columns dice and dice_lower stay empty: ";
  if (!results.cases.front().has_label_map) {
    return none +
           "references of volumes do not know them; label maps do (--segmentations beside a "
           "table), of cases measured with --save segmentation, but for models whose regions "
           "overlap";
  }
  const std::string why = cases_without_dice(results);
  if (!why.empty()) return none + why;
  const bool earlier =
      std::any_of(results.cases.begin(), results.cases.end(),
                  [](const ReferencedCase& one) { return !one.has_regression_features(); });
  if (earlier) return none + "records were made by an earlier version; measure them again";
  return none + "they take several passes, and at least " + std::to_string(DiceFit::kLeastScans) +
         " cases";
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

CalibrateReport calibrate(const CalibrateOptions& asked) {
  CalibrateOptions options = asked;
  options.references.dice = true;
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
  options.method = method_for(results, asked.method, report.notes);
  calibration.method = *options.method;
  calibration.simulated = options.simulated;
  calibration.version = options.version;
  calibration.identity = results.run.identity;
  calibration.model_sha256 = results.run.model_sha256;
  const std::vector<ScansOfRegion> scans = calibrate_scans(results, options, calibration.regions);
  for (std::size_t r = 0; r < scans.size(); ++r) {
    report_region(calibration.regions[r], scans[r], options, report.strata);
    for (const DiceReport& one : dice_reports_of(calibration.regions[r], options.levels)) {
      report.dice.push_back(one);
    }
  }
  report.why_no_dice = why_no_dice(results, calibration);
  if (report.why_no_dice.empty()) {
    const std::string some = cases_without_dice(results);
    if (!some.empty()) report.notes.push_back(some);
  }
  calibration.image_quality = image_quality_of(results, report.notes);
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
