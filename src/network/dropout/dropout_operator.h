#pragma once

#include "mcvol/network/segmenter/segmenter.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dropout_mask.h"

namespace at {
class Tensor;
}

namespace mcvol {

/// Our dropout, in place of PyTorch's, as the rewritten graphs call it:
///
///   mcvol::dropout(Tensor input, Tensor draws, Tensor positions, float rate, int layer, int form,
///                  int sharing) -> Tensor
///
/// input [rows, channels, …], for element masks also [rows * windows, …]; draws from make_draws(),
/// one row each; positions: where the voxels of
/// an input gathered to [rows, channels, voxels, 1, 1] lie in the tile, or empty. A pure function.
///
///   mcvol::dropout_marker(Tensor input, float rate, int layer, int form, bool feature) -> Tensor
///
/// stands in for it while a module is frozen: it has side effects on paper, so that no pass folds,
/// merges or drops it. Running it is an error.
inline constexpr const char* kDropoutOperator = "mcvol::dropout";
inline constexpr const char* kDropoutMarker = "mcvol::dropout_marker";

/// What dropping does to a value.
enum class DropoutForm : std::int64_t {
  kInverted,  ///< zero, survivors scaled by 1 / (1 - rate)
  kAlpha,     ///< to SELU's saturation value, then affine (Klambauer et al. 2017)
};

/// Makes both operators known to TorchScript; may be called again.
void register_dropout_operators();

/// The `draws` input of the operator: int64 [rows, 7] on the CPU.
/// @param tile_voxels voxels of the tile that `positions` refer to.
at::Tensor make_draws(const std::vector<MaskDraw>& rows, std::int64_t tile_voxels);

std::int64_t tile_voxels_of(const at::Tensor& draws);

/// Back again, less `tile_voxels`.
std::vector<MaskDraw> read_draws(const at::Tensor& draws);

/// What inverted dropout multiplies the channels of a row with: [channels], for masks of channels.
std::vector<float> channel_factors(const MaskDraw& draw, int layer, double rate,
                                   MaskSharing sharing, std::int64_t channels);

/// The layers whose masks are drawn on its thread while it lives: one in a branch that is not taken
/// is none of them.
class DropoutWatch {
 public:
  DropoutWatch();
  ~DropoutWatch();
  DropoutWatch(const DropoutWatch&) = delete;
  DropoutWatch& operator=(const DropoutWatch&) = delete;

  const std::set<int>& layers() const { return layers_; }

 private:
  std::set<int> layers_;
  std::set<int>* outer_;
};
/// Tells a DropoutWatch: by whatever draws a layer's masks.
void note_dropout(int layer);

/// What the operator does, with the same checks.
at::Tensor run_dropout(const at::Tensor& input, const at::Tensor& draws,
                       const at::Tensor& positions, double rate, int layer, DropoutForm form,
                       MaskSharing sharing);

/// Sharing of a layer's masks under a scope; `feature`: PyTorch's operator drops whole channels.
MaskSharing sharing_under(DropoutScope scope, bool feature);

}  // namespace mcvol
