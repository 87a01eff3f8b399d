#pragma once

#include <cstddef>
#include <cstdint>

namespace mcvol {

/// Voxels side by side: three vectors of the widest, so that input, weights and result of a layer
/// stay in the nearest cache.
inline constexpr std::int64_t kStripVoxels = 48;

/// Outputs whose sums are made together.
inline constexpr std::size_t kStripGroup = 8;

}  // namespace mcvol
