#include "mcvol/report/evaluation_report.h"

#include <string>
#include <vector>

#include "report/page_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::contains;
using testing::count_of;

EvaluatedMethod method_of(const std::string& name, int scans, int missed) {
  EvaluatedMethod method;
  method.method = name;
  std::vector<ScoredInterval> scored;
  for (int n = 0; n < scans; ++n) {
    EvaluatedScan scan;
    scan.case_id = "case_" + std::to_string(n);
    scan.reference_ml = 8;
    scan.scored.interval = {n < missed ? 10.0 : 1.0, 27};
    scan.scored.point_ml = 9;
    scan.scored.covered = n >= missed;
    scan.scored.width_ml = 27 - scan.scored.interval.lower_ml;
    scan.scored.pit = (n + 0.5) / scans;
    scored.push_back(scan.scored);
    method.scans.push_back(scan);
  }
  method.summary = summary_of(scored);
  return method;
}

EvaluationReport report_of(int scans, int missed) {
  EvaluationReport report;
  report.run.model = {{"name", "<net>"}};
  report.level = NominalCoverage::parse("0.9");
  EvaluatedMethod raw = method_of("level_sets", scans, 2 * missed);
  raw.ratio = PairedRatio{0.8, {0.7, 0.9}};
  report.regions.push_back({"whole_tumour", {method_of("conformal", scans, missed), raw}});
  report.program = "mcvol 0";
  return report;
}

TEST(EvaluationReportPage, NeedsNothingButItselfAndIsWellFormed) {
  const std::string page = evaluation_report_html(report_of(40, 3));
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  EXPECT_EQ(testing::outside_references(page), "");
  EXPECT_TRUE(contains(page, "&lt;net&gt;"));
}

TEST(EvaluationReportPage, SaysFirstHowManyHold) {
  const std::string page = evaluation_report_html(report_of(40, 3));
  EXPECT_TRUE(contains(page, "<strong>whole tumour</strong>: 37 of 40 intervals hold, 92.5 %"));
  EXPECT_TRUE(contains(page, "0.80 [0.70, 0.90]"));
  EXPECT_TRUE(contains(page, "There is no calibration"));
}

TEST(EvaluationReportPage, DrawsEachScanAndMarksTheMisses) {
  const std::string page = evaluation_report_html(report_of(40, 3));
  EXPECT_EQ(count_of(page, "<figure>"), 4);
  // Two plots have a dot a scan; a reliability diagram has 19 levels.
  EXPECT_EQ(count_of(page, "<circle"), 2 * 40 + 19);
  EXPECT_EQ(count_of(page, "class=\"point\""), 2 * 3);
  EXPECT_EQ(count_of(page, "stroke-width=\"2\"/>"), 3);
}

TEST(EvaluationReportPage, ReliabilityOfAPerfectDistributionLiesOnTheDiagonal) {
  const std::string page = evaluation_report_html(report_of(1000, 0));
  for (const char* tip : {"level 0.05: 5.0 %", "level 0.50: 50.0 %", "level 0.95: 95.0 %"}) {
    EXPECT_TRUE(contains(page, tip)) << tip;
  }
}

}  // namespace
}  // namespace mcvol
