#include "evaluation_figures.h"

#include "mcvol/calibration/region_calibration.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "report/figures/plot.h"
#include "report/html/html.h"

namespace mcvol {

namespace {

constexpr int kPitBins = 10;
constexpr double kCentral95 = 1.96;  // standard deviations

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

const EvaluatedMethod* find(const EvaluatedRegion& region, IntervalMethod method) {
  for (const EvaluatedMethod& one : region.methods) {
    if (one.method == method) return &one;
  }
  return nullptr;
}

/// Raw distributions, where they are not what the page is about.
const EvaluatedMethod* raw_beside(const EvaluatedRegion& region) {
  const EvaluatedMethod* raw = find(region, IntervalMethod::kLevelSets);
  return raw == &region.methods.front() ? nullptr : raw;
}

/// Cases by the number of references in their stratum; 0 without a calibration.
std::map<std::int64_t, int> cases_by_references(const EvaluatedMethod& method) {
  std::map<std::int64_t, int> counts;
  for (const EvaluatedScan& scan : method.scans) ++counts[scan.scored.references];
  return counts;
}

/// Variance of how many of `cases` fall where a share `p` does on average: beta-binomial, for one
/// calibration of n references has a share of its own; binomial without (n = 0).
double variance_of_count(double cases, double p, std::int64_t n) {
  const double binomial = cases * p * (1 - p);
  if (n == 0) return binomial;
  const auto references = static_cast<double>(n);
  return binomial * (references + 1 + cases) / (references + 2);
}

struct Share {
  double level = 0;
  double share = 0;     ///< of intervals that hold
  double expected = 0;  ///< if they are right
  double half = 0;      ///< of the band around that
};

/// Whether the interval of a case at a level holds: by the rank of its reference, as it would be
/// cut.
bool holds(const ScoredInterval& scored, const std::optional<ScoreCut>& cut, double level) {
  if (!cut) return std::abs(scored.pit - 0.5) <= level / 2;
  const double position = scored.pit * static_cast<double>(scored.references + 1);  // rank - 1/2
  return cut->lower <= position && position <= cut->upper;
}

/// None where the references of some stratum do not reach the level.
std::optional<Share> share_at(const EvaluatedMethod& method, const NominalCoverage& level) {
  Share at{level.value};
  const auto total = static_cast<double>(method.scans.size());
  double variance = 0;
  std::map<std::int64_t, std::optional<ScoreCut>> cuts;
  for (const auto& [n, cases] : cases_by_references(method)) {
    double promised = level.value;
    if (n > 0) {
      cuts[n] = cut_of(method.method, n, level);
      if (!cuts[n]) return std::nullopt;
      promised = promised_coverage(method.method, n, level).value();
    }
    at.expected += promised * cases / total;
    variance += variance_of_count(cases, promised, n);
  }
  for (const EvaluatedScan& scan : method.scans) {
    at.share += holds(scan.scored, cuts[scan.scored.references], level.value) ? 1 / total : 0;
  }
  at.half = kCentral95 * std::sqrt(variance) / total;
  return at;
}

std::vector<Share> shares_of(const EvaluatedMethod& method) {
  std::vector<Share> shares;
  for (int n = 1; n < 20; ++n) {
    const auto share = share_at(method, NominalCoverage::parse(decimal_text(n * 0.05, 2)));
    if (share) shares.push_back(*share);
  }
  return shares;
}

std::array<int, kPitBins> pit_counts(const EvaluatedMethod& method) {
  std::array<int, kPitBins> counts{};
  for (const EvaluatedScan& scan : method.scans) {
    const int bin = static_cast<int>(scan.scored.pit * kPitBins);
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0, kPitBins - 1))];
  }
  return counts;
}

PlotAxis count_axis(double most) {
  PlotAxis axis;
  axis.label = "cases";
  axis.most = std::max(most * 1.1, 1.0);
  const double step = most > 100 ? 50 : most > 40 ? 20 : most > 16 ? 5 : 2;
  for (double tick = 0; tick <= axis.most; tick += step) axis.ticks.push_back(tick);
  axis.tick_text = shortest_text;
  return axis;
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

}  // namespace

std::string reliability_svg(const EvaluatedRegion& region) {
  const EvaluatedMethod& own = region.methods.front();
  Plot plot(spaced(region.region) + ": share of intervals that hold, by level",
            PlotAxis::fraction("level"), PlotAxis::fraction("share of intervals that hold"));
  const std::vector<Share> shares = shares_of(own);
  std::vector<std::pair<double, double>> band;
  for (const Share& at : shares) band.emplace_back(at.level, std::min(at.expected + at.half, 1.0));
  for (auto at = shares.rbegin(); at != shares.rend(); ++at) {
    band.emplace_back(at->level, std::max(at->expected - at->half, 0.0));
  }
  plot.polygon(band, "class=\"band\"");
  plot.line(0, 0, 1, 1, "class=\"mark\" stroke-width=\"1\"");
  if (const EvaluatedMethod* raw = raw_beside(region)) {
    std::vector<std::pair<double, double>> points;
    for (const Share& at : shares_of(*raw)) points.emplace_back(at.level, at.share);
    plot.polyline(points, "class=\"raw\" stroke-width=\"2\" stroke-dasharray=\"5 3\"");
    plot.note("dashed: before calibration");
  }
  for (const Share& at : shares) {
    plot.circle(at.level, at.share, 3.5, "class=\"bar\"",
                "level " + decimal_text(at.level, 2) + ": " + percent_of(at.share) + " %");
  }
  plot.note("dots: " + spaced(to_string(own.method)));
  return plot.svg();
}

std::string pit_svg(const EvaluatedRegion& region) {
  const EvaluatedMethod& own = region.methods.front();
  const EvaluatedMethod* raw = raw_beside(region);
  const auto counts = pit_counts(own);
  const auto raw_counts = raw == nullptr ? std::array<int, kPitBins>{} : pit_counts(*raw);
  const double expected = static_cast<double>(own.scans.size()) / kPitBins;
  double variance = 0;
  for (const auto& [n, cases] : cases_by_references(own)) {
    variance += variance_of_count(cases, 1.0 / kPitBins, n);
  }
  const double spread = kCentral95 * std::sqrt(variance);
  double most = expected + spread;
  for (const int count : counts) most = std::max<double>(most, count);
  for (const int count : raw_counts) most = std::max<double>(most, count);
  Plot plot(spaced(region.region) + ": where the reference lies in the predicted distribution",
            PlotAxis::fraction("place of the reference in the distribution (PIT)"),
            count_axis(most));
  plot.box(0, std::max(expected - spread, 0.0), 1, expected + spread, "class=\"band\"");
  for (std::size_t bin = 0; bin < kPitBins; ++bin) {
    const double left = rounded(static_cast<double>(bin) / kPitBins);
    plot.box(left + 0.012, 0, left + 0.088, counts[bin], "class=\"bar\" fill-opacity=\"0.85\"");
    if (raw == nullptr) continue;
    plot.line(left + 0.002, raw_counts[bin], left + 0.098, raw_counts[bin],
              "class=\"mark\" stroke-width=\"2\" stroke-dasharray=\"5 2\"");
  }
  plot.note("bars: " + spaced(to_string(own.method)) +
            (raw == nullptr ? "" : "; dashed: before calibration"));
  return plot.svg();
}

std::string against_reference_svg(const EvaluatedRegion& region) {
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

std::string width_svg(const EvaluatedRegion& region) {
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

}  // namespace mcvol
