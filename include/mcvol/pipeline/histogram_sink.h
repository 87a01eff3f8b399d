#pragma once

#include "mcvol/io/records/case_record.h"
#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/pass_spread.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mcvol {

/// Turns the logits of a scan into the histograms of its record as they come: per region one for
/// each pass, one for the mean probability over passes, one for each pass without dropout, which is
/// no part of the mean, and how many voxels are above 0.5 in how many passes.
///
/// Holds ten bytes per region and measured voxel, whatever the number of passes, and what
/// PassSpread holds where that is asked for. The histograms and counts are integers, and so are the
/// sums of a voxel's probabilities, in steps of 2^-48: the result does not depend on threads,
/// windows, the order or grouping of passes, the order of cases or shards on one machine. The
/// mean's histogram goes through std::exp and std::log, whose last bit is the math library's choice
/// and may follow the processor: between machines it may differ in its last fixed-point digit.
class HistogramSink : public LogitSink {
 public:
  /// @param measured_voxels number of non-zero voxels in PreparedScan::measured.
  /// @param passes with dropout, at most PredictOptions::kMostPasses, which the sums hold.
  /// @param without_dropout passes that come after these.
  /// @param spread what images are made of besides the mean.
  HistogramSink(std::vector<std::string> regions, std::int64_t measured_voxels, int passes,
                int without_dropout, SpreadChoice spread = {});

  /// Before a further request of the same scan, for the passes from here up to `passes`.
  void extend(int passes);

  /// May be called from several threads at once, with disjoint voxels.
  /// @throws InputError for NaN; Error for a block outside the scan.
  void accept(const LogitBlock& block) override;
  /// Not where the standard deviation is asked for, which needs the logits themselves.
  bool takes_sums() const override { return !spread_choice_.sd; }
  /// @throws Error for sums of another shape.
  void accept(const LogitSums& sums) override;
  VoxelSums earlier_sums() const override { return given_; }

  /// With dropout, once the blocks of a request are in.
  /// @throws ModelError when a pass did not give every measured voxel exactly once.
  std::span<const LogitHistogram> passes(std::size_t region) const;
  /// Call once, after the last block. @throws ModelError as passes().
  std::vector<RegionRecord> finish();

  /// Over the passes with dropout, once all blocks are in. @param voxel position in
  /// PreparedScan::measured's list of non-zero voxels.
  double mean_probability(std::size_t region, std::size_t voxel) const;
  /// As mean_probability(), where asked for: of the probability over passes, with n - 1.
  double probability_sd(std::size_t region, std::size_t voxel) const;
  /// As mean_probability(): the share of passes in which the probability is above 0.5.
  double agreement(std::size_t region, std::size_t voxel) const;
  std::size_t region_count() const { return regions_.size(); }
  SpreadChoice spread() const { return spread_choice_; }

 private:
  void check(const LogitBlock& block) const;
  LogitHistogram& histogram(std::size_t region, int pass);
  void require_every_voxel(const std::vector<LogitHistogram>& histograms) const;
  std::span<const float> logits_of(const LogitBlock& block, int pass, std::size_t region) const;
  void add_to_mean(const LogitBlock& block, std::size_t region);
  std::span<const std::int64_t> probability_sums(std::size_t region) const;
  std::vector<std::int64_t> voxels_by_passes_above_half(std::size_t region) const;
  LogitHistogram mean_histogram(std::size_t region) const;

  std::vector<std::string> regions_;
  std::size_t voxels_;
  int first_ = 0;   ///< pass of the request at hand
  int passes_;      ///< up to its end
  int all_passes_;  ///< with those without dropout, which the first request has
  std::vector<std::vector<LogitHistogram>> histograms_, without_dropout_;  ///< [region][pass]
  /// [region, voxel], over passes, in steps of 2^-48. Not guarded: threads have disjoint voxels.
  std::vector<std::int64_t> probability_sums_;
  std::vector<std::uint16_t> above_half_;  ///< likewise: passes with p > 0.5
  SpreadChoice spread_choice_;
  std::optional<PassSpread> spread_;   ///< likewise, where chosen
  std::once_flag summing_;             ///< they are made with the first block
  VoxelSums given_;                    ///< or the segmenter made them
  std::vector<LogitHistogram> means_;  ///< [region], where the segmenter made them
  std::mutex mutex_;                   ///< guards the histograms
};

}  // namespace mcvol
