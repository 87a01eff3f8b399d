#pragma once

#include <optional>
#include <vector>

#include "dropout_mask.h"
#include <ATen/ATen.h>

namespace mcvol {

/// What a dropout layer does to a kept value, value * scale + kept_offset, and to a dropped one.
struct DropoutAffine {
  float scale = 0.0F;
  float kept_offset = 0.0F;
  float dropped_value = 0.0F;
};
/// Zero, survivors scaled by 1 / (1 - rate).
DropoutAffine inverted_dropout(double rate);

/// Masks that a GPU makes: the same as on the CPU, bit for bit.
struct DeviceMasks {
  std::vector<MaskDraw> draws;  ///< one per row
  int layer = 0;
  double rate = 0.0;
  MaskSharing sharing = MaskSharing::kChannel;
};

/// @param input [rows, channels, …], for element masks also [rows * parts, …].
/// @param positions on the input's device, as in dropout_operator.h; undefined or empty: none.
at::Tensor device_dropout(const at::Tensor& input, const DeviceMasks& masks,
                          const at::Tensor& positions, std::int64_t tile_voxels,
                          const DropoutAffine& affine);

/// Whether device_norm() takes this input: half precision, rank 5, not empty, not too many
/// channels.
bool can_join(const at::Tensor& input);

/// Instance norm over space, then the activation, then inverted dropout, in two passes over
/// activations that are kept with channels last.
/// @param weight, bias, slope of the input's type and contiguous, as in joined_norm.h; of the
/// input's channels, but for a slope of one.
/// @param masks one draw per row of the input.
at::Tensor device_norm(const at::Tensor& input, const std::optional<at::Tensor>& weight,
                       const std::optional<at::Tensor>& bias, double epsilon,
                       const std::optional<at::Tensor>& slope,
                       const std::optional<DeviceMasks>& masks);

}  // namespace mcvol
