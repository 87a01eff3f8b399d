#include "mcvol/pipeline/histogram_sink.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace mcvol {

namespace {

/// Voxels turned at a time: the buffers stay in the first-level cache.
constexpr std::size_t kChunk = 512;

/// probabilities[n] = 1 / (1 + exp(-logits[n])), 0 and 1 at the infinities.
void probabilities_from_logits(std::span<const float> logits, double* probabilities) {
  for (std::size_t n = 0; n < logits.size(); ++n) {
    probabilities[n] = std::exp(-static_cast<double>(logits[n]));
  }
  for (std::size_t n = 0; n < logits.size(); ++n) probabilities[n] = 1.0 / (1.0 + probabilities[n]);
}

}  // namespace

HistogramSink::HistogramSink(std::vector<std::string> regions, std::int64_t measured_voxels,
                             int passes)
    : regions_(std::move(regions)),
      voxels_(static_cast<std::size_t>(measured_voxels)),
      passes_(passes),
      histograms_(regions_.size() * static_cast<std::size_t>(passes)),
      probability_sums_(regions_.size() * voxels_, 0.0) {}

void HistogramSink::check(const LogitBlock& block) const {
  const std::size_t count = block.voxels.size();
  const bool shape_fits =
      block.first_pass >= 0 && block.pass_count >= 0 &&
      block.first_pass + block.pass_count <= passes_ &&
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
  const std::size_t count = block.voxels.size();
  std::array<double, kChunk> probabilities;
  for (int pass = 0; pass < block.pass_count; ++pass) {
    for (std::size_t region = 0; region < regions_.size(); ++region) {
      const std::size_t row = static_cast<std::size_t>(pass) * regions_.size() + region;
      const std::span<const float> logits = block.logits.subspan(row * count, count);
      LogitHistogram histogram;
      histogram.add(logits);
      double* sums = probability_sums_.data() + region * voxels_;
      for (std::size_t begin = 0; begin < count; begin += kChunk) {
        const std::size_t size = std::min(kChunk, count - begin);
        probabilities_from_logits(logits.subspan(begin, size), probabilities.data());
        for (std::size_t n = 0; n < size; ++n) {
          sums[block.voxels[begin + n]] += probabilities[n];
        }
      }
      const std::scoped_lock lock(mutex_);
      histograms_[region * static_cast<std::size_t>(passes_) +
                  static_cast<std::size_t>(block.first_pass + pass)] += histogram;
    }
  }
}

// The complement is taken as passes - sum: within the histogram's ±16 it is at least 1e-7 of
// `passes`, against an error of the sum of some 1e-15 of it, so its logarithm is good to 1e-7, less
// than a float logit near 16 resolves. The lower tail is a sum of small numbers and keeps full
// precision. Beyond ±16 every voxel goes to the end node, however far.
LogitHistogram HistogramSink::mean_histogram(std::size_t region) const {
  LogitHistogram histogram;
  std::array<float, kChunk> logits;
  const std::span<const double> sums(probability_sums_.data() + region * voxels_, voxels_);
  for (std::size_t begin = 0; begin < voxels_; begin += kChunk) {
    const std::size_t size = std::min(kChunk, voxels_ - begin);
    for (std::size_t n = 0; n < size; ++n) {
      const double sum = sums[begin + n];
      const double complement = std::max(0.0, passes_ - sum);
      logits[n] = static_cast<float>(std::log(sum) - std::log(complement));
    }
    histogram.add(std::span<const float>(logits.data(), size));
  }
  return histogram;
}

std::vector<RegionRecord> HistogramSink::finish() {
  std::vector<RegionRecord> records;
  for (std::size_t region = 0; region < regions_.size(); ++region) {
    RegionRecord record;
    record.region = regions_[region];
    const auto first = histograms_.begin() + static_cast<std::ptrdiff_t>(region) * passes_;
    record.passes.assign(first, first + passes_);
    for (const LogitHistogram& pass : record.passes) {
      if (pass.voxel_count() != static_cast<std::int64_t>(voxels_)) {
        throw ModelError("the network's windows gave " + std::to_string(pass.voxel_count()) +
                         " voxels of " + std::to_string(voxels_) +
                         " to measure; check \"window\" in model.json");
      }
    }
    record.mean = mean_histogram(region);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace mcvol
