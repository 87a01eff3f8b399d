#include "mcvol/analysis/evaluate.h"

#include "mcvol/analysis/tabulate.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/regression_features.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/calibrate_fixture.h"
#include "support/covered_range.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing_support::message_from;

class Evaluate : public testing::Calibrate {};
class CalibrateByRegression : public testing::Calibrate {};

TEST_F(CalibrateByRegression, TakesTheRegressionWhereNothingElseIsAskedFor) {
  CalibrateOptions asked = options();
  asked.method.reset();
  EXPECT_EQ(calibrate(asked).calibration.method, IntervalMethod::kRegression);
  const CalibrationFile read = read_calibration_file(folder("calibration.json"));
  const RegressionFit& fit = read.region("whole").strata.front().regression.value();
  ASSERT_EQ(fit.n(), kReferences);
  const auto scan =
      std::find_if(calibration_scans_.begin(), calibration_scans_.end(), [&](const auto& one) {
        return std::abs(std::cbrt(one.truth_ml) - fit.scans()[0].root) < 1e-9;
      });
  ASSERT_NE(scan, calibration_scans_.end());
  const CaseRecord record = testing::record_of(*scan, testing::synthetic_identity());
  EXPECT_EQ(fit.scans()[0].features, regression_features(prediction_of(record, record.regions[0])));
}

TEST_F(CalibrateByRegression, RecordsOfFormatOneAreCalibratedByTheMethodOfBeforeAndToldSo) {
  const fs::path path = case_record_path(folder("results"), calibration_scans_[3].case_id);
  CaseRecord record = read_case_record(path);
  for (RegionRecord& region : record.regions) region.without_dropout.clear();
  write_case_record(record, path);
  CalibrateOptions asked = options();
  asked.method.reset();
  const CalibrateReport report = calibrate(asked);
  EXPECT_EQ(report.calibration.method, IntervalMethod::kScaled);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0].rfind("1 record(s), such as that of " + calibration_scans_[3].case_id +
                                      ", have no pass without dropout or no agreement",
                                  0),
            0u)
      << report.notes[0];
  asked.method = IntervalMethod::kRegression;
  EXPECT_NE(message_from<CalibrationError>([&] { calibrate(asked); }).find("--method scaled"),
            std::string::npos);
}

TEST_F(CalibrateByRegression, RecordsOfFormatOneAreNotCalibratedByTheRegression) {
  CalibrateOptions asked = options();
  asked.method = IntervalMethod::kRegression;
  calibrate(asked);
  testing::write_synthetic_results(folder("tests"), test_scans_);
  const std::string id = test_scans_[3].case_id;
  CaseRecord record = read_case_record(folder("tests"), id);
  for (RegionRecord& region : record.regions) region.without_dropout.clear();
  write_case_record(record, case_record_path(folder("tests"), id));

  TabulateOptions table;
  table.results = folder("tests");
  table.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  const Tabulation rows = tabulate(table);
  for (const auto& [case_id, of_case] : rows.rows_by_case) {
    EXPECT_EQ(of_case.front().volume_ml.has_value(), case_id != id) << case_id;
  }
  ASSERT_EQ(rows.notes.size(), 1u);
  EXPECT_EQ(rows.notes[0].rfind("1 case(s) stay uncalibrated: an earlier version", 0), 0u);
  const Evaluation evaluated = evaluate(evaluation("tests"));
  EXPECT_EQ(evaluated.method, "regression");
  EXPECT_EQ(evaluated.coverage.front().summary.n, 39);
  ASSERT_FALSE(evaluated.notes.empty());
  EXPECT_EQ(evaluated.notes.front().rfind("1 case(s) left out that an earlier version", 0), 0u)
      << evaluated.notes.front();

  fs::remove_all(folder("tests"));
  testing::write_synthetic_results(folder("tests"), {test_scans_[3]});
  write_case_record(record, case_record_path(folder("tests"), id));
  EXPECT_NE(message_from<UsageError>([&] {
              evaluate(evaluation("tests"));
            }).find("1 case(s) left out that an earlier version"),
            std::string::npos);
}

TEST_F(Evaluate, ShowsEveryMethodOnOtherScans) {
  calibrate(options());
  testing::write_synthetic_results(folder("tests"), test_scans_);
  const Evaluation evaluated = evaluate(evaluation("tests"));
  EXPECT_EQ(evaluated.method, "conformal");
  std::set<std::string> methods;
  for (const CoverageRow& row : evaluated.coverage) {
    methods.insert(row.method);
    if (row.stratum == "all") EXPECT_EQ(row.summary.n, 40);
    if (row.stratum != "all" || row.method != "conformal") continue;
    const Range allowed = testing::covered_range(40, 60, 3, 0.999);
    EXPECT_GE(row.summary.covered, allowed.lower) << row.region;
    EXPECT_LE(row.summary.covered, allowed.upper) << row.region;
  }
  EXPECT_EQ(methods, (std::set<std::string>{"regression", "conformal", "scaled", "quantile",
                                            "regression_no_dropout", "size_only", "no_dropout",
                                            "level_sets"}));
  EXPECT_EQ(evaluated.comparison.size(), 2u * 7 * 6);
  EXPECT_EQ(evaluated.intervals.size(), 2u * 8 * 40);
  EXPECT_EQ(coverage_csv(evaluated).rfind("region,method,level,n,covered,coverage,", 0), 0u);
}

TEST_F(Evaluate, LeavesOutTheScansOfTheCalibration) {
  calibrate(options());
  const std::string message = message_from<UsageError>([&] { evaluate(evaluation("results")); });
  EXPECT_NE(message.find("all 60 cases with a reference were used for the calibration"),
            std::string::npos)
      << message;
  auto mixed = test_scans_;
  mixed.insert(mixed.end(), calibration_scans_.begin(), calibration_scans_.begin() + 5);
  testing::write_synthetic_results(folder("mixed"), mixed);
  const Evaluation evaluated = evaluate(evaluation("mixed"));
  EXPECT_EQ(evaluated.coverage.front().summary.n, 40);
  EXPECT_NE(std::find(evaluated.notes.begin(), evaluated.notes.end(),
                      "5 case(s) left out since the calibration was made on them"),
            evaluated.notes.end());
}

TEST_F(Evaluate, WithoutACalibrationOnlyLevelSetsAreEvaluated) {
  EvaluateOptions raw = evaluation("results");
  raw.calibration = {CalibrationChoice::Kind::kNone, {}};
  const Evaluation evaluated = evaluate(raw);
  EXPECT_EQ(evaluated.method, "level_sets");
  EXPECT_EQ(evaluated.coverage.front().summary.n, 60);
}

}  // namespace
}  // namespace mcvol
