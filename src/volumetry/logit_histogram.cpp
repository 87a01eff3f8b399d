#include "mcvol/volumetry/logit_histogram.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/vectorised.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace mcvol {
namespace {

constexpr int kHalfIntervals = (kHistogramNodes - 1) / 2;
constexpr int kIntervals = kHistogramNodes - 1;
constexpr double kNodesPerLogit = kHalfIntervals / kHistogramLogitLimit;
constexpr double kNodeSpacing = 1.0 / kNodesPerLogit;

/// exp(-k / 8) for k = 0 … 128 in extended precision, by series and products alone: the
/// mathematical library's exp may differ in its last bit between processors.
std::array<long double, kHalfIntervals + 1> node_odds() {
  long double step = 1;
  for (int order = 24; order > 0; --order) {
    step = 1 - static_cast<long double>(kNodeSpacing) / order * step;
  }
  std::array<long double, kHalfIntervals + 1> odds;
  odds[0] = 1;
  for (int k = 1; k <= kHalfIntervals; ++k) odds[k] = odds[k - 1] * step;
  return odds;
}

/// e_n = exp(logit) of the nodes below p = 0.5.
using NodeOdds = std::array<float, kHalfIntervals>;

NodeOdds make_lower_odds() {
  const auto odds = node_odds();
  NodeOdds lower;
  for (int n = 0; n < kHalfIntervals; ++n) {
    lower[n] = static_cast<float>(odds[kHalfIntervals - n]);
  }
  return lower;
}

const NodeOdds kLowerOdds = make_lower_odds();

/// Where a logit lies in the lower half, to which the upper one is mirrored (p to 1 - p).
struct Place {
  int node;      ///< n, the outer end of its interval
  int interval;  ///< [node n, node n + 1]: 0 ... 127 below p = 0.5, 128 ... 255 above
  float growth;  ///< e^d - 1, d = distance from node n, by its series (relative error < 1e-7)
};

/// Single precision and no branch, so that many voxels go at a time. NaN counts as -16.
inline Place place_of(float logit) {
  constexpr auto kLimit = static_cast<float>(kHistogramLogitLimit);
  constexpr auto kPerLogit = static_cast<float>(kNodesPerLogit);
  const float lower_half = -std::fabs(logit);
  const float clamped = lower_half > -kLimit ? lower_half : -kLimit;
  const float position = (clamped + kLimit) * kPerLogit;
  constexpr auto kLastNode = static_cast<float>(kHalfIntervals - 1);
  const int node = static_cast<int>(position < kLastNode ? position : kLastNode);
  const float d = clamped - (static_cast<float>(node) / kPerLogit - kLimit);
  const float growth =
      d * (1.0f + d * (1.0f / 2 + d * (1.0f / 6 + d * (1.0f / 24 + d * (1.0f / 120)))));
  return {node, logit > 0 ? kIntervals - 1 - node : node, growth};
}

/// Weight of the inner node (nearer to p = 0.5), linear in p from node n to node n + 1:
/// (p - p_n) / (p_(n+1) - p_n) = g / (r - 1) * (1 + r e_n) / (1 + (1 + g) e_n), g = growth and
/// r = e^(1/8). The rest of the voxel is the outer node's.
inline int inner_weight(float growth, float odds) {
  constexpr float kRatio = 1.1331484530668263f;
  constexpr float kScale = static_cast<float>(kVoxelWeight) / 0.1331484530668263f;
  const float weight = kScale * growth * (1.0f + kRatio * odds) / (1.0f + odds + growth * odds);
  return static_cast<int>(weight + 0.5f);
}

/// Both sums of an interval in one word, so that a voxel is one addition: the voxel count above
/// bit 40, the inner weights (each at most 2^16) below.
constexpr int kCountShift = 40;
constexpr std::size_t kMaxBlock = std::size_t{1} << 22;
constexpr std::size_t kChunk = 512;
/// Below this the tables cost more than they save.
constexpr std::size_t kFewVoxels = 256;
using PackedSums = std::array<std::int64_t, kIntervals>;

/// Whether none is NaN.
MCVOL_VECTORISED
bool find_places(const float* logits, std::size_t count, int* nodes, int* intervals,
                 float* growths) {
  int nan_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Place place = place_of(logits[i]);
    nodes[i] = place.node;
    intervals[i] = place.interval;
    growths[i] = place.growth;
    nan_count += logits[i] != logits[i];
  }
  return nan_count == 0;
}

MCVOL_VECTORISED
void find_weights(const float* growths, const int* nodes, const float* lower_odds,
                  std::size_t count, int* weights) {
  for (std::size_t i = 0; i < count; ++i) {
    weights[i] = inner_weight(growths[i], lower_odds[nodes[i]]);
  }
}

/// Adds up to kChunk voxels; false if one is NaN. Two tables by turns, since neighbours often share
/// an interval and would wait for each other.
bool add_chunk(std::span<const float> logits, PackedSums& even, PackedSums& odd) {
  std::array<int, kChunk> nodes;
  std::array<int, kChunk> intervals;
  std::array<float, kChunk> growths;
  const bool numbers =
      find_places(logits.data(), logits.size(), nodes.data(), intervals.data(), growths.data());
  std::array<int, kChunk> weights;
  find_weights(growths.data(), nodes.data(), kLowerOdds.data(), logits.size(), weights.data());
  constexpr std::int64_t kOneVoxel = std::int64_t{1} << kCountShift;
  std::size_t i = 0;
  for (; i + 1 < logits.size(); i += 2) {
    even[intervals[i]] += kOneVoxel + weights[i];
    odd[intervals[i + 1]] += kOneVoxel + weights[i + 1];
  }
  if (i < logits.size()) even[intervals[i]] += kOneVoxel + weights[i];
  return numbers;
}

[[noreturn]] void throw_nan() { throw InputError("the network gave a voxel no probability (NaN)"); }

}  // namespace

const HistogramNodes& histogram_nodes() {
  static const HistogramNodes nodes = [] {
    const auto odds = node_odds();
    HistogramNodes made;
    for (int n = 0; n < kHistogramNodes; ++n) {
      const int steps = n - kHalfIntervals;
      const long double outer = odds[std::abs(steps)];
      const auto small = static_cast<double>(outer / (1 + outer));
      const auto large = static_cast<double>(1 / (1 + outer));
      made.logits[n] = steps * kNodeSpacing;
      made.probabilities[n] = steps < 0 ? small : large;
      made.complements[n] = steps < 0 ? large : small;
    }
    return made;
  }();
  return nodes;
}

const std::array<float, kHalfIntervals>& histogram_lower_odds() { return kLowerOdds; }

void LogitHistogram::add(float logit) {
  if (std::isnan(logit)) throw_nan();
  const Place place = place_of(logit);
  const int inner = inner_weight(place.growth, kLowerOdds[place.node]);
  const int above = place.interval >= kHalfIntervals ? 1 : 0;
  weights_[place.interval + above] += kVoxelWeight - inner;
  weights_[place.interval + 1 - above] += inner;
  above_half_ += above;
}

void LogitHistogram::add(std::span<const float> logits) {
  if (logits.size() < kFewVoxels) {
    for (const float logit : logits) {
      if (std::isnan(logit)) throw_nan();
    }
    for (const float logit : logits) add(logit);
    return;
  }
  LogitHistogram sum;
  while (!logits.empty()) {
    PackedSums even{};
    PackedSums odd{};
    const auto block = logits.subspan(0, std::min(kMaxBlock, logits.size()));
    for (std::size_t start = 0; start < block.size(); start += kChunk) {
      const auto chunk = block.subspan(start, std::min(kChunk, block.size() - start));
      if (!add_chunk(chunk, even, odd)) throw_nan();
    }
    for (int interval = 0; interval < kIntervals; ++interval) {
      const std::int64_t both = even[interval] + odd[interval];
      const std::int64_t count = both >> kCountShift;
      const std::int64_t inner = both - (count << kCountShift);
      const int above = interval >= kHalfIntervals ? 1 : 0;
      sum.weights_[interval + above] += count * kVoxelWeight - inner;
      sum.weights_[interval + 1 - above] += inner;
      sum.above_half_ += above * count;
    }
    logits = logits.subspan(block.size());
  }
  *this += sum;
}

LogitHistogram& LogitHistogram::operator+=(const LogitHistogram& other) {
  for (int n = 0; n < kHistogramNodes; ++n) weights_[n] += other.weights_[n];
  above_half_ += other.above_half_;
  return *this;
}

std::int64_t LogitHistogram::voxel_count() const {
  return std::accumulate(weights_.begin(), weights_.end(), std::int64_t{0}) / kVoxelWeight;
}

double LogitHistogram::probability_sum() const {
  const HistogramNodes& nodes = histogram_nodes();
  double sum = 0;
  for (int n = 0; n < kHistogramNodes; ++n) {
    sum += static_cast<double>(weights_[n]) * nodes.probabilities[n];
  }
  return sum / static_cast<double>(kVoxelWeight);
}

LogitHistogram LogitHistogram::from_weights(
    const std::array<std::int64_t, kHistogramNodes>& weights, std::int64_t above_half) {
  // More voxels than any scan has, few enough that no sum of weights overflows.
  constexpr std::int64_t kMaxWeight = std::int64_t{1} << 54;
  std::int64_t sum = 0;
  for (const std::int64_t weight : weights) {
    if (weight < 0 || weight > kMaxWeight) {
      throw InputError("histogram: expected weights from 0 to 2^54, found " +
                       std::to_string(weight));
    }
    sum += weight;
  }
  if (sum % kVoxelWeight != 0) {
    throw InputError("histogram: weights do not sum to whole voxels of 65536 (sum " +
                     std::to_string(sum) + ")");
  }
  if (above_half < 0 || above_half > sum / kVoxelWeight) {
    throw InputError("histogram: " + std::to_string(above_half) + " voxels above 0.5 among " +
                     std::to_string(sum / kVoxelWeight));
  }
  LogitHistogram histogram;
  histogram.weights_ = weights;
  histogram.above_half_ = above_half;
  return histogram;
}

}  // namespace mcvol
