#include "mcvol/report/evaluation_report.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/io/csv.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "html.h"
#include "plot.h"

namespace mcvol {

namespace {

constexpr int kPitBins = 10;

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

std::string percent_text(double share) { return decimal_text(100 * share, 1); }

/// Share of the scans whose truth lies in the central `level` of the distribution.
double central_share(const EvaluatedMethod& method, double level) {
  const auto held = std::count_if(
      method.scans.begin(), method.scans.end(),
      [&](const EvaluatedScan& scan) { return std::abs(scan.scored.pit - 0.5) <= level / 2; });
  return static_cast<double>(held) / static_cast<double>(method.scans.size());
}

std::vector<std::pair<double, double>> reliability_of(const EvaluatedMethod& method) {
  std::vector<std::pair<double, double>> points;
  for (int n = 1; n < 20; ++n) {
    const double level = rounded(n * 0.05);
    points.emplace_back(level, central_share(method, level));
  }
  return points;
}

/// Where the share of so many scans lies, 95 of 100 times, if the intervals are right: of one
/// calibration on n scans beta-binomial, else binomial.
std::vector<std::pair<double, double>> band_around_truth(std::size_t scans, std::int64_t n) {
  const auto trials = static_cast<double>(scans);
  std::vector<std::pair<double, double>> lower{{0, 0}}, upper{{0, 0}};
  for (int step = 1; step < 20; ++step) {
    const NominalCoverage level = NominalCoverage::parse(decimal_text(step * 0.05, 2));
    const std::int64_t rank = n > 0 ? tail_rank(n, level) : 0;
    // The normal approximation is what a band is for; exact intervals are in the table.
    const double half = 1.96 * std::sqrt(level.value * (1 - level.value) / trials);
    Range share{level.value - half, level.value + half};
    if (rank > 0) {
      const Range counts = covered_range(static_cast<std::int64_t>(scans), n, rank, 0.95);
      share = {counts.lower / trials, counts.upper / trials};
    }
    lower.emplace_back(level.value, std::max(share.lower, 0.0));
    upper.emplace_back(level.value, std::min(share.upper, 1.0));
  }
  lower.emplace_back(1, 1);
  lower.insert(lower.end(), upper.rbegin(), upper.rend());
  return lower;
}

/// References of a region's calibration; 0 where bands of another kind are right: without a
/// calibration, of several strata.
std::int64_t references_of(const EvaluationReport& report, const std::string& region) {
  if (!report.calibration || report.calibration->file.method == IntervalMethod::kQuantile) return 0;
  const auto& strata = report.calibration->file.region(region).strata;
  return strata.size() == 1 ? strata.front().n() : 0;
}

const EvaluatedMethod* find(const EvaluatedRegionReport& region, const std::string& method) {
  for (const EvaluatedMethod& one : region.methods) {
    if (one.method == method) return &one;
  }
  return nullptr;
}

std::string reliability(const EvaluatedRegionReport& region, std::int64_t references) {
  const EvaluatedMethod& own = region.methods.front();
  Plot plot(spaced(region.region) + ": share of intervals that hold, by level",
            PlotAxis::fraction("level"), PlotAxis::fraction("share of intervals that hold"));
  plot.polygon(band_around_truth(own.scans.size(), references), "class=\"band\"");
  plot.line(0, 0, 1, 1, "class=\"mark\" stroke-width=\"1\"");
  const EvaluatedMethod* raw = find(region, "level_sets");
  if (raw != nullptr && raw != &own) {
    plot.polyline(reliability_of(*raw),
                  "class=\"raw\" stroke-width=\"2\" stroke-dasharray=\"5 3\"");
    plot.note("dashed: before calibration");
  }
  for (const auto& [level, share] : reliability_of(own)) {
    plot.circle(level, share, 3.5, "class=\"bar\"",
                "level " + decimal_text(level, 2) + ": " + percent_text(share) + " %");
  }
  plot.note("dots: " + spaced(own.method));
  return plot.svg();
}

std::array<int, kPitBins> pit_counts(const EvaluatedMethod& method) {
  std::array<int, kPitBins> counts{};
  for (const EvaluatedScan& scan : method.scans) {
    const int bin = static_cast<int>(scan.scored.pit * kPitBins);
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0, kPitBins - 1))];
  }
  return counts;
}

std::string pit_histogram(const EvaluatedRegionReport& region) {
  const EvaluatedMethod& own = region.methods.front();
  const EvaluatedMethod* raw = find(region, "level_sets");
  const auto counts = pit_counts(own);
  const auto raw_counts = pit_counts(raw == nullptr ? own : *raw);
  const double expected = static_cast<double>(own.scans.size()) / kPitBins;
  const double spread = 1.96 * std::sqrt(expected * (1 - 1.0 / kPitBins));
  double most = expected + spread;
  for (const int count : counts) most = std::max<double>(most, count);
  for (const int count : raw_counts) most = std::max<double>(most, count);
  PlotAxis y;
  y.label = "scans";
  y.most = most * 1.1;
  const double step = most > 100 ? 50 : most > 40 ? 20 : most > 16 ? 5 : 2;
  for (double tick = 0; tick <= y.most; tick += step) y.ticks.push_back(tick);
  y.tick_text = shortest_text;
  Plot plot(spaced(region.region) + ": where the truth lies in the predicted distribution",
            PlotAxis::fraction("truth's place in the distribution (PIT)"), y);
  plot.box(0, expected - spread, 1, expected + spread, "class=\"band\"");
  for (int bin = 0; bin < kPitBins; ++bin) {
    const double left = rounded(bin * 0.1);
    plot.box(left + 0.012, 0, left + 0.088, counts[bin], "class=\"bar\" fill-opacity=\"0.85\"");
    plot.line(left + 0.002, raw_counts[bin], left + 0.098, raw_counts[bin],
              "class=\"mark\" stroke-width=\"2\" stroke-dasharray=\"5 2\"");
  }
  plot.note("bars: " + spaced(own.method) + "; dashed: before calibration");
  return plot.svg();
}

double largest_of(const EvaluatedMethod& method) {
  double most = 1;
  for (const EvaluatedScan& scan : method.scans) {
    most = std::max({most, scan.reference_ml, scan.scored.interval.upper_ml});
  }
  return most;
}

std::string tip_of(const EvaluatedScan& scan) {
  return scan.case_id + ": reference " + volume_text(scan.reference_ml) + " ml, " +
         volume_text(scan.scored.point_ml) + " [" + volume_text(scan.scored.interval.lower_ml) +
         ", " + volume_text(scan.scored.interval.upper_ml) + "]" +
         (scan.flagged ? ", flagged" : "");
}

std::string against_reference(const EvaluatedRegionReport& region) {
  const EvaluatedMethod& own = region.methods.front();
  const double most = largest_of(own);
  Plot plot(spaced(region.region) + ": predicted against reference volume",
            PlotAxis::volume("reference, ml", most), PlotAxis::volume("predicted, ml", most));
  plot.line(0, 0, most, most, "class=\"mark\"");
  for (const EvaluatedScan& scan : own.scans) {
    plot.line(scan.reference_ml, scan.scored.interval.lower_ml, scan.reference_ml,
              scan.scored.interval.upper_ml,
              scan.scored.covered ? "stroke=\"#1f5a96\" stroke-opacity=\"0.6\""
                                  : "stroke=\"#1a1a1a\" stroke-width=\"2\"");
  }
  for (const EvaluatedScan& scan : own.scans) {
    plot.circle(scan.reference_ml, scan.scored.point_ml, scan.scored.covered ? 2.2 : 4,
                scan.scored.covered ? "class=\"bar\"" : "class=\"point\"", tip_of(scan));
  }
  plot.note("rings, heavy bars: the interval misses the reference");
  return plot.svg();
}

std::string width_against_volume(const EvaluatedRegionReport& region) {
  const EvaluatedMethod& own = region.methods.front();
  double widest = 1;
  for (const EvaluatedScan& scan : own.scans) widest = std::max(widest, scan.scored.width_ml);
  Plot plot(spaced(region.region) + ": width of the interval against reference volume",
            PlotAxis::volume("reference, ml", largest_of(own)),
            PlotAxis::volume("width of the interval, ml", widest));
  for (const EvaluatedScan& scan : own.scans) {
    plot.circle(scan.reference_ml, scan.scored.width_ml, scan.scored.covered ? 2.2 : 4,
                scan.scored.covered ? "class=\"bar\"" : "class=\"point\"", tip_of(scan));
  }
  plot.note("rings: the interval misses the reference");
  return plot.svg();
}

std::string methods_table(const EvaluatedRegionReport& region) {
  std::vector<std::vector<std::string>> cells;
  for (const EvaluatedMethod& method : region.methods) {
    const CoverageSummary& of = method.summary;
    std::string ratio = "–";
    if (method.ratio) {
      ratio = decimal_text(method.ratio->ratio, 2) + " [" +
              decimal_text(method.ratio->range.lower, 2) + ", " +
              decimal_text(method.ratio->range.upper, 2) + "]";
    }
    cells.push_back({escaped(spaced(method.method)),
                     std::to_string(of.covered) + " of " + std::to_string(of.n),
                     percent_text(of.coverage) + " % [" + percent_text(of.coverage_range.lower) +
                         ", " + percent_text(of.coverage_range.upper) + "]",
                     volume_text(of.mean_width_ml), volume_text(of.interval_score_ml),
                     decimal_text(of.interval_score_root, 3), ratio});
  }
  return html_table({"method", "held", "coverage [95 %]", "mean width, ml", "interval score, ml",
                     "ml<sup>1/3</sup>", "the first over this one [95 %]"},
                    cells);
}

std::string of_region(const EvaluatedRegionReport& region, const EvaluationReport& report) {
  const auto figure = [](const std::string& picture, const std::string& caption) {
    return "<figure>\n" + picture + "<figcaption>" + caption + "</figcaption>\n</figure>\n";
  };
  std::string section = "<h2>" + escaped(spaced(region.region)) + "</h2>\n";
  section += methods_table(region);
  section +=
      "<p class=\"soft\">Level " + escaped(report.level.text) +
      ". The interval score (Winkler 1972) is the width plus, for a miss, 2 / (1 - level) times "
      "how "
      "far it misses; smaller is better. Its ratio is of V<sup>1/3</sup>, below 1 in favour of the "
      "first method.</p>\n<div class=\"pair\">\n";
  section += figure(reliability(region, references_of(report, region.region)),
                    "How often intervals hold, at every level. Shaded: where 95 of 100 such "
                    "calibrations and as many scans lie if the intervals are right.");
  section += figure(pit_histogram(region),
                    "Level where calibrated; shaded: 95 % of what chance "
                    "gives a bar. High at the left: predicted too large.");
  section += figure(against_reference(region),
                    "Predicted median and interval against the "
                    "reference. Both axes are even in the cube root.");
  section += figure(width_against_volume(region), "Width of each interval.");
  return section + "</div>\n";
}

std::string heading(const EvaluationReport& report) {
  const EvaluatedMethod& own = report.regions.front().methods.front();
  std::string text = "<h1>Do the intervals hold?</h1>\n<p class=\"soft\">" +
                     std::to_string(own.scans.size()) + " scans of known volume, " +
                     escaped(report.run.model.value("name", "")) + ", level " +
                     escaped(report.level.text) + ", " + escaped(report.program) + ".</p>\n<p>";
  for (const EvaluatedRegionReport& region : report.regions) {
    const CoverageSummary& of = region.methods.front().summary;
    text += "<strong>" + escaped(spaced(region.region)) +
            "</strong>: " + std::to_string(of.covered) + " of " + std::to_string(of.n) +
            " intervals hold, " + percent_text(of.coverage) + " % [" +
            percent_text(of.coverage_range.lower) + ", " + percent_text(of.coverage_range.upper) +
            "].<br>\n";
  }
  text += "</p>\n";
  if (!report.calibration) {
    return text + "<p>There is no calibration: these are the raw intervals.</p>\n";
  }
  const auto& stratum = report.calibration->file.regions.front().strata.front();
  const std::int64_t rank = tail_rank(stratum.n(), report.level);
  if (rank > 0 && report.calibration->file.method != IntervalMethod::kQuantile) {
    const Range range = coverage_range(stratum.n(), rank, 0.9);
    text += "<p>Calibrated on " + std::to_string(stratum.n()) + " scans" +
            (report.calibration->file.simulated ? ", which were simulated" : "") +
            ": on average over such calibrations " +
            percent_text(expected_coverage(stratum.n(), rank)) +
            " % hold; of 10 calibrations 9 "
            "hold between " +
            percent_text(range.lower) + " and " + percent_text(range.upper) + " %.</p>\n";
  }
  return text;
}

}  // namespace

std::string evaluation_report_html(const EvaluationReport& report) {
  std::string body = heading(report);
  for (const EvaluatedRegionReport& region : report.regions) {
    body += of_region(region, report);
  }
  return html_page("Do the intervals hold?", body);
}

}  // namespace mcvol
