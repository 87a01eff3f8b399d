#include "mcvol/pipeline/histogram_sink.h"

#include "mcvol/error/error.h"
#include "mcvol/pipeline/predict_options.h"
#include "mcvol/volumetry/vectorised.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace mcvol {

namespace {

/// Voxels turned at a time: the buffers stay in the first-level cache.
constexpr std::size_t kChunk = 512;

static_assert(PredictOptions::kMostPasses * kProbabilityUnit < 0x1p63);
static_assert(PredictOptions::kMostPasses <= std::numeric_limits<std::uint16_t>::max());

/// A double in [2^52, 2^53) has the whole number above 2^52 in its low bits: rounding to integers
/// that vectorises without instructions of its own.
constexpr double kShift = 0x1p52;

/// exp(x) for |x| <= 700 to the last bits, of operations that every processor rounds alike:
/// x = n log 2 + r, |r| <= log 2 / 2, and exp(r) by its series.
inline double exponential(double x) {
  constexpr double kRound = 0x1.8p52;  // adding it leaves no bits below 1
  constexpr double kLog2High = 0x1.62e42feep-1, kLog2Low = 0x1.a39ef35793c76p-33;
  const double shifted = x * 0x1.71547652b82fep0 + kRound;
  const double n = shifted - kRound;
  const double r = (x - n * kLog2High) - n * kLog2Low;
  double series = 1.0;
  for (int order = 13; order > 0; --order) series = 1.0 + series * r * (1.0 / order);
  // The low bits of `shifted` are those of n.
  const std::int64_t power = (std::bit_cast<std::int64_t>(shifted) + 1023) << 52;
  return series * std::bit_cast<double>(power);
}

/// probabilities[n] = kProbabilityUnit / (1 + exp(-logits[n])), rounded; 0 and kProbabilityUnit at
/// the infinities.
MCVOL_VECTORISED
void probabilities_from_logits(const float* logits, std::size_t count,
                               std::int64_t* probabilities) {
  constexpr double kFarthest = 700.0;  // where the probability has long been rounded
  for (std::size_t n = 0; n < count; ++n) {
    const double against = -static_cast<double>(logits[n]);
    const double above = against > -kFarthest ? against : -kFarthest;
    const double odds_against = exponential(above < kFarthest ? above : kFarthest);
    const double shifted = kProbabilityUnit / (1.0 + odds_against) + kShift;
    probabilities[n] = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kShift);
  }
}

/// Adds one to counts[n] where p > 0.5, by LogitHistogram's rule.
MCVOL_VECTORISED
void count_above_half(const float* logits, std::size_t count, std::uint16_t* counts) {
  for (std::size_t n = 0; n < count; ++n) {
    counts[n] = static_cast<std::uint16_t>(counts[n] + (logits[n] > 0 ? 1 : 0));
  }
}

}  // namespace

HistogramSink::HistogramSink(std::vector<std::string> regions, std::int64_t measured_voxels,
                             int passes, int without_dropout, SpreadChoice spread)
    : regions_(std::move(regions)),
      voxels_(static_cast<std::size_t>(measured_voxels)),
      passes_(passes),
      all_passes_(passes + without_dropout),
      histograms_(regions_.size(), std::vector<LogitHistogram>(static_cast<std::size_t>(passes))),
      without_dropout_(regions_.size(),
                       std::vector<LogitHistogram>(static_cast<std::size_t>(without_dropout))),
      spread_choice_(spread) {}

void HistogramSink::extend(int passes) {
  first_ = passes_;
  passes_ = all_passes_ = passes;
  for (auto& of_region : histograms_) of_region.resize(static_cast<std::size_t>(passes));
}

LogitHistogram& HistogramSink::histogram(std::size_t region, int pass) {
  if (pass < passes_) return histograms_[region][static_cast<std::size_t>(pass)];
  return without_dropout_[region][static_cast<std::size_t>(pass - passes_)];
}

void HistogramSink::check(const LogitBlock& block) const {
  const std::size_t count = block.voxels.size();
  const bool shape_fits =
      block.first_pass >= first_ && block.pass_count >= 0 &&
      block.first_pass + block.pass_count <= all_passes_ &&
      block.region_count == static_cast<int>(regions_.size()) &&
      block.logits.size() == static_cast<std::size_t>(block.pass_count) * regions_.size() * count;
  const auto outside = [this](std::int64_t voxel) {
    return voxel < 0 || static_cast<std::size_t>(voxel) >= voxels_;
  };
  if (!shape_fits || std::any_of(block.voxels.begin(), block.voxels.end(), outside)) {
    throw Error("the network gave logits outside the scan, its passes or its regions");
  }
}

void HistogramSink::accept(const LogitBlock& block) {
  check(block);
  std::call_once(summing_, [this] {
    probability_sums_.assign(regions_.size() * voxels_, 0);
    above_half_.assign(regions_.size() * voxels_, 0);
    if (spread_choice_.sd) spread_.emplace(regions_.size(), voxels_);
  });
  for (std::size_t region = 0; region < regions_.size(); ++region) {
    for (int pass = 0; pass < block.pass_count; ++pass) {
      LogitHistogram added;
      added.add(logits_of(block, pass, region));  // throws for what is no number
      const std::scoped_lock lock(mutex_);
      histogram(region, block.first_pass + pass) += added;
    }
    add_to_mean(block, region);
  }
}

void HistogramSink::accept(const LogitSums& sums) {
  const auto of_region = static_cast<std::size_t>(all_passes_ - first_);
  if (sums.histograms.size() != regions_.size() * of_region ||
      sums.means.size() != regions_.size() || static_cast<std::size_t>(sums.voxels) != voxels_) {
    throw Error("the network gave sums of another scan, its passes or its regions");
  }
  for (std::size_t n = 0; n < sums.histograms.size(); ++n) {
    histogram(n / of_region, first_ + static_cast<int>(n % of_region)) = sums.histograms[n];
  }
  given_ = sums.of_voxels;
  means_.assign(sums.means.begin(), sums.means.end());
}

std::span<const float> HistogramSink::logits_of(const LogitBlock& block, int pass,
                                                std::size_t region) const {
  const std::size_t row = static_cast<std::size_t>(pass) * regions_.size() + region;
  return block.logits.subspan(row * block.voxels.size(), block.voxels.size());
}

/// The passes of a voxel together before they go to where its sum is, far apart in memory.
void HistogramSink::add_to_mean(const LogitBlock& block, std::size_t region) {
  const int sampled = std::min(block.pass_count, passes_ - block.first_pass);
  if (sampled <= 0) return;
  std::array<std::int64_t, kChunk> probabilities, of_passes;
  std::array<std::uint16_t, kChunk> above_half;
  std::int64_t* sums = probability_sums_.data() + region * voxels_;
  std::uint16_t* counts = above_half_.data() + region * voxels_;
  for (std::size_t begin = 0; begin < block.voxels.size(); begin += kChunk) {
    const std::size_t size = std::min(kChunk, block.voxels.size() - begin);
    of_passes.fill(0);
    above_half.fill(0);
    for (int pass = 0; pass < sampled; ++pass) {
      const std::span<const float> logits = logits_of(block, pass, region).subspan(begin, size);
      probabilities_from_logits(logits.data(), size, probabilities.data());
      for (std::size_t n = 0; n < size; ++n) of_passes[n] += probabilities[n];
      count_above_half(logits.data(), size, above_half.data());
      if (spread_) {
        spread_->add(region, block.voxels.subspan(begin, size), {probabilities.data(), size});
      }
    }
    for (std::size_t n = 0; n < size; ++n) {
      const std::int64_t voxel = block.voxels[begin + n];
      sums[voxel] += of_passes[n];
      counts[voxel] = static_cast<std::uint16_t>(counts[voxel] + above_half[n]);
    }
  }
}

// Sum and complement are integers, so the one is exact where the other is, and both tails are
// alike: within the histogram's ±16 either is at least 1e-7 of `passes` and wrong by at most 2e-15
// of `passes`, so its logarithm is good to 2e-8, less than a float logit near 16 resolves. Beyond
// ±16 every voxel goes to the end node, however far.
LogitHistogram HistogramSink::mean_histogram(std::size_t region) const {
  LogitHistogram histogram;
  std::array<float, kChunk> logits;
  const std::int64_t whole = passes_ * static_cast<std::int64_t>(kProbabilityUnit);
  const std::span<const std::int64_t> sums = probability_sums(region);
  for (std::size_t begin = 0; begin < voxels_; begin += kChunk) {
    const std::size_t size = std::min(kChunk, voxels_ - begin);
    for (std::size_t n = 0; n < size; ++n) {
      const auto sum = static_cast<double>(sums[begin + n]);
      const auto complement = static_cast<double>(whole - sums[begin + n]);
      logits[n] = static_cast<float>(std::log(sum) - std::log(complement));
    }
    histogram.add(std::span<const float>(logits.data(), size));
  }
  return histogram;
}

std::span<const std::int64_t> HistogramSink::probability_sums(std::size_t region) const {
  const std::int64_t* all =
      given_.probabilities ? given_.probabilities.get() : probability_sums_.data();
  return {all + region * voxels_, voxels_};
}

std::vector<std::int64_t> HistogramSink::voxels_by_passes_above_half(std::size_t region) const {
  std::vector<std::int64_t> voxels(static_cast<std::size_t>(passes_) + 1);
  const auto add_up = [&](const auto* counts) {
    // Most voxels are above in none: left out here, they do not wait for each other.
    voxels[0] = static_cast<std::int64_t>(voxels_);
    for (std::size_t voxel = 0; voxel < voxels_; ++voxel) {
      if (counts[voxel] == 0) continue;
      ++voxels[static_cast<std::size_t>(counts[voxel])];
      --voxels[0];
    }
  };
  const std::size_t first = region * voxels_;
  given_.above_half ? add_up(given_.above_half.get() + first) : add_up(above_half_.data() + first);
  return voxels;
}

double HistogramSink::mean_probability(std::size_t region, std::size_t voxel) const {
  return static_cast<double>(probability_sums(region)[voxel]) / (passes_ * kProbabilityUnit);
}

double HistogramSink::probability_sd(std::size_t region, std::size_t voxel) const {
  return spread_.value().sd(region, voxel, passes_);
}

double HistogramSink::agreement(std::size_t region, std::size_t voxel) const {
  const std::size_t at = region * voxels_ + voxel;
  return static_cast<double>(given_.above_half ? given_.above_half.get()[at] : above_half_[at]) /
         passes_;
}

void HistogramSink::require_every_voxel(const std::vector<LogitHistogram>& histograms) const {
  for (const LogitHistogram& histogram : histograms) {
    if (histogram.voxel_count() == static_cast<std::int64_t>(voxels_)) continue;
    throw ModelError("the network's windows gave " + std::to_string(histogram.voxel_count()) +
                     " voxels of " + std::to_string(voxels_) +
                     " to measure; check \"window\" in model.json");
  }
}

std::span<const LogitHistogram> HistogramSink::passes(std::size_t region) const {
  require_every_voxel(histograms_[region]);
  return histograms_[region];
}

std::vector<RegionRecord> HistogramSink::finish() {
  std::vector<RegionRecord> records;
  for (std::size_t region = 0; region < regions_.size(); ++region) {
    require_every_voxel(histograms_[region]);
    require_every_voxel(without_dropout_[region]);
    RegionRecord record;
    record.region = regions_[region];
    record.passes = std::move(histograms_[region]);
    record.without_dropout = std::move(without_dropout_[region]);
    record.mean = means_.empty() ? mean_histogram(region) : means_[region];
    record.agreement = voxels_by_passes_above_half(region);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace mcvol
