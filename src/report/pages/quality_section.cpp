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

std::string with_range(double value, const Range& range) {
  return decimal_text(value, 3) + " [" + decimal_text(range.lower, 3) + ", " +
         decimal_text(range.upper, 3) + "]";
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
  std::string section = "<h3>Are bad segmentations found?</h3>\n<p>";
  section += first.auroc ? std::to_string(first.auroc->bad) + " of " + std::to_string(first.n)
                         : "All or none of " + std::to_string(first.n);
  section += is_dice ? " segmentations have a Dice below 0.7.</p>\n"
                     : " volumes are off by more than 25 %.</p>\n";
  section += signals_table(region, first.outcome);
  section +=
      "<p class=\"soft\">AUROC: how often a bad one looks worse than a good one (DeLong 1988). "
      "AURC: "
      "mean risk of the cases kept, over all shares of them; smaller is better.</p>\n";
  return section + "<figure>\n" +
         risk_coverage_svg(region, first.outcome, is_dice ? "mean of 1 - Dice" : "mean error") +
         "<figcaption>How bad what is kept is, when cases are put aside by a signal." +
         "</figcaption>\n</figure>\n";
}

}  // namespace mcvol
