#include "mcvol/report/pages/evaluation_page.h"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "report/pages/page_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::contains;
using testing::count_of;

/// @param references as if calibrated on so many: truths then lie at their ranks; 0 for raw.
EvaluatedMethod method_of(IntervalMethod name, int scans, int missed, int references = 0) {
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
    const int slots = references > 0 ? references + 1 : scans;
    scan.scored.pit = (n % slots + 0.5) / slots;
    scan.scored.references = references;
    scored.push_back(scan.scored);
    method.scans.push_back(scan);
  }
  method.summary = summary_of(scored);
  return method;
}

EvaluationContent evaluation_of(int scans, int missed, int references = 0,
                                IntervalMethod method = IntervalMethod::kConformal) {
  EvaluationContent report;
  report.run.model = {{"name", "<net>"}};
  report.level = NominalCoverage::parse("0.9");
  EvaluatedMethod raw = method_of(IntervalMethod::kLevelSets, scans, 2 * missed);
  raw.ratio = PairedRatio{0.8, {0.7, 0.9}};
  report.regions.push_back(
      {"whole_tumour", {method_of(method, scans, missed, references), raw}, {}, {}, {}, {}});
  report.program = "mcvol 0";
  return report;
}

TEST(EvaluationPageHtml, NeedsNothingButItselfAndIsWellFormed) {
  const std::string page = evaluation_page_html(evaluation_of(40, 3));
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  EXPECT_EQ(testing::outside_references(page), "");
  EXPECT_TRUE(contains(page, "&lt;net&gt;"));
}

TEST(EvaluationPageHtml, ShowsHowWellBadSegmentationsAreTold) {
  EvaluationContent report = evaluation_of(40, 3);
  EXPECT_FALSE(contains(evaluation_page_html(report), "Are bad segmentations found?"));
  EvaluatedRegion& region = report.regions.front();
  const Auroc auroc{0.91, {0.85, 0.97}, 0.12, {0.02, 0.22}};
  for (const char* signal : {"expected_dice", "predicted_volume"}) {
    region.quality.push_back({region.region, kLowDiceOutcome, signal, 40, 5, auroc, 0.06, 0.01});
    region.risk_coverage.push_back(
        {region.region, kLowDiceOutcome, signal, {{0.5, 0.05}, {1, 0.1}}});
  }
  region.quality.push_back(
      {region.region, kLargeErrorOutcome, "expected_dice", 40, 0, {}, 0.5, 0.4});
  EXPECT_FALSE(contains(evaluation_page_html(report), "expected Dice against"));
  region.segmentations.push_back({"a", region.region, 0.8, 0.1, {0.82, 0.7}});
  region.segmentations.push_back({"b", region.region, 0.2, 0.9, {0.82, 0.7}});
  region.segmentations.push_back({"c", region.region, {}, 0.1, {0.82, 0.7}});
  const std::string page = evaluation_page_html(report);
  EXPECT_TRUE(contains(page, "a: 0.80, expected 0.82, at least 0.70"));
  EXPECT_EQ(count_of(page, ", expected 0.82"), 2) << "of c the Dice is not known";
  EXPECT_TRUE(contains(page, "Are bad segmentations found?"));
  EXPECT_TRUE(contains(page, "5 of 40 segmentations have a Dice below 0.7"));
  EXPECT_TRUE(contains(page, "0.910 [0.850, 0.970]"));
  EXPECT_EQ(count_of(page, "0.120 [0.020, 0.220]"), 1) << "of the volume over itself nothing";
  EXPECT_TRUE(contains(page, "heavy: by expected Dice"));
  EXPECT_FALSE(contains(page, "thin: by an oracle")) << "there is no such curve";
  EXPECT_FALSE(contains(page, "0.5000")) << "of the Dice, where that is known";
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  EXPECT_FALSE(contains(page, "dice_lower</code>"));
  region.dice_coverage = DiceCoverage{region.region, "0.9", 40, 37, {0.8, 0.98}};
  EXPECT_TRUE(
      contains(evaluation_page_html(report),
               "At level 0.9 37 of 40 are as good as <code>dice_lower</code> says [80, 98 %]"));
  // Of only good ones there is no telling.
  for (QualityRow& row : region.quality) row.auroc.reset();
  EXPECT_FALSE(contains(evaluation_page_html(report), "0.910"));
}

TEST(EvaluationPageHtml, SaysFirstHowManyHold) {
  const std::string page = evaluation_page_html(evaluation_of(40, 3));
  EXPECT_TRUE(contains(page, "<strong>whole tumour</strong>: 37 of 40 intervals hold, 92.5 %"));
  EXPECT_TRUE(contains(page, "0.80 [0.70, 0.90]"));
  EXPECT_TRUE(contains(page, "There is no calibration"));
}

TEST(EvaluationPageHtml, DrawsEachScanAndMarksTheMisses) {
  const std::string page = evaluation_page_html(evaluation_of(40, 3));
  EXPECT_EQ(count_of(page, "<figure>"), 4);
  // Two plots have a dot a scan; a reliability diagram has 19 levels.
  EXPECT_EQ(count_of(page, "<circle"), 2 * 40 + 19);
  EXPECT_EQ(count_of(page, "class=\"point\""), 2 * 3);
  EXPECT_EQ(count_of(page, "stroke-width=\"2\"/>"), 3);
}

TEST(EvaluationPageHtml, ReliabilityIsThatOfTheIntervalsAsTheyAreCut) {
  // 20 scans of every rank: 0.9 of 19 references keeps 18 of 20 ranks, quantile 16.2 of 20.
  const std::string conformal = evaluation_page_html(evaluation_of(400, 0, 19));
  EXPECT_TRUE(contains(conformal, "level 0.90: 90 %"));
  EXPECT_TRUE(contains(conformal, "level 0.50: 50 %"));
  EXPECT_FALSE(contains(conformal, "level 0.95:"));  // takes 39
  const std::string at_50 = evaluation_page_html(evaluation_of(510, 0, 50));
  EXPECT_TRUE(contains(at_50, "level 0.90: 92.2 %"));  // 1 - 2k / (n + 1), k = 2
  const std::string quantile =
      evaluation_page_html(evaluation_of(400, 0, 19, IntervalMethod::kQuantile));
  EXPECT_TRUE(contains(quantile, "level 0.90: 80 %")) << "whole ranks of 81 %";
}

TEST(EvaluationPageHtml, BandsAreWiderForACalibrationThanForChanceAlone) {
  // Of the band in the PIT histogram, in heights of its first bar: plots differ in scale.
  const auto band_of = [](const std::string& page) {
    std::size_t at = page.find("predicted distribution");
    std::vector<double> heights;
    for (int polygon = 0; polygon < 2; ++polygon) {
      at = page.find("<polygon points=\"", at) + 17;
      std::istringstream corners(page.substr(at, page.find('"', at) - at));
      std::vector<double> y;
      for (std::string corner; corners >> corner;) {
        y.push_back(std::stod(corner.substr(corner.find(',') + 1)));
      }
      heights.push_back(std::abs(y.at(2) - y.at(0)));
    }
    return heights[0] / heights[1];
  };
  const double chance = band_of(evaluation_page_html(evaluation_of(300, 0)));
  const double calibrated = band_of(evaluation_page_html(evaluation_of(301, 0, 300)));
  EXPECT_NEAR(chance, 2 * 1.96 * std::sqrt(300 * 0.09) / 30, 0.02);
  EXPECT_NEAR(calibrated / chance, std::sqrt(602.0 / 302), 0.08);  // a bar is 30 or 31 scans
}

TEST(EvaluationPageHtml, RawDistributionsAloneAreNotDrawnTwice) {
  EvaluationContent report = evaluation_of(40, 0);
  report.regions[0].methods.erase(report.regions[0].methods.begin());
  const std::string page = evaluation_page_html(report);
  EXPECT_FALSE(contains(page, "before calibration"));
}

TEST(EvaluationPageHtml, ReliabilityOfAPerfectDistributionLiesOnTheDiagonal) {
  const std::string page =
      evaluation_page_html(evaluation_of(1000, 0, 0, IntervalMethod::kLevelSets));
  for (const char* tip : {"level 0.05: 5 %", "level 0.50: 50 %", "level 0.95: 95 %"}) {
    EXPECT_TRUE(contains(page, tip)) << tip;
  }
}

}  // namespace
}  // namespace mcvol
