#include "report/pages/change_section.h"

#include <cmath>

#include "report/pages/page_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::contains;

VolumeRow volume_of(const std::string& case_id, double volume_ml) {
  VolumeRow row;
  row.case_id = case_id;
  row.region = "whole";
  row.level = "0.9";
  row.status = "ok";
  row.volume_ml = row.raw_volume_ml = row.segmented_ml = volume_ml;
  row.lower_ml = row.raw_lower_ml = volume_ml / 2;
  row.upper_ml = row.raw_upper_ml = volume_ml * 2;
  return row;
}

ChangeRow change_of(const std::string& subject, double change_ml, double p_growth,
                    const std::string& level = "0.9") {
  ChangeRow row;
  row.pair = {subject, "a", "b"};
  row.region = "whole";
  row.level = level;
  row.status = "ok";
  row.change_ml = change_ml;
  row.lower_ml = change_ml - 2;
  row.upper_ml = change_ml + 2;
  row.p_growth = p_growth;
  row.p_shrinkage = 1 - p_growth;
  row.p_tie = 0;
  row.growth_threshold = 0;
  return row;
}

ReportContent report_on_changes(std::vector<ChangeRow> changes) {
  ReportContent report;
  report.level = NominalCoverage::parse("0.9");
  report.rows = {volume_of("a", 8), volume_of("b", 13.5)};
  report.changes = std::move(changes);
  return report;
}

/// Order in which subjects are drawn.
std::vector<std::string> drawn_subjects(const std::string& section) {
  std::vector<std::string> subjects;
  const std::string mark = "aria-label=\"s";
  for (std::size_t at = 0; (at = section.find(mark, at)) != std::string::npos; ++at) {
    const std::size_t begin = at + mark.size() - 1;
    subjects.push_back(section.substr(begin, section.find(':', begin) - begin));
  }
  return subjects;
}

TEST(ChangeSection, WithoutPairsIsEmpty) { EXPECT_EQ(change_section(report_on_changes({})), ""); }

TEST(ChangeSection, WhatChangedMostSurelyComesFirstWhicheverWay) {
  const std::string section = change_section(
      report_on_changes({change_of("s_unsure", 0.1, 0.55), change_of("s_grew", 3, 0.97),
                         change_of("s_shrank", -3, 0.01), change_of("s_grew_more", 9, 0.97)}));
  EXPECT_EQ(drawn_subjects(section),
            (std::vector<std::string>{"s_shrank", "s_grew_more", "s_grew", "s_unsure"}));
}

TEST(ChangeSection, WithoutProbabilitiesGoesByTheIntervals) {
  std::vector<ChangeRow> rows{change_of("s_unsure", 0.1, 0), change_of("s_shrank", -4, 0),
                              change_of("s_grew", 3, 0)};
  for (ChangeRow& row : rows) row.p_growth = row.p_shrinkage = row.growth_threshold = std::nullopt;
  const std::string section = change_section(report_on_changes(rows));
  EXPECT_EQ(drawn_subjects(section), (std::vector<std::string>{"s_shrank", "s_grew", "s_unsure"}));
  EXPECT_TRUE(contains(section, "there are no probabilities"));
  EXPECT_FALSE(contains(section, "growth 0"));
}

TEST(ChangeSection, SaysInWordsWhatItDraws) {
  const std::string section = change_section(report_on_changes({change_of("s1", -3, 0.0125)}));
  EXPECT_TRUE(contains(section,
                       "aria-label=\"s1: baseline a 8.00 [4.00, 16.0] ml, follow-up b 13.5 [6.75, "
                       "27.0] ml, change −3.00 [−5.00, −1.00] ml, probability of growth 0.01, "
                       "shrinkage 0.99\""))
      << section;
  EXPECT_TRUE(contains(section, "−3.00 [−5.00, −1.00]</span></td><td>0.0125</td><td>0.9875</td>"))
      << section;
  EXPECT_EQ(testing::unpaired_tags(section), std::vector<std::string>{});
  EXPECT_EQ(testing::outside_references(section), "");
}

TEST(ChangeSection, NoProbabilityIsCertain) {
  const std::string section = change_section(report_on_changes({change_of("s1", -30, 0.0)}));
  EXPECT_TRUE(contains(section, "growth &lt;0.01, shrinkage &gt;0.99"));
}

TEST(ChangeSection, TextOfOthersStaysText) {
  ChangeRow failed = change_of("<b>s</b>", 1, 1);
  failed.status = "failed";
  failed.region = failed.level = "";
  failed.error = "a: <i>lost</i>";
  const std::string section =
      change_section(report_on_changes({change_of("<b>s</b>", 1, 0.5), failed}));
  EXPECT_TRUE(contains(section, "Not compared"));
  EXPECT_TRUE(contains(section, "a: &lt;i&gt;lost&lt;/i&gt;"));
  EXPECT_FALSE(contains(section, "<b>"));
}

TEST(ChangeSection, NamesTheThresholdAndAnotherLevelThanThePages) {
  std::vector<ChangeRow> rows{change_of("s1", 3, 0.9, "0.5"), change_of("s1", 3, 0.9, "0.8")};
  for (ChangeRow& row : rows) row.growth_threshold = 0.25;
  const std::string section = change_section(report_on_changes(rows));
  EXPECT_EQ(drawn_subjects(section).size(), 1u);
  EXPECT_TRUE(contains(section, "Growth: more than 25 % above the baseline."));
  EXPECT_TRUE(contains(section, "where most are stable, they are too high"));
  EXPECT_TRUE(contains(section, "Changes are at the level 0.8, volumes at 0.9."));
}

/// x and width of the n-th bar of a kind.
std::pair<double, double> bar(const std::string& section, const std::string& kind, int number) {
  std::size_t at = section.find("<rect class=\"" + kind + "\"");
  for (int n = 0; n < number; ++n) at = section.find("<rect class=\"" + kind + "\"", at + 1);
  const auto value = [&](const std::string& name) {
    return std::stod(section.substr(section.find(" " + name + "=\"", at) + name.size() + 3));
  };
  return {value("x"), value("width")};
}

TEST(ChangeSection, BarsLieWhereTheIntervalsDo) {
  const std::string section = change_section(report_on_changes({change_of("s1", 6, 0.9)}));
  // Volumes go to 27 ml = 3^3 between 186 and 450, changes to 8 ml = 2^3 on both sides of 610.
  const double scale = (450 - 186) / 3.0;
  EXPECT_NEAR(bar(section, "hollow", 0).first, 186 + scale * std::cbrt(4), 0.06);
  EXPECT_NEAR(bar(section, "hollow", 0).second, scale * (std::cbrt(16) - std::cbrt(4)), 0.11);
  EXPECT_NEAR(bar(section, "bar", 0).first, 186 + scale * std::cbrt(6.75), 0.06);
  EXPECT_NEAR(bar(section, "bar", 1).first, 610 + 62 * std::cbrt(4), 0.06);
  EXPECT_NEAR(bar(section, "bar", 1).second, 62 * (2 - std::cbrt(4)), 0.11);
}

TEST(ChangeSection, ScanThatIsNotInTheTableLeavesTheChange) {
  ReportContent report = report_on_changes({change_of("s1", 6, 0.9)});
  report.rows.pop_back();
  const std::string section = change_section(report);
  EXPECT_FALSE(contains(section, "follow-up b"));
  EXPECT_TRUE(contains(section, "change +6.00 [+4.00, +8.00] ml"));
}

}  // namespace
}  // namespace mcvol
