#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mcvol {

/// What images are to be made of a voxel's probabilities over passes besides their mean.
struct SpreadChoice {
  bool sd = false;         ///< their standard deviation, which is summed up for that alone
  bool agreement = false;  ///< the share of passes above 0.5, which are counted anyway
};

/// The standard deviation of probabilities over passes, per region and measured voxel. The sums are
/// integers, so that they do not depend on the order or grouping of passes: probabilities are
/// rounded to 2^-24, which makes their squares whole multiples of 2^-48.
class PassSpread {
 public:
  PassSpread(std::size_t regions, std::size_t voxels);

  /// One pass of a region; from several threads at once with disjoint voxels.
  /// @param voxels positions among those measured. @param probabilities of these, in steps of
  ///   1 / kProbabilityUnit.
  void add(std::size_t region, std::span<const std::int64_t> voxels,
           std::span<const std::int64_t> probabilities);

  /// Over `passes`, which are all that were added, with n - 1; 2 or more.
  double sd(std::size_t region, std::size_t voxel, int passes) const;

 private:
  std::size_t voxels_;
  // [region, voxel]
  std::vector<std::int64_t> sums_;     ///< of probabilities, in steps of 2^-24
  std::vector<std::int64_t> squares_;  ///< of their squares, in steps of 2^-48
};

}  // namespace mcvol
