#include "mcvol/volumetry/monte_carlo_error.h"

#include "mcvol/error/error.h"

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

double jackknife_error(const std::vector<double>& left_out) {
  const auto count = static_cast<double>(left_out.size());
  const double mean = std::accumulate(left_out.begin(), left_out.end(), 0.0) / count;
  double sum = 0;
  for (const double value : left_out) sum += (value - mean) * (value - mean);
  return std::sqrt((count - 1) / count * sum);
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
  return MonteCarloError{
      jackknife_error(quantiles_without_a_round(volumes, (1 - level) / 2, rounds)),
      jackknife_error(quantiles_without_a_round(volumes, (1 + level) / 2, rounds))};
}

}  // namespace mcvol
