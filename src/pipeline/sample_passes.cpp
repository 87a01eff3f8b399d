#include "mcvol/pipeline/sample_passes.h"

#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>

namespace mcvol {

namespace {

/// The Monte Carlo errors of all regions, and whether each is small enough.
void look_at(const HistogramSink& sink, double voxel_volume_ml, int round,
             const std::optional<double>& tolerance, SampledPasses& sampled) {
  sampled.settled = true;
  sampled.errors.clear();
  for (std::size_t region = 0; region < sink.region_count(); ++region) {
    const VolumeDistribution volumes(sink.passes(region), voxel_volume_ml, {});
    sampled.errors.push_back(monte_carlo_error(volumes, kMonteCarloErrorLevel, round));
    if (!tolerance) continue;
    const double width_ml = volumes.quantile((1 + kMonteCarloErrorLevel) / 2) -
                            volumes.quantile((1 - kMonteCarloErrorLevel) / 2);
    if (!is_settled(sampled.errors.back(), width_ml, *tolerance)) sampled.settled = false;
  }
}

}  // namespace

PassSchedule pass_schedule(const PredictOptions& options, int round) {
  if (!options.mc_tolerance) return {{options.passes}, std::nullopt};
  PassSchedule schedule{{kFirstRounds * round}, options.mc_tolerance};
  while (schedule.passes.back() < kEnoughPasses) {
    schedule.passes.push_back(2 * schedule.passes.back());
  }
  return schedule;
}

bool is_settled(const std::optional<MonteCarloError>& error, double width_ml, double tolerance) {
  if (!error) return false;
  const double largest_ml = std::max(tolerance * width_ml, kSmallestTolerance_ml);
  return error->lower_ml <= largest_ml && error->upper_ml <= largest_ml;
}

std::optional<SampledPasses> sample_passes(Segmenter& segmenter, const PreparedScan& scan,
                                           const PassSchedule& schedule, std::uint64_t seed,
                                           HistogramSink& sink, const WindowProgress& progress,
                                           StageTimings& timings) {
  const int round = segmenter.summary().round();
  SampledPasses sampled;
  for (const int passes : schedule.passes) {
    const int before = sampled.passes;
    const PassRequest request{.passes = passes - before,
                              .seed = seed,
                              .without_dropout = before == 0,
                              .first_pass = before,
                              .continued = passes < schedule.passes.back()};
    if (before > 0) sink.extend(passes);
    const auto of_all = [&](double share) {
      return progress((before + share * (passes - before)) / schedule.passes.back());
    };
    if (!segmenter.run(scan, request, sink, of_all, timings)) return std::nullopt;
    sampled.passes = passes;
    const ScopedTimer timer(timings.accumulate_s);
    look_at(sink, scan.grid.voxel_volume_ml(), round, schedule.tolerance, sampled);
    if (sampled.settled) break;
  }
  return sampled;
}

}  // namespace mcvol
