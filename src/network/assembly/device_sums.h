#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <span>

#include <ATen/ATen.h>

namespace mcvol {

/// A small list of integers as a tensor on a device.
at::Tensor on_device(std::span<const int> numbers, c10::Device device);

/// What a sink would make of a scan's logits, made on the GPU that computes them: the histogram of
/// each pass and region, and of each voxel the sum of its probability over passes and how many of
/// these are above 0.5. Integers, so the order in which the voxels of windows come changes nothing.
class DeviceSums {
 public:
  /// @param voxels measured. @param sampled, all_passes as in AssemblyTask.
  DeviceSums(c10::Device device, int regions, std::int64_t voxels, int sampled, int all_passes);

  /// What it takes of a device, at most.
  static std::int64_t bytes(int regions, std::int64_t voxels, int all_passes);

  /// Before the first add(): these passes come after `first` others.
  /// @param earlier on the host: the sums of the others.
  void go_on(int first, const VoxelSums& earlier);

  /// @param logits fp32 [passes, regions, count], contiguous. @param voxels int64 [count]: which of
  /// the measured ones. Both on the device.
  void add(const at::Tensor& logits, const at::Tensor& voxels, std::span<const int> passes);

  enum class Complaint { kNotANumber, kUncovered };
  /// int32 [2] on the device: not 0 where kernels found what they complain of.
  const at::Tensor& complaints() const { return complaints_; }

  /// Waits for the device.
  /// @throws InputError for NaN; Error where a voxel was in no window.
  void give(LogitSink& sink) const;

 private:
  c10::Device device_;
  int regions_;
  std::int64_t voxels_;
  int sampled_, all_passes_;
  int first_ = 0;
  at::Tensor lower_odds_;   ///< fp32 [128]
  at::Tensor histograms_;   ///< int64 [regions, all passes, 2, 256]: voxels and inner weights
  at::Tensor probability_;  ///< int64 [regions, voxels]
  at::Tensor above_half_;   ///< int32 [regions, voxels]
  at::Tensor complaints_;
};

}  // namespace mcvol
