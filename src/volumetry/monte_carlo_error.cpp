#include "mcvol/volumetry/monte_carlo_error.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace mcvol {
namespace {

/// Quantiles of the mixtures that leave out one round each.
///
/// All lie where the whole mixture's distribution function is between p (R - 1) / R and
/// (p (R - 1) + 1) / R. There it is linear enough between so many points: their errors are a
/// hundredth of a standard error, and the work grows with the passes, not with their square.
std::vector<double> quantiles_without_a_round(const VolumeDistribution& volumes, double probability,
                                              std::size_t rounds) {
  constexpr int kSteps = 64;
  const auto count = static_cast<double>(rounds);
  const double low = volumes.quantile(probability * (count - 1) / count);
  const double high = volumes.quantile((probability * (count - 1) + 1) / count);
  std::vector<double> quantiles(rounds, high), before(rounds, 0.0);
  std::vector<bool> found(rounds, false);
  for (int step = 0; step <= kSteps; ++step) {
    const double volume_ml = low + (high - low) * step / kSteps;
    const std::vector<double> cdfs = volumes.pass_cdfs(volume_ml);
    const std::size_t per_round = cdfs.size() / rounds;
    const double all = std::accumulate(cdfs.begin(), cdfs.end(), 0.0);
    for (std::size_t round = 0; round < rounds; ++round) {
      if (found[round]) continue;
      const auto first = cdfs.begin() + static_cast<std::ptrdiff_t>(round * per_round);
      const double own =
          std::accumulate(first, first + static_cast<std::ptrdiff_t>(per_round), 0.0);
      const double excess =
          (all - own) / static_cast<double>(cdfs.size() - per_round) - probability;
      if (excess >= 0) {
        found[round] = true;
        const double back = step == 0 ? 0.0 : excess / (excess - before[round]);
        quantiles[round] = volume_ml - back * (high - low) / kSteps;
      }
      before[round] = excess;
    }
  }
  return quantiles;
}

/// Sum of squared deviations from the mean.
double deviations_of(const std::vector<double>& values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

double jackknife_error(const VolumeDistribution& volumes, double probability, std::size_t rounds) {
  const auto count = static_cast<double>(rounds);
  return std::sqrt((count - 1) / count *
                   deviations_of(quantiles_without_a_round(volumes, probability, rounds)));
}

double woodruff_error(const VolumeDistribution& volumes, double probability, std::size_t rounds) {
  const std::vector<double> cdfs = volumes.pass_cdfs(volumes.quantile(probability));
  const std::size_t per_round = cdfs.size() / rounds;
  std::vector<double> of_rounds(rounds, 0.0);
  for (std::size_t pass = 0; pass < cdfs.size(); ++pass) {
    of_rounds[pass / per_round] += cdfs[pass] / static_cast<double>(per_round);
  }
  const auto count = static_cast<double>(rounds);
  const double distance = std::sqrt(deviations_of(of_rounds) / (count - 1) / count);
  constexpr double kLeastTail = 0.1;  // Further out a quantile is that of one pass.
  const double low = std::max(probability - distance, kLeastTail * probability);
  const double high = std::min(probability + distance, 1 - kLeastTail * (1 - probability));
  return (volumes.quantile(high) - volumes.quantile(low)) / 2;
}

double standard_error(const VolumeDistribution& volumes, double probability, std::size_t rounds) {
  return std::max(jackknife_error(volumes, probability, rounds),
                  woodruff_error(volumes, probability, rounds));
}

}  // namespace

std::optional<MonteCarloError> monte_carlo_error(const VolumeDistribution& volumes, double level,
                                                 int networks) {
  const int passes = volumes.pass_count();
  if (!(level > 0 && level < 1)) {
    throw Error("Monte Carlo error: expected a level in (0, 1), found " + std::to_string(level));
  }
  if (networks < 1 || passes % networks != 0) {
    throw Error("Monte Carlo error: expected a multiple of " + std::to_string(networks) +
                " passes, found " + std::to_string(passes));
  }
  const auto rounds = static_cast<std::size_t>(passes / networks);
  if (rounds < 2) return std::nullopt;
  return MonteCarloError{standard_error(volumes, (1 - level) / 2, rounds),
                         standard_error(volumes, (1 + level) / 2, rounds)};
}

}  // namespace mcvol
