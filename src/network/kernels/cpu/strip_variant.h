#pragma once

#include <cstddef>
#include <cstdint>

#include "strip_sizes.h"
#include "variant.h"

namespace mcvol {

/// The numbers of a group of outputs that stand in a row in the packed weights. A row is
/// kStripVoxels floats.
struct StripGroup {
  const float* input;
  const std::int64_t* offsets;  ///< into the input, one for each weight of an output
  std::size_t offset_count;
  const float* weights;             ///< [offset_count, kStripGroup]
  const float* bias;                ///< [kStripGroup] or none
  const float* slope;               ///< [kStripGroup] or none
  const float* addend;              ///< rows, or none
  const std::int32_t* addend_rows;  ///< [kStripGroup]
  float* result;                    ///< kStripGroup rows
  std::size_t voxel;                ///< the first of StripKernels::voxels
};

struct StripKernels {
  /// Makes the sums of the group's first outputs for some voxels.
  void (*make_group)(const StripGroup& group, std::size_t outputs);
  std::size_t voxels;  ///< made at once
};

MCVOL_DECLARE_KERNELS(StripKernels, kStripKernels)

}  // namespace mcvol
