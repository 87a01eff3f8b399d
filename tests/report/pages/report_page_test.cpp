#include "mcvol/report/pages/report_page.h"

#include <cmath>
#include <cstdio>
#include <vector>

#include "report/pages/page_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::contains;

VolumeRow measured_row(const std::string& case_id, double volume_ml, bool calibrated) {
  VolumeRow row;
  row.case_id = case_id;
  row.region = "whole_tumour";
  row.level = "0.9";
  row.raw_volume_ml = volume_ml;
  row.raw_lower_ml = volume_ml * 0.5;
  row.raw_upper_ml = volume_ml * 1.5;
  if (calibrated) {
    row.volume_ml = volume_ml * 1.1;
    row.lower_ml = volume_ml * 0.9;
    row.upper_ml = volume_ml * 1.3;
  }
  row.segmented_ml = volume_ml;
  row.status = "ok";
  row.flags = {calibrated ? "simulated_calibration" : "uncalibrated"};
  return row;
}

VolumeRow failed_row(const std::string& case_id, const std::string& error) {
  VolumeRow row;
  row.case_id = case_id;
  row.status = "failed";
  row.error = error;
  return row;
}

/// 19 scores of one candidate.
CalibrationPointer calibration(bool simulated) {
  auto applied = std::make_shared<AppliedCalibration>();
  applied->file.simulated = simulated;
  std::vector<double> scores;
  for (int n = 0; n < 19; ++n) scores.push_back(n);
  RegionCalibration region;
  region.region = "whole_tumour";
  region.strata.push_back(
      {0, {{ScoreKind::kConformal, ConformalFit(ScoreKind::kConformal, {{1, 0, scores}})}}});
  applied->file.regions.push_back(region);
  return applied;
}

ReportContent report_on_rows(std::vector<VolumeRow> rows, CalibrationPointer applied = nullptr) {
  ReportContent report;
  report.run.model = {{"name", "net"}, {"warning", "Not for <patients>."}};
  report.run.ended = "2026-01-02T03:04:05Z";
  report.run.identity = {{"passes", 20}, {"scope", "channel"}};
  report.calibration = std::move(applied);
  report.level = NominalCoverage::parse("0.9");
  report.rows = std::move(rows);
  report.program = "mcvol 0";
  return report;
}

TEST(ReportPageHtml, SaysWhetherTheScansAreOfTheCalibrationsKind) {
  ReportContent report = report_on_rows({measured_row("a", 10, true)}, calibration(false));
  EXPECT_EQ(report_page_html(report).find("of the calibration differ"), std::string::npos);
  report.batch = BatchCheck{
      80, 300, {0.0005, {{"noise (<flair>)", false, 5.5}, {"brain volume", true, -3.5}}}};
  const std::string differs =
      "<p class=\"warning\">The 80 scans and the 300 of the calibration differ (p = 0.0005): noise "
      "(&lt;flair&gt;) larger, brain volume less scattered; the calibration promises";
  EXPECT_NE(report_page_html(report).find(differs), std::string::npos);
  report.batch->comparison.p_value = 0.4321;
  const std::string alike =
      "<p class=\"soft\">No difference between the 80 scans and the 300 of the calibration was "
      "found "
      "(p = 0.4321).";
  EXPECT_NE(report_page_html(report).find(alike), std::string::npos);
}

TEST(ReportPageHtml, NeedsNothingButItselfAndIsWellFormed) {
  const std::string page = report_page_html(
      report_on_rows({measured_row("a", 10, true), failed_row("b", "x")}, calibration(false)));
  EXPECT_EQ(testing::unpaired_tags(page), std::vector<std::string>{});
  // But for the one script that sorts the table.
  const std::size_t begin = page.find("<script>"), end = page.find("</script>");
  ASSERT_LT(begin, end);
  ASSERT_NE(end, std::string::npos);
  const std::string script = page.substr(begin, end - begin);
  EXPECT_EQ(testing::outside_references(page.substr(0, begin) + page.substr(end)), "");
  for (const char* outside : {"http", "fetch", "import", "XMLHttpRequest", "innerHTML", "eval",
                              "Function(", "document.write", "localStorage"}) {
    EXPECT_FALSE(contains(script, outside)) << outside;
  }
}

TEST(ReportPageHtml, TextOfOthersIsNoPartOfTheScript) {
  const auto script_of = [](const std::string& case_id) {
    const std::string page =
        report_page_html(report_on_rows({measured_row(case_id, 10, true)}, calibration(false)));
    return page.substr(page.find("<script>"));
  };
  const std::string plain = script_of("a"), odd = script_of("</script><script>alert(1)");
  EXPECT_EQ(odd, plain);
}

TEST(ReportPageHtml, RowsOfTheTableHaveWhatTheyAreSortedAndFilteredBy) {
  VolumeRow flagged = measured_row("b", 123.4567, true);
  flagged.flags = {"uncertain", "touches_border"};
  flagged.segmented_ml = 0;
  flagged.foci = 12;
  flagged.largest_focus_share = 0.934;
  flagged.dice = 0.8149;
  flagged.dice_lower = 0.7;
  const std::string page = report_page_html(
      report_on_rows({measured_row("a", 9.87654, false), flagged}, calibration(false)));
  const std::string table = page.substr(page.find("<div id=\"numbers\">"));
  // The table's three decimals beside the three digits shown; empty cells have none.
  EXPECT_TRUE(contains(table,
                       "<tr data-flags=\"uncalibrated\"><th scope=\"row\">a</th>"
                       "<td>whole tumour</td><td></td><td></td><td></td>"
                       "<td data-order=\"9.877\">9.88</td>"));
  EXPECT_TRUE(contains(table,
                       "<tr data-flags=\"uncertain touches_border\" data-look>"
                       "<th scope=\"row\">b</th>"));
  EXPECT_TRUE(contains(table, "<td data-order=\"123.457\">123</td>"));
  EXPECT_TRUE(contains(table, "<td data-order=\"0.000\">0.00</td>"));
  EXPECT_TRUE(contains(table, "<td data-order=\"12.000\">12 (93 %)</td>"));
  EXPECT_TRUE(contains(table, "<td data-order=\"0.815\">0.81 (0.70)</td>"));
  // What needs the script is made by it: without, there are no buttons that do nothing.
  const std::string written = table.substr(0, table.find("<script>"));
  for (const char* control : {"<button", "<input", "<select", "aria-sort"}) {
    EXPECT_FALSE(contains(written, control)) << control;
  }
}

TEST(ReportPageHtml, TextOfOthersStaysText) {
  const std::string page =
      report_page_html(report_on_rows({failed_row("b", "<b>&\"bad\"</b>.nii")}));
  EXPECT_TRUE(contains(page, "&lt;b&gt;&amp;&quot;bad&quot;&lt;/b&gt;.nii"));
  EXPECT_TRUE(contains(page, "Not for &lt;patients&gt;."));
  EXPECT_FALSE(contains(page, "<b>"));
}

TEST(ReportPageHtml, SaysWhatIsPromisedAndOfWhichScans) {
  const std::vector<VolumeRow> rows{measured_row("a", 10, true)};
  const std::string real = report_page_html(report_on_rows(rows, calibration(false)));
  EXPECT_TRUE(contains(real, "the intervals of about 90 hold the volume"));
  EXPECT_TRUE(contains(real, "the 19 that it was calibrated on"));
  EXPECT_FALSE(contains(real, "simulated</strong>"));
  const std::string simulated = report_page_html(report_on_rows(rows, calibration(true)));
  EXPECT_TRUE(contains(simulated, "Those cases were simulated</strong>"));
  const std::string raw = report_page_html(report_on_rows({measured_row("a", 10, false)}));
  EXPECT_TRUE(contains(raw, "<strong>not calibrated</strong>"));
}

TEST(ReportPageHtml, PromiseIsThatOfTheMethodAndOfEveryStratum) {
  const std::vector<VolumeRow> rows{measured_row("a", 10, true)};
  auto quantile = std::make_shared<AppliedCalibration>(*calibration(false));
  quantile->file.method = IntervalMethod::kQuantile;
  EXPECT_TRUE(contains(report_page_html(report_on_rows(rows, quantile)), "of about 81 hold"));
  auto strata = std::make_shared<AppliedCalibration>(*calibration(false));
  RegionCalibration::Stratum more = strata->file.regions[0].strata[0];
  std::vector<double> scores(60, 0.0);
  more.from_ml = 5;
  more.fits[0].second = ConformalFit(ScoreKind::kConformal, {{1, 0, scores}});
  strata->file.regions[0].strata.push_back(more);
  const std::string page = report_page_html(report_on_rows(rows, strata));
  EXPECT_TRUE(contains(page, "of about 90 to 90.2 hold"));  // 1 - 6 / 61
  EXPECT_TRUE(contains(page, "the 79 that it was calibrated on"));
}

TEST(ReportPageHtml, FlagOfALaterVersionIsAReasonToLook) {
  VolumeRow row = measured_row("a", 10, true);
  row.flags = {"strange_new"};
  const std::string page = report_page_html(report_on_rows({row}, calibration(false)));
  EXPECT_TRUE(contains(page, "1 to look at"));
  EXPECT_TRUE(contains(page, "strange_new"));
  row.flags = {"other_seed"};
  EXPECT_TRUE(
      contains(report_page_html(report_on_rows({row}, calibration(false))), "0 to look at"));
}

TEST(ReportPageHtml, WhatFailedOrIsFlaggedComesFirstWithItsReasons) {
  VolumeRow flagged = measured_row("flagged", 10, true);
  flagged.flags = {"uncertain", "touches_border"};
  const std::string page = report_page_html(report_on_rows(
      {measured_row("calm", 5, true), flagged, failed_row("lost", "no t1")}, calibration(false)));
  const std::size_t first = page.find("To look at first");
  const std::size_t chart = page.find("<figure>");
  const std::size_t lost = page.find(">lost</th>");
  const std::size_t wide = page.find(">flagged</th>");
  EXPECT_TRUE(first < lost && lost < wide && wide < chart);
  EXPECT_TRUE(contains(page, "3 cases"));
  EXPECT_TRUE(contains(page, "2 cases measured, 1 failed, 1 to look at"));
  EXPECT_TRUE(contains(page, "wider than 19 of 20"));
  EXPECT_GT(page.find(">calm</th>"), chart);
  const std::string calm =
      report_page_html(report_on_rows({measured_row("calm", 5, true)}, calibration(false)));
  EXPECT_TRUE(contains(calm, "Nothing: no case failed or is flagged."));
}

/// Attribute of the first element of a class after `from`.
double attribute_of(const std::string& page, const std::string& element, const std::string& name) {
  const std::size_t begin = page.find(element);
  const std::size_t value = page.find(" " + name + "=\"", begin) + name.size() + 3;
  return std::stod(page.substr(value));
}

TEST(ReportPageHtml, BarsLieWhereTheIntervalsDo) {
  const std::string page =
      report_page_html(report_on_rows({measured_row("a", 64 / 1.5, true)}, calibration(false)));
  // The axis ends at the largest number, raw_upper_ml of 64 ml: 4 ml^(1/3).
  const double left = 200;
  const double scale = (790 - left) / 4;
  const double lower = left + scale * std::cbrt(64 / 1.5 * 0.9);
  const double upper = left + scale * std::cbrt(64 / 1.5 * 1.3);
  EXPECT_NEAR(attribute_of(page, "<rect class=\"bar\"", "x"), lower, 0.06);
  EXPECT_NEAR(attribute_of(page, "<rect class=\"bar\"", "width"), upper - lower, 0.11);
  EXPECT_NEAR(attribute_of(page, "<circle class=\"point\"", "cx"),
              left + scale * std::cbrt(64 / 1.5 * 1.1), 0.06);
}

TEST(ReportPageHtml, OutlierDoesNotSqueezeTheOthers) {
  std::vector<VolumeRow> rows;
  for (const char* name : {"a", "b", "c", "d"}) rows.push_back(measured_row(name, 10, true));
  rows.push_back(measured_row("whole_head", 1400, true));
  const std::string page = report_page_html(report_on_rows(rows, calibration(false)));
  EXPECT_TRUE(contains(page, "cut where 1 case goes beyond (arrow)"));
  EXPECT_EQ(testing::count_of(page, "<path class=\"bar\""), 1);
  EXPECT_EQ(testing::count_of(page, "<circle class=\"point\""), 4);  // the fifth lies beyond
  EXPECT_TRUE(contains(page, "1540 [1260, 1820]"));
  EXPECT_FALSE(contains(report_page_html(report_on_rows({rows[0]}, calibration(false))), "cut"));
}

TEST(ReportPageHtml, WhatTakesFocusHasAName) {
  const std::string page =
      report_page_html(report_on_rows({measured_row("a", 10, true)}, calibration(false)));
  EXPECT_EQ(testing::count_of(page, "tabindex"), 1);
  EXPECT_TRUE(
      contains(page, "tabindex=\"0\" role=\"region\" aria-label=\"whole tumour: volume and"));
}

TEST(ReportPageHtml, ChartOfManyScansShowsThoseFlaggedFirst) {
  std::vector<VolumeRow> rows;
  for (int n = 0; n < 700; ++n) {
    char name[16];
    std::snprintf(name, sizeof name, "case_%04d", n);
    rows.push_back(measured_row(name, 700 - n, true));
  }
  rows[699].flags = {"uncertain"};  // the smallest
  const std::string page = report_page_html(report_on_rows(rows, calibration(false)));
  EXPECT_TRUE(contains(page, "500 of 700 cases, those flagged first"));
  const std::size_t chart = page.find("<figure>");
  EXPECT_LT(page.find("case_0699:", chart), page.find("case_0000:", chart));
  const std::string drawn = page.substr(chart, page.find("</figure>") - chart);
  EXPECT_EQ(testing::count_of(drawn, "<rect"), 500);
  // On several pictures, so that none is longer than a printed page; all have the same axis.
  EXPECT_EQ(testing::count_of(drawn, "<svg"), 10);
  EXPECT_EQ(testing::count_of(drawn, ">200</text>"), 10);
}

}  // namespace
}  // namespace mcvol
