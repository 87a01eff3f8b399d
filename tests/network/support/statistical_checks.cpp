#include "network/support/statistical_checks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <sstream>

#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

namespace mcvol::testing {
namespace {

constexpr double kSmallestExpectation = 1000.0;

double total(const PairCounts& pairs) {
  return pairs[0][0] + pairs[0][1] + pairs[1][0] + pairs[1][1];
}

std::vector<double> flat(const PairCounts& pairs) {
  return {pairs[0][0], pairs[0][1], pairs[1][0], pairs[1][1]};
}

}  // namespace

std::vector<std::string> Comparisons::rejected() const {
  const double level = false_alarm_rate_ / static_cast<double>(results_.size());
  std::vector<std::string> names;
  for (const Result& result : results_) {
    if (result.p_value >= level) continue;  // a NaN is rejected
    std::ostringstream text;
    text << result.name << ": p = " << result.p_value << ", expected at least " << level;
    names.push_back(text.str());
  }
  return names;
}

double p_of_z(double z) { return std::erfc(std::abs(z) / std::numbers::sqrt2); }

double p_of_chi_square(double statistic, double degrees_of_freedom) {
  return Eigen::numext::igammac(degrees_of_freedom / 2, statistic / 2);
}

double p_of_counts(std::span<const double> observed, std::span<const double> expected) {
  std::vector<std::array<double, 2>> cells;
  std::array<double, 2> cell{0.0, 0.0};
  for (std::size_t i = 0; i < observed.size(); ++i) {
    cell = {cell[0] + observed[i], cell[1] + expected[i]};
    if (cell[1] < kSmallestExpectation) continue;
    cells.push_back(cell);
    cell = {0.0, 0.0};
  }
  if (cells.size() < 2) return std::nan("");
  cells.back() = {cells.back()[0] + cell[0], cells.back()[1] + cell[1]};
  double statistic = 0.0;
  for (const auto& [count, expectation] : cells) {
    statistic += (count - expectation) * (count - expectation) / expectation;
  }
  return p_of_chi_square(statistic, static_cast<double>(cells.size() - 1));
}

double p_of_largest_gap(std::vector<std::uint32_t> words) {
  std::sort(words.begin(), words.end());
  const auto count = static_cast<double>(words.size());
  double gap = 0.0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const double uniform = (words[i] + 0.5) / 4294967296.0;
    const auto below = static_cast<double>(i);
    gap = std::max({gap, uniform - below / count, (below + 1) / count - uniform});
  }
  return std::min(1.0, 2.0 * std::exp(-2.0 * count * gap * gap));
}

Bits keep_bits(std::span<const std::uint32_t> words, std::uint64_t threshold) {
  Bits bits(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) bits[i] = words[i] >= threshold ? 1 : 0;
  return bits;
}

double p_of_kept(double kept, double count, double rate) {
  return p_of_z((kept - count * (1.0 - rate)) / std::sqrt(count * rate * (1.0 - rate)));
}

PairCounts count_pairs(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
  std::size_t both = 0, ones_first = 0, ones_second = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    both += first[i] & second[i];
    ones_first += first[i];
    ones_second += second[i];
  }
  const auto n11 = static_cast<double>(both);
  const double n10 = static_cast<double>(ones_first) - n11;
  const double n01 = static_cast<double>(ones_second) - n11;
  return {{{static_cast<double>(first.size()) - n11 - n10 - n01, n01}, {n10, n11}}};
}

PairCounts count_pairs_at_lag(std::span<const std::uint8_t> bits, std::size_t lag,
                              std::size_t block) {
  PairCounts pairs{};
  for (std::size_t start = 0; start + block <= bits.size(); start += block) {
    // lag bits, and the lag bits behind them as their partners
    for (std::size_t i = 0; i + lag < block; i += (i + 1) % lag == 0 ? lag + 1 : 1) {
      pairs[bits[start + i]][bits[start + i + lag]] += 1.0;
    }
  }
  return pairs;
}

double p_of_correlation(const PairCounts& pairs, double rate) {
  const double keep = 1.0 - rate;
  const double sum = pairs[1][1] * rate * rate - (pairs[0][1] + pairs[1][0]) * rate * keep +
                     pairs[0][0] * keep * keep;
  return p_of_z(sum / (rate * keep * std::sqrt(total(pairs))));
}

double p_of_table(const PairCounts& pairs, double rate) {
  const double count = total(pairs);
  const double keep = 1.0 - rate;
  const std::array<double, 4> expected{count * rate * rate, count * rate * keep,
                                       count * keep * rate, count * keep * keep};
  return p_of_counts(flat(pairs), expected);
}

// A change between neighbours has probability 2 pq, two in a row pq: their covariance is
// pq (1 - 4 pq).
double p_of_runs(std::span<const std::uint8_t> bits, double rate) {
  std::size_t changes = 0;
  for (std::size_t i = 1; i < bits.size(); ++i) changes += bits[i] != bits[i - 1] ? 1 : 0;
  const auto count = static_cast<double>(bits.size());
  const double pq = rate * (1.0 - rate);
  const double variance = (count - 1) * 2 * pq * (1 - 2 * pq) + 2 * (count - 2) * pq * (1 - 4 * pq);
  return p_of_z((static_cast<double>(changes) - (count - 1) * 2 * pq) / std::sqrt(variance));
}

double p_of_patterns(std::span<const std::uint8_t> bits, double rate, std::size_t first) {
  std::array<double, 16> observed{}, expected{};
  double count = 0.0;
  for (std::size_t i = first; i + 4 <= bits.size(); i += 4) {
    observed[bits[i] | bits[i + 1] << 1 | bits[i + 2] << 2 | bits[i + 3] << 3] += 1.0;
    count += 1.0;
  }
  for (std::size_t pattern = 0; pattern < expected.size(); ++pattern) {
    const int kept = std::popcount(pattern);
    expected[pattern] = count * std::pow(1.0 - rate, kept) * std::pow(rate, 4 - kept);
  }
  return p_of_counts(observed, expected);
}

}  // namespace mcvol::testing
