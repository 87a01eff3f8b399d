#include "mcvol/calibration/conformal.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mcvol {

namespace {

/// Smallest and largest volume within `outer` that is kept: along V^(1/3) in steps, and for the
/// edge between two steps by bisection. None where nothing is.
template <typename Kept>
std::optional<PredictionInterval> hull_within(const PredictionInterval& outer, const Kept& kept) {
  constexpr int kSteps = 128;
  constexpr int kHalvings = 40;
  const double first = std::cbrt(outer.lower_ml);
  const double step = (std::cbrt(outer.upper_ml) - first) / kSteps;
  const auto volume_at = [](double root) { return root * root * root; };
  // From an end inwards: the end itself, else the edge before the first step that is kept.
  const auto edge = [&](double end_ml, double from, double by) {
    if (kept(end_ml)) return std::optional(end_ml);
    for (int j = 1; j < kSteps; ++j) {
      if (!kept(volume_at(from + j * by))) continue;
      double outside = from + (j - 1) * by;
      double inside = from + j * by;
      for (int halving = 0; halving < kHalvings; ++halving) {
        const double middle = (outside + inside) / 2;
        (kept(volume_at(middle)) ? inside : outside) = middle;
      }
      return std::optional(volume_at(inside));
    }
    return std::optional<double>();
  };
  const std::optional<double> lower = edge(outer.lower_ml, first, step);
  const std::optional<double> upper = edge(outer.upper_ml, first + kSteps * step, -step);
  if (!lower || !upper) return std::nullopt;
  return PredictionInterval{*lower, *upper};
}

PredictionInterval hull_of(const PredictionInterval& a, const PredictionInterval& b) {
  return {std::min(a.lower_ml, b.lower_ml), std::max(a.upper_ml, b.upper_ml)};
}

}  // namespace

std::optional<ScoreCut> conformal_cut(std::int64_t n, const NominalCoverage& level) {
  const std::int64_t k = tail_rank(n, level);
  if (k == 0) return std::nullopt;
  return ScoreCut{static_cast<double>(k), static_cast<double>(n + 1 - k)};
}

ScoreCut quantile_cut(std::int64_t n, const NominalCoverage& level) {
  const auto steps = static_cast<double>(n - 1);
  const auto denominator = static_cast<double>(2 * level.denominator);
  const auto tail = static_cast<double>(level.denominator - level.numerator) / denominator;
  return {1 + steps * tail, static_cast<double>(n) - steps * tail};
}

ConformalFit ConformalFit::fit(ScoreKind kind, std::span<const double> rhos,
                               std::span<const CandidateScores> scans) {
  std::vector<Candidate> candidates;
  for (std::size_t g = 0; g < rhos.size(); ++g) {
    Candidate candidate;
    candidate.rho = rhos[g];
    for (const CandidateScores& scan : scans) {
      candidate.loss_sum += std::min(scan.losses.at(g), kMostLoss);
      candidate.scores.push_back(scan.scores.at(g));
    }
    std::sort(candidate.scores.begin(), candidate.scores.end());
    candidates.push_back(std::move(candidate));
  }
  double least = candidates.empty() ? 0 : candidates.front().loss_sum;
  for (const Candidate& candidate : candidates) least = std::min(least, candidate.loss_sum);
  std::erase_if(candidates, [&](const Candidate& one) { return one.loss_sum > least + kMostLoss; });
  return {kind, std::move(candidates)};
}

ConformalFit::ConformalFit(ScoreKind kind, std::vector<Candidate> candidates)
    : kind_(kind), candidates_(std::move(candidates)) {
  if (candidates_.empty() || candidates_.front().scores.empty()) {
    throw Error("calibration: expected at least one case with a score");
  }
  for (const Candidate& candidate : candidates_) {
    const bool ascending = std::is_sorted(candidate.scores.begin(), candidate.scores.end());
    if (candidate.scores.size() != candidates_.front().scores.size() || !ascending) {
      throw Error("calibration: expected as many scores for each rho, ascending");
    }
  }
  for (std::size_t g = 1; g < candidates_.size(); ++g) {
    if (candidates_[g].loss_sum < candidates_[best_].loss_sum) best_ = g;
  }
}

double ConformalFit::score_at(std::size_t candidate, double position) const {
  const std::vector<double>& scores = candidates_[candidate].scores;
  const double held = std::clamp(position, 1.0, static_cast<double>(scores.size()));
  const auto below = static_cast<std::size_t>(held) - 1;
  const double fraction = held - std::floor(held);
  // Scores may be infinite, and their difference no number.
  if (fraction == 0 || scores[below] == scores[below + 1]) return scores[below];
  return scores[below] + fraction * (scores[below + 1] - scores[below]);
}

std::size_t ConformalFit::chosen(std::span<const double> losses) const {
  std::size_t chosen = 0;
  const auto total = [&](std::size_t g) {
    return candidates_[g].loss_sum + std::min(losses[g], kMostLoss);
  };
  for (std::size_t g = 1; g < candidates_.size(); ++g) {
    if (total(g) < total(chosen)) chosen = g;
  }
  return chosen;
}

bool ConformalFit::keeps(std::span<const double> losses, std::span<const double> scores,
                         ScoreCut cut) const {
  const std::size_t g = chosen(losses);
  return score_at(g, cut.lower) <= scores[g] && scores[g] <= score_at(g, cut.upper);
}

PredictionInterval ConformalFit::interval(std::span<const ConformityScore> scan,
                                          ScoreCut cut) const {
  // Of a candidate's own; found when it is first chosen, since most never are.
  std::vector<std::optional<PredictionInterval>> bounds(candidates_.size());
  const auto bounds_of = [&](std::size_t g) -> const PredictionInterval& {
    if (!bounds[g]) {
      // What is up to v0 counts as absent: an upper bound of 0 cannot tell it apart.
      bounds[g] = {scan[g].volume_ml(score_at(g, cut.lower)),
                   std::max(scan[g].volume_ml(score_at(g, cut.upper)), scan[g].least_ml())};
    }
    return *bounds[g];
  };
  if (candidates_.size() == 1) return bounds_of(0);
  std::vector<double> losses(candidates_.size());
  const auto chosen_for = [&](double volume_ml) {
    for (std::size_t g = 0; g < losses.size(); ++g) losses[g] = scan[g].crps(volume_ml);
    return chosen(losses);
  };
  // Who is chosen anywhere, from end to end of each candidate's distribution.
  PredictionInterval outer = bounds_of(best_);
  for (const ConformityScore& of_candidate : scan) {
    for (const double score : {-8.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 8.0}) {
      const double root = of_candidate.root(score);
      outer = hull_of(outer, bounds_of(chosen_for(root * root * root)));
    }
  }
  const auto kept = [&](double volume_ml) {
    const PredictionInterval& of_chosen = bounds_of(chosen_for(volume_ml));
    return of_chosen.lower_ml <= volume_ml && volume_ml <= of_chosen.upper_ml;
  };
  return hull_within(outer, kept).value_or(bounds_of(best_));
}

double ConformalFit::median_ml(const ConformityScore& scan) const {
  return scan.volume_ml(score_at(best_, static_cast<double>(n() + 1) / 2));
}

}  // namespace mcvol
