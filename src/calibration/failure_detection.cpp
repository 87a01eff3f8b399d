#include "mcvol/calibration/failure_detection.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace mcvol {

namespace {

constexpr double kNormal95 = 1.959963984540054;

void require_equal(std::size_t a, std::size_t b) {
  if (a == b && a > 0) return;
  throw Error("detection of failures: expected as many numbers of each kind, at least one");
}

/// How far each lies among those of the other kind: the share of these that it is larger than (of
/// the bad), or that are larger (of the good), ties by half. Their means are the area, their
/// variances that of the area.
struct Placements {
  std::vector<double> of_bad, of_good;

  Placements(std::span<const double> suspicion, const std::vector<bool>& bad) {
    std::vector<double> bad_ones, good_ones;
    for (std::size_t n = 0; n < bad.size(); ++n) {
      (bad[n] ? bad_ones : good_ones).push_back(suspicion[n]);
    }
    for (std::size_t n = 0; n < bad.size(); ++n) {
      if (bad[n]) of_bad.push_back(share_below(suspicion[n], good_ones));
      if (!bad[n]) of_good.push_back(1 - share_below(suspicion[n], bad_ones));
    }
  }

  double area() const { return mean(of_bad); }

 private:
  static double share_below(double number, const std::vector<double>& others) {
    double below = 0;
    for (const double other : others) below += other < number ? 1.0 : other == number ? 0.5 : 0.0;
    return below / static_cast<double>(others.size());
  }

  static double mean(const std::vector<double>& numbers) {
    return std::accumulate(numbers.begin(), numbers.end(), 0.0) /
           static_cast<double>(numbers.size());
  }
};

/// Of the mean of these.
double variance_of_mean(const std::vector<double>& numbers) {
  const auto count = static_cast<double>(numbers.size());
  if (numbers.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  double squares = 0;
  for (const double number : numbers) squares += (number - mean) * (number - mean);
  return squares / (count - 1) / count;
}

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> made(a.size());
  std::transform(a.begin(), a.end(), b.begin(), made.begin(), std::minus<>());
  return made;
}

Range around(double centre, double variance, double least, double most) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (!(variance > 0)) return {kNone, kNone};
  const double half = kNormal95 * std::sqrt(variance);
  return {std::max(least, centre - half), std::min(most, centre + half)};
}

/// Numbers of those of equal suspicion together, ascending.
std::vector<std::vector<std::size_t>> ties_of(std::span<const double> suspicion) {
  std::vector<std::size_t> order(suspicion.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return suspicion[a] < suspicion[b]; });
  std::vector<std::vector<std::size_t>> ties;
  for (const std::size_t n : order) {
    if (ties.empty() || suspicion[ties.back().front()] < suspicion[n]) ties.emplace_back();
    ties.back().push_back(n);
  }
  return ties;
}

}  // namespace

Auroc auroc_of(std::span<const double> suspicion, std::span<const double> other,
               const std::vector<bool>& bad) {
  require_equal(suspicion.size(), bad.size());
  require_equal(other.size(), bad.size());
  Auroc auroc;
  const auto count = std::count(bad.begin(), bad.end(), true);
  if (count == 0 || count == std::ssize(bad)) {
    throw Error("detection of failures: expected bad ones and good ones");
  }
  const Placements of(suspicion, bad), of_other(other, bad);
  auroc.area = of.area();
  auroc.range =
      around(auroc.area, variance_of_mean(of.of_bad) + variance_of_mean(of.of_good), 0, 1);
  auroc.difference = auroc.area - of_other.area();
  auroc.difference_range = around(auroc.difference,
                                  variance_of_mean(differences(of.of_bad, of_other.of_bad)) +
                                      variance_of_mean(differences(of.of_good, of_other.of_good)),
                                  -1, 1);
  return auroc;
}

std::vector<RiskAtCoverage> risk_coverage(std::span<const double> suspicion,
                                          std::span<const double> risks) {
  require_equal(suspicion.size(), risks.size());
  std::vector<RiskAtCoverage> curve;
  double sum = 0, kept = 0;
  for (const std::vector<std::size_t>& tie : ties_of(suspicion)) {
    for (const std::size_t n : tie) sum += risks[n];
    kept += static_cast<double>(tie.size());
    curve.push_back({kept / static_cast<double>(risks.size()), sum / kept});
  }
  return curve;
}

double risk_coverage_area(std::span<const double> suspicion, std::span<const double> risks) {
  require_equal(suspicion.size(), risks.size());
  double area = 0, sum = 0, kept = 0;
  for (const std::vector<std::size_t>& tie : ties_of(suspicion)) {
    double of_tie = 0;
    for (const std::size_t n : tie) of_tie += risks[n];
    const double each = of_tie / static_cast<double>(tie.size());
    for (std::size_t n = 0; n < tie.size(); ++n) {
      sum += each;
      kept += 1;
      area += sum / kept;
    }
  }
  return area / static_cast<double>(risks.size());
}

}  // namespace mcvol
