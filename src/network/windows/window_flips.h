#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "scan_windows.h"

namespace mcvol {

/// A window and its mirror images, which a network is shown in turn (Bundle::mirror). Voxels keep
/// their places in the scan; where they lie in the tile is mirrored with it.
class WindowFlips {
 public:
  /// @param mirrored image axes. @param axes network dimension d holds image axis axes[d].
  /// @param tile voxels of the output, network axes.
  WindowFlips(const std::vector<int>& mirrored, const std::array<int, 3>& axes,
              const std::array<std::int64_t, 3>& tile);

  /// 2^n of n axes; 1 without any.
  int count() const { return 1 << dimensions_.size(); }

  /// The window mirrored along the axes whose bits `number` has, the first axis the lowest; 0 is
  /// the window itself. @param number below count().
  WindowData flipped(const WindowData& window, int number) const;

 private:
  std::vector<std::size_t> dimensions_;  ///< of the network, one for each mirrored axis
  std::array<std::int64_t, 3> tile_;
};

}  // namespace mcvol
