#include "mcvol/report/pages/evaluation_page.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/files/text.h"

#include <set>

#include "evaluation_figures.h"
#include "quality_section.h"
#include "report/html/calibration_words.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

/// Coverages beside each other, all with one decimal.
std::string tenths_of_percent(double share) { return decimal_text(100 * share, 1); }

std::string methods_table(const EvaluatedRegion& region) {
  std::vector<std::vector<std::string>> cells;
  for (const EvaluatedMethod& method : region.methods) {
    const CoverageSummary& of = method.summary;
    std::string ratio = "–";
    if (method.ratio) {
      ratio = decimal_text(method.ratio->ratio, 2) + " [" +
              decimal_text(method.ratio->range.lower, 2) + ", " +
              decimal_text(method.ratio->range.upper, 2) + "]";
    }
    cells.push_back({escaped(spaced(to_string(method.method))),
                     std::to_string(of.covered) + " of " + std::to_string(of.n),
                     tenths_of_percent(of.coverage) + " % [" +
                         tenths_of_percent(of.coverage_range.lower) + ", " +
                         tenths_of_percent(of.coverage_range.upper) + "]",
                     volume_text(of.mean_width_ml), volume_text(of.interval_score_ml),
                     decimal_text(of.interval_score_root, 3), ratio});
  }
  return html_table({"method", "held", "coverage [95 %]", "mean width, ml", "interval score, ml",
                     "ml<sup>1/3</sup>", "the first over this one [95 %]"},
                    cells);
}

std::string of_region(const EvaluatedRegion& region, const EvaluationContent& report) {
  const auto figure = [](const std::string& picture, const std::string& caption) {
    return "<figure>\n" + picture + "<figcaption>" + caption + "</figcaption>\n</figure>\n";
  };
  std::string section = "<h2>" + escaped(spaced(region.region)) + "</h2>\n";
  section += methods_table(region);
  section +=
      "<p class=\"soft\">Level " + escaped(report.level.text) +
      ". The interval score (Winkler 1972) is the width plus, for a miss, 2 / (1 - level) times "
      "how far it misses; smaller is better. Its ratio is of V<sup>1/3</sup>, below 1 in favour of "
      "the "
      "first method.</p>\n<div class=\"pair\">\n";
  section += figure(reliability_svg(region),
                    "How often intervals hold, at every level that the references reach. Shaded: "
                    "where 95 of 100 such calibrations and as many cases lie if the intervals are "
                    "right. An absent tumour has the rank it drew.");
  section +=
      figure(pit_svg(region),
             "Where the reference lies in what was predicted: level if that is right, high at "
             "the left where volumes are predicted too large. Shaded: 95 % of what chance "
             "gives a bar.");
  section += figure(
      against_reference_svg(region),
      "Predicted median and interval against the reference. Both axes are even in the cube root.");
  section += figure(width_svg(region), "Width of each interval.");
  return section + "</div>\n" + quality_section(region);
}

std::string heading(const EvaluationContent& report) {
  std::set<std::string> cases;
  for (const EvaluatedRegion& region : report.regions) {
    for (const EvaluatedScan& scan : region.methods.front().scans) cases.insert(scan.case_id);
  }
  std::string text = "<h1>Do the intervals hold?</h1>\n<p class=\"soft\">" +
                     std::to_string(cases.size()) + " cases with reference volumes, " +
                     escaped(report.run.model.value("name", "")) + ", level " +
                     escaped(report.level.text) + ", " + escaped(report.program) + ".</p>\n";
  const std::string warning = report.run.model.value("warning", "");
  if (!warning.empty()) text += "<p class=\"warning\">" + escaped(warning) + "</p>\n";
  text += "<p>";
  for (const EvaluatedRegion& region : report.regions) {
    const CoverageSummary& of = region.methods.front().summary;
    text += "<strong>" + escaped(spaced(region.region)) +
            "</strong>: " + std::to_string(of.covered) + " of " + std::to_string(of.n) +
            " intervals hold, " + tenths_of_percent(of.coverage) + " % [" +
            tenths_of_percent(of.coverage_range.lower) + ", " +
            tenths_of_percent(of.coverage_range.upper) + "].<br>\n";
  }
  text += "</p>\n";
  if (report.calibration) {
    const CalibrationFile& file = report.calibration->file;
    text += "<p>Calibrated (" + to_string(file.method) + ") on " + escaped(references_of(file)) +
            " cases" + (file.simulated ? ", which were simulated" : "") +
            ": on average over such calibrations " + promise_of(file, report.level) +
            " % hold.</p>\n";
  } else {
    text += "<p>There is no calibration: these are the raw intervals.</p>\n";
  }
  for (const std::string& note : report.notes) {
    text += "<p class=\"soft\">" + escaped(note) + ".</p>\n";
  }
  return text;
}

}  // namespace

std::string evaluation_page_html(const EvaluationContent& report) {
  std::string body = heading(report);
  for (const EvaluatedRegion& region : report.regions) {
    body += of_region(region, report);
  }
  return html_page("Do the intervals hold?", body);
}

}  // namespace mcvol
