#pragma once

#include "mcvol/image/image.h"
#include "mcvol/network/bundle/bundle.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcvol {

/// One placement of the network on the grid.
struct Window {
  Index3 output_begin{0, 0, 0};  ///< first voxel of the output, image axes; may lie outside
};

/// The measured voxels inside a window's output, in an order in which neighbours in the list are
/// near each other in the tile and among the measured voxels, however the network's axes lie.
struct WindowVoxels {
  std::vector<std::int64_t> voxels;        ///< positions in the list of measured voxels
  std::vector<std::int64_t> tile_offsets;  ///< in the tile [d0, d1, d2] (network axes, d2 fastest)
};

/// Where a network's windows lie on a scan. Windows that hold no measured voxel are left out.
class WindowPlan {
 public:
  /// Without blending a lattice of abutting outputs from the anchor on, which covers the measured
  /// voxels; each of them lies in one window. With blending MONAI's layout (dense_patch_slices) on
  /// the box that the anchor names, the measured voxels' bounding box or the whole image: outputs
  /// `window.step()` apart, the last shifted back to end with the box, or nnU-Net's, spread evenly
  /// over the box at most 1 - overlap of an output apart; where the box is smaller than the output,
  /// one window around it.
  /// @param axes network dimension d holds image axis axes[d].
  /// @throws InputError for more than 2^31 - 1 measured voxels.
  WindowPlan(const Image<std::uint8_t>& measured, const Bundle::Window& window,
             const std::array<int, 3>& axes);

  Index3 input_size{0, 0, 0};   ///< image axes
  Index3 output_size{0, 0, 0};  ///< image axes
  Index3 margin{0, 0, 0};       ///< input_begin = output_begin - margin
  std::vector<Window> windows;  ///< in ascending order of z, y, x

  /// Made anew at each call: the lists of all windows together would take 16 bytes for each voxel
  /// and window.
  WindowVoxels voxels_of(const Window& window) const;
  std::int64_t measured_voxels() const { return measured_voxels_; }

 private:
  /// Fills the table of positions.
  void number_voxels(const Image<std::uint8_t>& measured);
  std::vector<std::int64_t> first_numbers(const Image<std::uint8_t>& measured);
  /// Calls visit(line, offset) for parts of lines of the table along the last dimension that
  /// together are the window's output, in the order of WindowVoxels; `offset` is that of the first
  /// voxel in the tile.
  template <typename Visit>
  void visit_lines(const Window& window, const Visit& visit) const;
  std::int64_t count_in(const Window& window) const;

  std::array<std::size_t, 3> axes_;
  Box box_;  ///< of the measured voxels
  /// Of each voxel of the box [d0, d1, d2] (network axes, d2 fastest) in the list of measured ones,
  /// or -1.
  std::vector<std::int32_t> positions_;
  std::int64_t measured_voxels_ = 0;
};

}  // namespace mcvol
