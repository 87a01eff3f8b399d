#pragma once

#include "mcvol/random/philox.h"

#include <array>
#include <cstdint>
#include <span>

namespace mcvol {

/// What one row of masks depends on besides its layer. docs/masks.md fixes how it becomes bits.
struct MaskDraw {
  std::uint64_t seed = 0;
  int member = 0;                               ///< network of an ensemble, 0 to 65535
  std::uint32_t pass = 0;                       ///< 0-based
  bool dropout_off = false;                     ///< everything is kept as it is, as in eval mode
  bool drops_all = false;                       ///< nothing is kept, whatever the rate: for trials
  std::array<std::int32_t, 3> window{0, 0, 0};  ///< first output voxel of the window, on the grid
};

/// Which elements of an activation share a draw.
enum class MaskSharing : std::uint32_t {
  kChannel = 0,        ///< one draw a channel, for all windows
  kWindowChannel = 1,  ///< one draw a channel and window: PyTorch's feature dropout
  kElement = 2,        ///< one draw an element and window
};

/// The stream of random words of one row, layer and sharing: word(i) belongs to channel or element
/// i, whatever the order in which they are asked for.
class MaskStream {
 public:
  MaskStream(const MaskDraw& draw, int layer, MaskSharing sharing);

  std::uint32_t word(std::uint64_t index) const;
  /// Words `first` to `first + words.size() - 1`.
  void fill(std::uint64_t first, std::span<std::uint32_t> words) const;
  /// Words first + positions[n]; fastest where neighbours follow one another.
  void gather(std::uint64_t first, std::span<const std::int64_t> positions,
              std::span<std::uint32_t> words) const;

 private:
  bool drops_all_;
  PhiloxKey key_;
  PhiloxCounter counter_;  ///< word 0 is that of the block
};

/// The generator's key of a draw and the last word of its counters (docs/masks.md).
PhiloxKey mask_key(const MaskDraw& draw, MaskSharing sharing);
std::uint32_t mask_member_and_sharing(const MaskDraw& draw, MaskSharing sharing);

/// A word keeps its channel or element where it is at least this: floor(rate * 2^32), as 64 bits
/// since rate 1 drops everything.
std::uint64_t keep_threshold(double rate);

}  // namespace mcvol
