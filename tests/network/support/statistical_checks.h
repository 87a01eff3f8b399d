#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Checks of random numbers for tests. Each gives a p-value: the probability with which a correct
// generator looks at least as wrong.

namespace mcvol::testing {

/// The comparisons of one test, held together (Bonferroni) to one false-alarm rate: the probability
/// with which a correct generator, given a random seed, has any of them rejected.
class Comparisons {
 public:
  explicit Comparisons(double false_alarm_rate) : false_alarm_rate_(false_alarm_rate) {}

  void add(std::string name, double p_value) { results_.push_back({std::move(name), p_value}); }
  /// Names and p-values of those below the rate divided by the number of comparisons.
  std::vector<std::string> rejected() const;
  std::size_t size() const { return results_.size(); }

 private:
  struct Result {
    std::string name;
    double p_value;
  };
  double false_alarm_rate_;
  std::vector<Result> results_;
};

/// The rate of all tests here: small enough for a suite that is run every day.
inline constexpr double kFalseAlarmRate = 1e-6;
/// What rejected() says of a correct generator.
inline const std::vector<std::string> kNoneRejected;

/// Two-sided, standard normal.
double p_of_z(double z);
double p_of_chi_square(double statistic, double degrees_of_freedom);

/// Pearson's chi-square of counts against their expectations, which have the same sum. Neighbouring
/// cells are pooled to an expectation of 1,000: with fewer, the tail far out is not chi-square's.
double p_of_counts(std::span<const double> observed, std::span<const double> expected);

/// Kolmogorov and Smirnov's largest gap between the words and the uniform distribution on
/// [0, 2^32), by Massart's bound 2 exp(-2 n gap^2), which holds for every n (Ann. Probab. 1990).
double p_of_largest_gap(std::vector<std::uint32_t> words);

/// Keep bits, 1 or 0 each; `rate` is the probability of 0.
using Bits = std::vector<std::uint8_t>;

Bits keep_bits(std::span<const std::uint32_t> words, std::uint64_t threshold);

/// Binomial z of `kept` among `count`.
double p_of_kept(double kept, double count, double rate);

/// Pairs of bits: counts[a][b].
using PairCounts = std::array<std::array<double, 2>, 2>;
PairCounts count_pairs(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second);
/// All pairs (i, i + lag) of `bits` that share no bit, within blocks of `block` bits.
PairCounts count_pairs_at_lag(std::span<const std::uint8_t> bits, std::size_t lag,
                              std::size_t block);
/// Correlation around the known mean, times the root of the number of pairs, as z.
double p_of_correlation(const PairCounts& pairs, double rate);
/// The 2x2 table against the products of the known probabilities: 3 degrees of freedom.
double p_of_table(const PairCounts& pairs, double rate);

/// Number of runs along the bits (Wald and Wolfowitz's statistic with the known rate), as z.
double p_of_runs(std::span<const std::uint8_t> bits, double rate);
/// Serial test: four bits after each other, from `first` on, against the 16 products.
double p_of_patterns(std::span<const std::uint8_t> bits, double rate, std::size_t first);

}  // namespace mcvol::testing
