#pragma once

#include "mcvol/network/dropout_mask.h"

#include <vector>

#include <ATen/ATen.h>

namespace mcvol {

/// What a dropout layer does to a kept value, value * scale + kept_offset, and to a dropped one.
struct DropoutAffine {
  float scale = 0.0F;
  float kept_offset = 0.0F;
  float dropped_value = 0.0F;
};

/// Dropout on a GPU, with masks made there: the same as on the CPU, bit for bit.
/// @param input [rows, channels, …], for element masks also [rows * parts, …].
/// @param positions on the input's device, as in dropout_operator.h; undefined or empty: none.
at::Tensor device_dropout(const at::Tensor& input, const std::vector<MaskDraw>& draws,
                          const at::Tensor& positions, std::int64_t tile_voxels, int layer,
                          double rate, MaskSharing sharing, const DropoutAffine& affine);

}  // namespace mcvol
