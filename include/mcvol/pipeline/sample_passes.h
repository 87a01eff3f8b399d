#pragma once

#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/histogram_sink.h"
#include "mcvol/pipeline/predict_options.h"
#include "mcvol/timing/stage_timings.h"
#include "mcvol/volumetry/monte_carlo_error.h"

#include <optional>
#include <vector>

namespace mcvol {

/// The level of the level-set interval whose Monte Carlo error is recorded and decides on the
/// number of passes, whatever the levels of the table.
inline constexpr double kMonteCarloErrorLevel = 0.9;
/// An error up to this is small enough however narrow the interval is.
inline constexpr double kSmallestTolerance_ml = 0.01;
/// Rounds before the first look: each of the interval's tails is a twentieth, one round of as many.
inline constexpr int kFirstRounds = 20;
/// From as many on, a scan that is not settled is left so.
inline constexpr int kEnoughPasses = 320;
// These, and monte_carlo_error(), are what `auto` means: with others the passes of a run and those
// of its calibration differ. From a first release on, a change of them has to change the run
// identity.

/// How many passes a scan gets.
struct PassSchedule {
  /// Passes at which it is looked at whether they are enough, ascending; one number where they are
  /// fixed, and at most the last.
  std::vector<int> passes;
  std::optional<double> tolerance;  ///< none: fixed
};

/// What was asked for: PredictOptions::passes, or with a tolerance kFirstRounds of the ensemble's
/// networks, doubled until they are kEnoughPasses: 20, 40, 80, 160 and 320 of one network.
PassSchedule pass_schedule(const PredictOptions& options, int round);

/// Whether both bounds of an interval of this width are known to `tolerance` times the width, or to
/// kSmallestTolerance_ml.
bool is_settled(const std::optional<MonteCarloError>& error, double width_ml, double tolerance);

struct SampledPasses {
  int passes = 0;
  bool settled = true;  ///< false where a region did not reach the tolerance
  /// Per region, of the level-set interval at kMonteCarloErrorLevel; none of a single round.
  std::vector<std::optional<MonteCarloError>> errors;
};

/// Runs the passes of one scan, with those without dropout: until every region is settled.
/// @param sink made for the first number of the schedule.
/// @param progress gets the share of the most passes that may be needed: it never goes back.
/// @param timings gets the time of `prefix`, `suffix` and `accumulate` added.
/// @returns none when `progress` asked to stop. @throws what Segmenter::run and
///   HistogramSink::passes do.
std::optional<SampledPasses> sample_passes(Segmenter& segmenter, const PreparedScan& scan,
                                           const PassSchedule& schedule, std::uint64_t seed,
                                           HistogramSink& sink, const WindowProgress& progress,
                                           StageTimings& timings);

}  // namespace mcvol
