#include "quality_section.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "report/figures/plot.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

/// A line of the picture; the last that is there lies on top.
struct CurveStyle {
  const char* signal;
  const char* words;
  const char* style;
};
constexpr std::array kCurves{
    CurveStyle{"predicted_volume", "dashed: by predicted volume",
               "class=\"raw\" stroke-width=\"2\" stroke-dasharray=\"5 3\""},
    CurveStyle{"interval_width", "dotted: by width of the interval",
               "class=\"mark\" stroke-width=\"2\" stroke-dasharray=\"1.5 3\""},
    CurveStyle{"oracle", "thin: by an oracle", "class=\"mark\" stroke-width=\"0.8\""},
    CurveStyle{"expected_dice", "heavy: by expected Dice",
               "stroke=\"#1f5a96\" stroke-width=\"2.5\""}};

const RiskCoverageCurve* curve_of(const EvaluatedRegion& region, const std::string& outcome,
                                  const std::string& signal) {
  const auto found =
      std::find_if(region.risk_coverage.begin(), region.risk_coverage.end(),
                   [&](const auto& one) { return one.outcome == outcome && one.signal == signal; });
  return found == region.risk_coverage.end() ? nullptr : &*found;
}

PlotAxis risk_axis(const std::string& label, double most) {
  PlotAxis axis;
  axis.label = label;
  const double step = most > 0.5 ? 0.2 : most > 0.2 ? 0.1 : most > 0.1 ? 0.05 : 0.02;
  axis.most = std::max(step, step * std::ceil(most / step));
  for (int n = 0; n * step <= axis.most + step / 2; ++n) axis.ticks.push_back(n * step);
  axis.tick_text = [](double value) { return decimal_text(value, 2); };
  return axis;
}

std::string risk_coverage_svg(const EvaluatedRegion& region, const std::string& outcome,
                              const std::string& risk) {
  double most = 0;
  for (const CurveStyle& style : kCurves) {
    const RiskCoverageCurve* curve = curve_of(region, outcome, style.signal);
    if (curve == nullptr) continue;
    for (const RiskAtCoverage& at : curve->points) most = std::max(most, at.risk);
  }
  Plot plot(spaced(region.region) + ": mean risk of the cases kept, by their share",
            PlotAxis::fraction("share of cases kept, the least suspicious first"),
            risk_axis(risk, most));
  for (const CurveStyle& style : kCurves) {
    const RiskCoverageCurve* curve = curve_of(region, outcome, style.signal);
    if (curve == nullptr) continue;
    std::vector<std::pair<double, double>> points;
    for (const RiskAtCoverage& at : curve->points) points.emplace_back(at.coverage, at.risk);
    plot.polyline(points, std::string(style.style) + " fill=\"none\"");
    plot.note(style.words);
  }
  return plot.svg();
}

bool has_expected_dice(const EvaluatedSegmentation& one) {
  return one.dice && one.expected_dice() && one.dice_lower();
}

std::string expected_dice_svg(const EvaluatedRegion& region) {
  Plot plot(spaced(region.region) + ": expected Dice against the Dice that there is",
            PlotAxis::fraction("Dice with the label map"), PlotAxis::fraction("expected Dice"));
  plot.line(0, 0, 1, 1, "class=\"mark\"");
  for (const EvaluatedSegmentation& one : region.segmentations) {
    if (!has_expected_dice(one)) continue;
    const double expected = *one.expected_dice(), least = *one.dice_lower();
    const bool holds = *one.dice >= least;
    plot.line(*one.dice, least, *one.dice, expected,
              holds ? "stroke=\"#1f5a96\" stroke-opacity=\"0.6\""
                    : "stroke=\"#1a1a1a\" stroke-width=\"2\"");
    plot.circle(*one.dice, expected, holds ? 2.2 : 4, holds ? "class=\"bar\"" : "class=\"point\"",
                one.case_id + ": " + decimal_text(*one.dice, 2) + ", expected " +
                    decimal_text(expected, 2) + ", at least " + decimal_text(least, 2));
  }
  plot.note("rings, heavy lines: less than dice_lower");
  return plot.svg();
}

std::string with_range(double value, const Range& range) {
  if (std::isnan(range.lower)) return decimal_text(value, 3);
  return decimal_text(value, 3) + " [" + decimal_text(range.lower, 3) + ", " +
         decimal_text(range.upper, 3) + "]";
}

/// How many are as good as dice_lower says; empty where nothing says it.
std::string held_text(const EvaluatedRegion& region) {
  if (!region.dice_coverage) return "";
  const DiceCoverage& of = *region.dice_coverage;
  return " At level " + escaped(of.level) + " " + std::to_string(of.held) + " of " +
         std::to_string(of.n) + " are as good as <code>dice_lower</code> says [" +
         percent_of(of.range.lower) + ", " + percent_of(of.range.upper) + " %].";
}

std::string signals_table(const EvaluatedRegion& region, const std::string& outcome) {
  std::vector<std::vector<std::string>> cells;
  for (const QualityRow& row : region.quality) {
    if (row.outcome != outcome) continue;
    std::vector<std::string> line{escaped(spaced(row.signal)), "–", "–",
                                  decimal_text(row.risk_coverage_area, 4),
                                  decimal_text(row.excess_area, 4)};
    if (row.auroc) {
      line[1] = with_range(row.auroc->area, row.auroc->range);
      if (row.signal != "predicted_volume") {
        line[2] = with_range(row.auroc->difference, row.auroc->difference_range);
      }
    }
    cells.push_back(std::move(line));
  }
  return html_table(
      {"signal", "AUROC [95 %]", "over predicted volume [95 %]", "AURC", "over an oracle's"},
      cells);
}

}  // namespace

std::string quality_section(const EvaluatedRegion& region) {
  if (region.quality.empty()) return "";
  // The Dice where it is known: the volume may be right of another tumour.
  const QualityRow& first = region.quality.front();
  const bool is_dice = first.outcome == kLowDiceOutcome;
  std::string section = is_dice ? "<h3>Are bad segmentations found?</h3>\n<p>"
                                : "<h3>Are wrong volumes found?</h3>\n<p>";
  section += std::to_string(first.bad) + " of " + std::to_string(first.n) +
             (is_dice ? " segmentations have a Dice below " + decimal_text(kLowDice, 1)
                      : " volumes are off by more than " + percent_of(kLargeError) + " %");
  section += "." + held_text(region) + "</p>\n";
  section += signals_table(region, first.outcome);
  section +=
      "<p class=\"soft\">AUROC: how often a bad one looks worse than a good one (DeLong 1988). "
      "AURC: "
      "mean risk of the cases kept, over all shares of them; smaller is better.</p>\n";
  const auto figure = [](const std::string& picture, const std::string& caption) {
    return "<figure>\n" + picture + "<figcaption>" + caption + "</figcaption>\n</figure>\n";
  };
  section += "<div class=\"pair\">\n";
  section +=
      figure(risk_coverage_svg(region, first.outcome, is_dice ? "mean of 1 - Dice" : "mean error"),
             "How bad what is kept is, when cases are put aside by a signal.");
  if (std::any_of(region.segmentations.begin(), region.segmentations.end(), has_expected_dice)) {
    section +=
        figure(expected_dice_svg(region),
               "Expected Dice, with a line down to what it is at least, against the Dice that "
               "there is. Right of the diagonal a segmentation is better than expected.");
  }
  return section + "</div>\n";
}

}  // namespace mcvol
