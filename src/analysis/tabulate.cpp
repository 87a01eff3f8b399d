#include "mcvol/analysis/tabulate.h"

#include "mcvol/analysis/parallel.h"
#include "mcvol/analysis/referenced_results.h"
#include "mcvol/analysis/run_identity.h"
#include "mcvol/analysis/scan_findings.h"
#include "mcvol/error/error.h"

#include <algorithm>

namespace mcvol {

namespace {

struct TabulatedCase {
  std::vector<VolumeRow> rows;
  CaseRecord scan;                  ///< the record but for its regions
  std::vector<std::string> faults;  ///< words_of()
  bool failed = false;
  bool earlier = false;  ///< without what the calibration takes
  std::string note;
};

TabulatedCase tabulate_case(const TabulateOptions& options, const std::string& case_id,
                            const std::string& identity, const std::vector<NominalCoverage>& levels,
                            const AppliedCalibration* calibration) {
  TabulatedCase made;
  try {
    CaseRecord record = read_case_record(options.results, case_id);
    made.failed = record.status == CaseRecord::Status::kFailed;
    if (!made.failed && record.run_identity != identity) {
      record.flags.push_back("other_run");
      std::sort(record.flags.begin(), record.flags.end());
    }
    made.earlier = !made.failed && calibration != nullptr &&
                   record.run_identity == calibration->run_identity &&
                   is_regression(calibration->file.method) && !has_regression_features(record);
    const std::vector<ScanFinding> findings = findings_of(record, calibration);
    made.rows =
        rows_of(record, levels, calibration, options.sampler.value_or(SamplerOptions{}), findings);
    made.faults = words_of(record, findings);
    record.regions.clear();
    made.scan = std::move(record);
  } catch (const InputError& error) {
    made.note = std::string(error.what()) + "; left out";
  }
  return made;
}

}  // namespace

Tabulation tabulate(const TabulateOptions& options) {
  const RunFile run = require_run_file(options.results);
  const std::vector<NominalCoverage> levels = levels_or_those_of(options.levels, run);
  CalibrationPointer calibration;
  if (!options.sampler || options.calibration.kind == CalibrationChoice::Kind::kFile) {
    calibration = with_least_dice(
        chosen_calibration(options.calibration, options.results, run.identity, levels),
        options.least_dice ? options.least_dice : least_dice_of(run));
  }
  require_expected_dice(calibration.get(), options.least_dice);
  if (calibration && options.sampler) {
    throw UsageError(
        "--sampler changes the raw columns, which no calibration holds for; leave out "
        "--calibration, or --sampler");
  }
  const std::string identity = sha256_of_identity(run.identity);
  const std::vector<std::string> ids = recorded_case_ids(options.results);
  std::vector<TabulatedCase> cases(ids.size());
  for_each_parallel(ids.size(), options.threads, [&](std::size_t n) {
    cases[n] = tabulate_case(options, ids[n], identity, levels, calibration.get());
  });
  Tabulation tabulation;
  tabulation.levels = levels;
  tabulation.calibration = calibration;
  BatchScans batch(calibration);
  int earlier = 0;
  for (std::size_t n = 0; n < ids.size(); ++n) {
    if (!cases[n].note.empty()) {
      tabulation.unreadable.push_back(cases[n].note);
      continue;
    }
    tabulation.rows_by_case[ids[n]] = std::move(cases[n].rows);
    batch.put(cases[n].scan);
    tabulation.notes.insert(tabulation.notes.end(), cases[n].faults.begin(), cases[n].faults.end());
    tabulation.failed += cases[n].failed ? 1 : 0;
    earlier += cases[n].earlier ? 1 : 0;
  }
  if (earlier > 0) {
    tabulation.notes.push_back(std::to_string(earlier) +
                               " case(s) stay uncalibrated: an earlier version measured them "
                               "without what the regression takes; measure them again");
  }
  if (calibration && calibration->other_seed) {
    tabulation.notes.push_back("the calibration was made with another --seed");
  }
  tabulation.batch = batch.check();
  if (tabulation.batch && tabulation.batch->differs()) {
    tabulation.notes.push_back(tabulation.batch->words());
  }
  return tabulation;
}

std::string Tabulation::csv() const {
  VolumeTable table(levels);
  for (const auto& [case_id, rows] : rows_by_case) table.put(case_id, rows);
  return table.csv();
}

}  // namespace mcvol
